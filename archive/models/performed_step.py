"""A performed procedure step that a modality reports (MPPS, PS3.4 annex F, PS3.3 C.4.13 to C.4.16)."""

from django.db import models
from django.db.models import Q


class PerformedStep(models.Model):
    """One Modality Performed Procedure Step instance; ``archive.scheduling.performed`` owns its states."""

    class State(models.TextChoices):
        """Performed Procedure Step Status (0040,0252)."""

        IN_PROGRESS = "IN PROGRESS", "in progress"
        COMPLETED = "COMPLETED", "completed"
        DISCONTINUED = "DISCONTINUED", "discontinued"

    sop_instance_uid = models.CharField("SOP Instance UID", max_length=64, unique=True)
    state = models.CharField(max_length=16, choices=State, default=State.IN_PROGRESS)
    performed_procedure_step_id = models.CharField(max_length=16)
    description = models.CharField(max_length=64, blank=True)
    modality = models.CharField(max_length=16)
    performed_station_ae_title = models.CharField(max_length=16)
    performed_station_name = models.CharField(max_length=16, blank=True)
    start_date = models.CharField(max_length=8)
    start_time = models.CharField(max_length=16)
    end_date = models.CharField(max_length=8, blank=True)
    end_time = models.CharField(max_length=16, blank=True)
    patient_id = models.CharField(max_length=64, blank=True)
    patient_name = models.CharField(max_length=330, blank=True)
    discontinuation_reason = models.CharField(max_length=64, blank=True)
    """Meaning of the code in (0040,0281)."""
    scheduled_steps = models.ManyToManyField("archive.ScheduledStep", blank=True, related_name="performed_steps")
    data_set = models.JSONField(default=dict)
    """All attributes as DICOM JSON, those of the N-CREATE overlaid by each N-SET."""
    reported_by = models.CharField(max_length=16)
    """AE title that created it."""
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="performed_state_known", condition=Q(state__in=["IN PROGRESS", "COMPLETED", "DISCONTINUED"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.performed_procedure_step_id} ({self.modality})"


class PerformedStudy(models.Model):
    """A study that a performed step belongs to: an item of Scheduled Step Attributes Sequence (0040,0270)."""

    step = models.ForeignKey(PerformedStep, on_delete=models.CASCADE, related_name="studies")
    study_instance_uid = models.CharField(max_length=64, db_index=True)
    accession_number = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_study_a_step", fields=["step", "study_instance_uid"])]

    def __str__(self) -> str:
        return self.study_instance_uid


class PerformedSeries(models.Model):
    """A series that the modality made: an item of Performed Series Sequence (0040,0340)."""

    step = models.ForeignKey(PerformedStep, on_delete=models.CASCADE, related_name="series")
    series_instance_uid = models.CharField(max_length=64)
    series_description = models.CharField(max_length=64, blank=True)
    protocol_name = models.CharField(max_length=64, blank=True)
    sop_instance_uids = models.JSONField(default=list)
    """Images and other objects that the modality made: how many are expected, and which."""

    class Meta:
        constraints = [models.UniqueConstraint(name="one_series_a_step", fields=["step", "series_instance_uid"])]

    def __str__(self) -> str:
        return self.series_instance_uid
