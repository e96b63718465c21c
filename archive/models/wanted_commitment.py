"""Storage commitment that we want of a peer (PS3.4 annex J) for what it was sent, and each time that it was asked."""

from django.db import models


class WantedCommitment(models.Model):
    """Instances that a peer is to take responsibility for; ``archive.exchange.committing`` asks and keeps the answers."""

    class State(models.TextChoices):
        WAITING = "waiting", "not answered yet"
        ANSWERED = "answered", "answered"
        GIVEN_UP = "given-up", "given up"

    peer_ae_title = models.CharField("asked of", max_length=16)
    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="+")
    sent_by = models.ForeignKey("archive.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """The job that sent them, whose results say what became of it."""
    references = models.JSONField()
    """Pairs of SOP Class UID and SOP Instance UID."""
    results = models.JSONField(default=dict)
    """By SOP Instance UID: 0 where it is committed, else the Failure Reason (0008,1197)."""
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    given_up = models.CharField(max_length=500, blank=True)
    """Why nobody is asked any more, in words."""
    wanted_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"wanted commitment {self.pk}"


class CommitmentTransaction(models.Model):
    """One N-ACTION: a report names its Transaction UID, however late it comes."""

    wanted = models.ForeignKey(WantedCommitment, on_delete=models.CASCADE, related_name="transactions")
    transaction_uid = models.CharField("Transaction UID", max_length=64, unique=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    reported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.transaction_uid
