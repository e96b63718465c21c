"""How long a study may wait for its report, by priority and modality, and who is told when it waits longer."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from archive.models.scheduled_step import CODE_STRING
from viewer.models.reading_task import ReadingTask

LONGEST_MINUTES = 60 * 24 * 60


class TimeLimit(models.Model):
    """One limit, counted from the last image; the one that names priority and modality comes before those that do not."""

    priority = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=ReadingTask.Priority, help_text="Empty: every priority."
    )
    modality = models.CharField(
        max_length=16, blank=True, validators=[CODE_STRING], help_text="Such as CT. Empty: every modality."
    )
    minutes = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MINUTES)])
    told = models.ManyToManyField(
        "auth.Group", blank=True, related_name="+", help_text="Groups whose members are told of what is overdue."
    )

    class Meta:
        ordering = ["priority", "modality"]
        constraints = [
            models.UniqueConstraint(name="one_limit_a_kind", fields=["priority", "modality"]),
            models.UniqueConstraint(
                name="one_limit_a_modality", fields=["modality"], condition=models.Q(priority__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        priority = ReadingTask.Priority(self.priority).label if self.priority is not None else "every priority"
        return f"{priority}, {self.modality or 'every modality'}: {self.minutes} minutes"
