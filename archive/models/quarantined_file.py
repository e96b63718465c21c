"""A file that was durably kept but not shown, and why."""

from django.db import models


class QuarantinedFile(models.Model):
    """Nothing is dropped in silence: a person replaces, keeps both, or drops it."""

    class Reason(models.TextChoices):
        UNREADABLE = "unreadable", "cannot be read as DICOM"
        OTHER_CONTENT = "other-content", "another image with this UID is already stored"
        OTHER_PATIENT = "other-patient", "names another patient than the study it belongs to"
        OTHER_STUDY = "other-study", "its series already belongs to another study"
        MISMATCH = "mismatch", "is not the image that was announced with it"
        UPLOAD_REVIEW = "upload-review", "sent in by a clinician and waiting for a look"

    class State(models.TextChoices):
        HELD = "held", "held back"
        REPLACED = "replaced", "took the place of the stored image"
        KEPT_BOTH = "kept-both", "stored beside it under a new UID"
        RELEASED = "released", "stored after a look"
        DROPPED = "dropped", "dropped"

    key = models.CharField(max_length=160, unique=True)
    size = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=16, choices=Reason)
    explanation = models.TextField()
    state = models.CharField(max_length=16, choices=State, default=State.HELD, db_index=True)
    study_instance_uid = models.CharField(max_length=64, blank=True, db_index=True)
    series_instance_uid = models.CharField(max_length=64, blank=True)
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    sop_class_uid = models.CharField(max_length=64, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    patient_id = models.CharField(max_length=64, blank=True)
    patient_name = models.CharField(max_length=330, blank=True)
    digest = models.CharField(max_length=64, blank=True, db_index=True)
    door = models.CharField(max_length=16)
    calling_ae_title = models.CharField(max_length=16, blank=True)
    received_at = models.DateTimeField(db_index=True)
    decided_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-received_at"]

    def __str__(self) -> str:
        return f"quarantined file {self.pk}"
