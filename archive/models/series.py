"""A series (PS3.3 C.7.3.1)."""

from django.db import models


class Series(models.Model):
    """Images of one modality, made in one go by one device."""

    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="series")
    series_instance_uid = models.CharField(max_length=64, unique=True)
    modality = models.CharField(max_length=16, blank=True)
    series_number = models.IntegerField(null=True, blank=True)
    series_description = models.CharField(max_length=255, blank=True)
    protocol_name = models.CharField(max_length=255, blank=True)
    body_part_examined = models.CharField(max_length=64, blank=True)
    laterality = models.CharField(max_length=16, blank=True)
    patient_position = models.CharField(max_length=16, blank=True)
    series_date = models.CharField(max_length=8, blank=True)
    series_time = models.CharField(max_length=16, blank=True)
    performed_procedure_step_start_date = models.CharField(max_length=8, blank=True, db_index=True)
    performed_procedure_step_start_time = models.CharField(max_length=16, blank=True)
    station_name = models.CharField(max_length=64, blank=True)
    manufacturer = models.CharField(max_length=128, blank=True)
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    instance_count = models.PositiveIntegerField(default=0)
    """Instances that are not rejected."""
    is_derived = models.BooleanField(default=False)
    """Made by the portal from other images; listed after the originals, never counted as received."""
    processing = models.CharField(max_length=255, blank=True)
    """What a derived series was made by, shown permanently on its images."""
    last_received_at = models.DateTimeField()
    pictures_owed = models.BooleanField(default=True, db_index=True)
    """Its thumbnail and first tiles have yet to be made."""

    class Meta:
        verbose_name_plural = "series"
        ordering = ["is_derived", "series_number", "pk"]
        indexes = [models.Index(fields=["modality", "study"], name="series_of_modality")]

    def __str__(self) -> str:
        return self.series_instance_uid


class SeriesRequest(models.Model):
    """An item of a series' Request Attributes Sequence (0040,0275): the order that it was made for."""

    series = models.ForeignKey("archive.Series", on_delete=models.CASCADE, related_name="requests")
    requested_procedure_id = models.CharField(max_length=64, blank=True, db_index=True)
    scheduled_procedure_step_id = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"request {self.pk}"
