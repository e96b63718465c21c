"""A patient: PatientID with its issuer (PS3.3 C.7.1.1, C.2.2)."""

from django.db import models


class Patient(models.Model):
    """One person as the senders name them; studies with an empty or placeholder ID get a patient of their own."""

    identity_key = models.CharField(max_length=200, unique=True)
    """ID and issuer, or the study where the ID says nothing (``archive.indexing.identity``)."""
    patient_id = models.CharField(max_length=64, blank=True, db_index=True)
    issuer_of_patient_id = models.CharField(max_length=64, blank=True)
    patient_name = models.CharField(max_length=330, blank=True)
    """As sent, decoded, with all component groups."""
    name_key = models.CharField(max_length=330, blank=True, db_index=True)
    """For comparison and search: no case, padding or trailing carets."""
    patient_birth_date = models.CharField(max_length=8, blank=True)
    patient_sex = models.CharField(max_length=16, blank=True)
    identity_to_be_checked = models.BooleanField(default=False)
    """The same ID came with another birth date, sex or clearly other name; no priors until a person has confirmed."""
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged"
    )
    """The patient that takes this one's studies, also those that come later; empty where it stands for itself."""

    def __str__(self) -> str:
        return f"patient {self.pk}"
