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

    class PrioritySource(models.TextChoices):
        """Who said how urgent it is: a person always wins, an order that is urgent comes before a rule."""

        NOBODY = "", "nobody: routine"
        ORDER = "order", "the order"
        RULE = "rule", "a rule"
        PERSON = "person", "a person"

    study = models.OneToOneField("archive.Study", on_delete=models.CASCADE, related_name="reading_task")
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.ROUTINE)
    priority_source = models.CharField(max_length=8, choices=PrioritySource, default=PrioritySource.NOBODY, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.UNREAD)
    waiting_since = models.DateTimeField()
    """When the last image came."""
    due_at = models.DateTimeField(null=True, blank=True)
    """When the site's limit for its priority and modality is over; empty where there is no limit."""
    overdue_told_at = models.DateTimeField(null=True, blank=True)
    """When those who are told of overdue studies were told of this one."""
    assigned_to = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    assigned_group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    assigned_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """The person who assigned it; empty where a rule did."""
    assigned_at = models.DateTimeField(null=True, blank=True)
    assigned_because = models.CharField(max_length=255, blank=True)
    """Why it was assigned, in words; never with a patient's name."""
    first_opened_at = models.DateTimeField(null=True, blank=True)
    """When a reader first claimed it."""
    preliminary_at = models.DateTimeField(null=True, blank=True)
    """When the first preliminary report was signed."""
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
            models.Index(fields=["state", "due_at"], name="task_by_due"),
        ]
        constraints = [
            models.CheckConstraint(
                name="assigned_to_one", condition=models.Q(assigned_to=None) | models.Q(assigned_group=None)
            ),
        ]
        permissions = [("coordinate", "Can assign studies to readers and see the figures of reading")]

    def __str__(self) -> str:
        return f"reading task {self.pk}"
