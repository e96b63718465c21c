"""An instance (PS3.3 C.12.1): one SOP instance and what drawing it needs."""

from __future__ import annotations

from typing import Self

from django.db import models


class Rejection(models.TextChoices):
    """Why an image is hidden: document titles of CID 7010 and 7011 used as KOS rejection codes."""

    NONE = "", "not rejected"
    QUALITY = "113001", "rejected for quality reasons"
    PATIENT_SAFETY = "113037", "rejected for patient safety reasons"
    WRONG_WORKLIST_ENTRY = "113038", "incorrect modality worklist entry"
    RETENTION_EXPIRED = "113039", "data retention policy expired"


class InstanceQuerySet(models.QuerySet["Instance"]):
    def shown(self) -> Self:
        """Instances that lists, tiles and queries may name."""
        return self.filter(rejection=Rejection.NONE)


class Instance(models.Model):
    """One image or document. Its bytes are in a ``StoredFile``; they never change."""

    Rejection = Rejection

    series = models.ForeignKey("archive.Series", on_delete=models.CASCADE, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64, unique=True)
    sop_class_uid = models.CharField(max_length=64)
    instance_number = models.IntegerField(null=True, blank=True)
    acquisition_number = models.IntegerField(null=True, blank=True)
    content_date = models.CharField(max_length=8, blank=True)
    content_time = models.CharField(max_length=16, blank=True)
    rows = models.PositiveIntegerField(default=0)
    columns = models.PositiveIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0)
    """0 for an object without pixel data."""
    description = models.TextField(blank=True)
    """``archive.pixels.description.ImageDescription`` as JSON; empty where there is nothing to draw."""
    undrawable_reason = models.CharField(max_length=255, blank=True)
    """A sentence for people where the image cannot be drawn."""
    data_set_digest = models.CharField(max_length=64)
    """SHA-256 of the data set as received, without group 0002; kept for ever."""
    received_transfer_syntax_uid = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    door = models.CharField(max_length=16)
    calling_ae_title = models.CharField(max_length=16, blank=True)
    added_revision = models.PositiveIntegerField()
    """The study's revision that first showed it."""
    rejection = models.CharField(max_length=16, choices=Rejection, default=Rejection.NONE, blank=True)
    rejection_reason = models.CharField(max_length=255, blank=True)
    rejected_at = models.DateTimeField(null=True, blank=True)
    rejected_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = InstanceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["series", "instance_number"], name="instance_in_series")]

    def __str__(self) -> str:
        return self.sop_instance_uid
