"""One thing that happened, after the event types of PS3.15 A.5; rows are only ever added."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def update(self, **_values: Any) -> NoReturn:
        raise TypeError("Audit events are only ever added.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit events are only ever added.")


class AuditEvent(models.Model):
    """Who did what to what, when, from where, and how it ended."""

    event_id = models.UUIDField(unique=True)
    """Given by who recorded it, so that a journal read twice adds nothing."""
    happened_at = models.DateTimeField(db_index=True)
    event = models.CharField(max_length=40, db_index=True)
    """A member of ``archive.audit.events.Event``."""
    outcome = models.CharField(max_length=16, default="success")
    user = models.ForeignKey(
        "archive.User", null=True, blank=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    actor = models.CharField(max_length=160, blank=True)
    """Account, AE title or process as it called itself."""
    address = models.CharField(max_length=64, blank=True)
    study_instance_uid = models.CharField(max_length=64, blank=True, db_index=True)
    subject = models.CharField(max_length=200, blank=True)
    """What else it was about: a UID, a row, an account."""
    details = models.JSONField(default=dict, blank=True)
    sealed_as = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    """Place in the hash chain (``archive.audit.chain``); empty until sealed."""
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("Audit events are only ever added.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("Audit events are only ever added.")
