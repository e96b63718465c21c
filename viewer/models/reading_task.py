"""A row of the reading worklist: one study that waits for, or has had, a reader."""

from django.db import models


class ReadingTask(models.Model):
    """Priority, state of reading and who has it. ``viewer.worklist.claiming`` owns the state machine."""

    class Priority(models.IntegerChoices):
        STAT = 0, "STAT"
        URGENT = 1, "urgent"
        ROUTINE = 2, "routine"

    class State(models.TextChoices):
        UNREAD = "unread", "unread"
        IN_PROGRESS = "in-progress", "being read"
        PRELIMINARY = "preliminary", "preliminary"
        READ = "read", "read"

    study = models.OneToOneField("archive.Study", on_delete=models.CASCADE, related_name="reading_task")
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.ROUTINE)
    state = models.CharField(max_length=16, choices=State, default=State.UNREAD)
    waiting_since = models.DateTimeField()
    """When the last image came."""
    claimed_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    claimed_at = models.DateTimeField(null=True, blank=True)
    claim_seen_at = models.DateTimeField(null=True, blank=True)
    """Last sign of life of the browser that holds the claim."""
    read_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["priority", "waiting_since"], name="task_default_order"),
            models.Index(fields=["state", "priority", "waiting_since"], name="task_by_state"),
        ]

    def __str__(self) -> str:
        return f"reading task {self.pk}"
