"""A clinician asks the radiologist, and is answered, beside the report."""

from __future__ import annotations

from django.db import models


class Question(models.Model):
    """One question about a study's report and its answer."""

    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="questions")
    text = models.CharField(max_length=1000)
    asked_by = models.ForeignKey("archive.User", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_of = models.ForeignKey("archive.User", on_delete=models.PROTECT, related_name="+")
    """Who signed last, or reads the study now; any radiologist may answer."""
    answer = models.CharField(max_length=2000, blank=True)
    answered_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["asked_at", "pk"]

    def __str__(self) -> str:
        return f"question {self.pk}"
