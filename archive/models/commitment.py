"""A request for storage commitment (PS3.4 annex J): what a peer asked about, and whether it was told."""

from django.db import models
from django.db.models import Q


class Commitment(models.Model):
    """One transaction of the Push Model; ``archive.dimse.storage_commitment`` answers it."""

    class State(models.TextChoices):
        WAITING = "waiting", "to be answered"
        REPORTED = "reported", "answered"
        GIVEN_UP = "given-up", "the peer could not be told"

    transaction_uid = models.CharField("Transaction UID", max_length=64)
    peer_ae_title = models.CharField("asked by", max_length=16)
    references = models.JSONField()
    """Pairs of SOP Class UID and SOP Instance UID, as asked."""
    result = models.JSONField(default=dict)
    """What was reported: counts of each, and the failures with their reasons."""
    is_duplicate = models.BooleanField(default=False)
    """Its Transaction UID had been used before: nothing is looked at, all of it fails with 0131."""
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    told_until = models.DateTimeField(null=True, blank=True)
    """Until then somebody is telling the peer; nobody else does."""
    requested_at = models.DateTimeField(auto_now_add=True)
    reported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_transaction_a_peer",
                fields=["peer_ae_title", "transaction_uid"],
                condition=Q(is_duplicate=False),
            )
        ]

    def __str__(self) -> str:
        return f"commitment {self.pk}"
