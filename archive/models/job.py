"""A piece of work that is not a page: rows are the queue, messages only wake the worker."""

from django.db import models
from django.db.models import Q


class Job(models.Model):
    """Claimed with a lease; shows progress; can be cancelled, retried, and is parked after three crashes."""

    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        PARKED = "parked", "parked after three crashes"

    kind = models.CharField(max_length=40)
    """A name in ``archive.jobs.registry``."""
    parameters = models.JSONField(default=dict)
    study = models.ForeignKey("archive.Study", null=True, blank=True, on_delete=models.CASCADE, related_name="jobs")
    created_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    due_at = models.DateTimeField(null=True, blank=True)
    """Not before this moment: the pause before another try."""
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=32, blank=True)
    crashes = models.PositiveSmallIntegerField(default=0)
    done_steps = models.PositiveIntegerField(default=0)
    total_steps = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    """What is being done, or how it ended, in words a user can act on."""
    details = models.JSONField(default=dict, blank=True)
    """What a kind of job keeps of its own: results by SOP Instance UID. No names of people."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """Tries that ended in "later": the other side did not answer."""
    cancel_requested = models.BooleanField(default=False)
    coalescing_key = models.CharField(max_length=200, blank=True)
    """Two waiting jobs with the same key are one."""

    class Meta:
        indexes = [models.Index(fields=["state", "due_at", "id"], name="job_queue")]
        constraints = [
            models.UniqueConstraint(
                name="one_waiting_job_a_key",
                fields=["coalescing_key"],
                condition=Q(state="queued") & ~Q(coalescing_key=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
