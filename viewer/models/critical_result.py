"""Critical results: what a reader flagged, who was told, and who said that they know."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class CriticalCategory(models.Model):
    """How soon somebody must know, and who is told when nobody answers; the site's own rows."""

    name = models.CharField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    remind_every_minutes = models.PositiveIntegerField(default=15)
    escalate_after_minutes = models.PositiveIntegerField(default=60)
    escalate_to_users = models.ManyToManyField("archive.User", blank=True, related_name="+")
    escalate_to_groups = models.ManyToManyField("auth.Group", blank=True, related_name="+")
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "critical categories"
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="critical_times_not_zero", condition=Q(remind_every_minutes__gte=1, escalate_after_minutes__gte=1)
            )
        ]

    def __str__(self) -> str:
        return self.name


class CriticalResult(models.Model):
    """One finding that somebody must know of. ``viewer.critical`` owns every change.

    flagged --signature, at once--> told --acknowledged--> acknowledged
       +------------withdrawn before anybody was told
    """

    class State(models.TextChoices):
        FLAGGED = "flagged", "told when the report is signed"
        TOLD = "told", "waits for acknowledgement"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        WITHDRAWN = "withdrawn", "withdrawn before anybody was told"

    study = models.ForeignKey("archive.Study", on_delete=models.PROTECT, related_name="critical_results")
    patient = models.ForeignKey("archive.Patient", on_delete=models.PROTECT, related_name="+")
    """Whom it was about when it was flagged."""
    category = models.ForeignKey(CriticalCategory, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    state = models.CharField(max_length=16, choices=State, default=State.FLAGGED)
    recipient = models.ForeignKey("archive.User", on_delete=models.PROTECT, related_name="critical_results")
    recipient_name = models.CharField(max_length=330)
    flagged_by = models.ForeignKey("archive.User", on_delete=models.PROTECT, related_name="+")
    flagged_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    told_with = models.ForeignKey(
        "viewer.ReportVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="critical_results"
    )
    """The signed version that it was told with; empty where it was told at once."""
    remind_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveIntegerField(default=0)
    escalate_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        "archive.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    acknowledged_name = models.CharField(max_length=330, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["flagged_at", "pk"]
        indexes = [
            models.Index(fields=["study", "state"], name="critical_of_study"),
            models.Index(fields=["remind_at"], name="critical_to_remind", condition=Q(state="told")),
        ]
        constraints = [
            models.CheckConstraint(
                name="critical_acknowledged_by_name",
                condition=~Q(state="acknowledged")
                | Q(acknowledged_by__isnull=False, acknowledged_at__isnull=False) & ~Q(acknowledged_name=""),
            )
        ]

    def __str__(self) -> str:
        return f"critical result {self.pk}"
