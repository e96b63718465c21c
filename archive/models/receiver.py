"""What a DICOM receiver last said about itself, for pages that run in other processes."""

from __future__ import annotations

from django.db import models


class Receiver(models.Model):
    """One running receiver; written every few seconds at most, however much it receives."""

    name = models.CharField(max_length=255, unique=True)
    """Machine, port and process."""
    address = models.CharField(max_length=255)
    ae_title = models.CharField(max_length=16)
    started_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    associations = models.JSONField(default=list)
    """Open ones, the oldest first (``archive.dimse.live``)."""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
