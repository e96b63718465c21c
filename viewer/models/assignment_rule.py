"""Rules of assignment: which reader or group a study waits for, and how urgent it is."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from archive.access.roles import Role, has_role
from archive.models.route import WEEKDAYS
from archive.models.scheduled_step import CODE_STRING
from viewer.models.reading_task import ReadingTask


class AssignmentRule(models.Model):
    """One rule; every condition that is filled in must hold. The first rule that fits, by position, decides."""

    name = models.CharField(max_length=80, unique=True)
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(
        default=100, help_text="Rules are tried from the lowest to the highest."
    )

    modality = models.CharField(
        max_length=16, blank=True, validators=[CODE_STRING], help_text="Of at least one series, such as CT."
    )
    body_part = models.CharField(
        max_length=64, blank=True, help_text="Body Part Examined of at least one series, such as CHEST."
    )
    description_contains = models.CharField(
        max_length=255, blank=True, help_text="In the description of the study or of a series, in any case."
    )
    referrer_contains = models.CharField(
        "referrer or ward contains",
        max_length=255,
        blank=True,
        help_text="In the referring physician, the institution, or the ward or service of the order, in any case.",
    )
    source_peer = models.ForeignKey(
        "archive.Peer",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="came from",
        help_text="Only studies of which this peer sent images.",
    )
    from_time = models.TimeField("from", null=True, blank=True, help_text="Local time at which the study is ready.")
    until_time = models.TimeField("until", null=True, blank=True, help_text="Before “from”: over midnight.")
    weekdays = models.CharField(
        max_length=7, blank=True, validators=[WEEKDAYS], help_text="1 is Monday, 7 is Sunday; 67 is the weekend."
    )

    reader = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    priority = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        choices=ReadingTask.Priority,
        help_text="Where neither a person nor an urgent order has said it.",
    )

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A rule that could only do nothing, or the impossible, is refused."""
        if self.reader_id is not None and self.group_id is not None:
            raise ValidationError({"group": "A rule assigns to a reader or to a group, not to both."})
        if self.reader_id is None and self.group_id is None and self.priority is None:
            raise ValidationError("A rule names a reader, a group or a priority; this one would do nothing.")
        if self.reader is not None and not has_role(self.reader, Role.RADIOLOGIST):
            raise ValidationError({"reader": f"{self.reader} is no active radiologist."})
        if (self.from_time is None) != (self.until_time is None):
            raise ValidationError({"until_time": "A shift has both ends."})
