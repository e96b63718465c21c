"""Mending: a study under another patient, two patients made one; what it was before, so that it can be undone."""

from django.db import models
from django.db.models import Q


class Correction(models.Model):
    """One decision of a person. Images are never changed by it; what leaves the archive is coerced."""

    class Kind(models.TextChoices):
        MOVE = "move", "study moved to another patient"
        MERGE = "merge", "patient merged into another"

    kind = models.CharField(max_length=8, choices=Kind)
    source = models.ForeignKey("archive.Patient", on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey("archive.Patient", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=255)
    made_by = models.ForeignKey("archive.User", null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undo_reason = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_merge_a_patient", fields=["source"], condition=Q(kind="merge", undone_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class CorrectedStudy(models.Model):
    """A study that a correction moved, and what stood there before."""

    correction = models.ForeignKey(Correction, on_delete=models.CASCADE, related_name="studies")
    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="corrections")
    patient = models.ForeignKey("archive.Patient", on_delete=models.PROTECT, related_name="+")
    received_patient = models.ForeignKey("archive.Patient", null=True, on_delete=models.PROTECT, related_name="+")
    patient_name = models.CharField(max_length=330, blank=True)
    patient_birth_date = models.CharField(max_length=8, blank=True)
    patient_sex = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_study_a_correction", fields=["correction", "study"])]

    def __str__(self) -> str:
        return f"study {self.study_id} of correction {self.correction_id}"
