"""What people are told: rows of the page's bell, and the outbox of mail and webhooks."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class Notification(models.Model):
    """One thing that one person is told of; it names no patient."""

    class Kind(models.TextChoices):
        CRITICAL = "critical", "A critical result awaits you"
        CRITICAL_REMINDER = "critical-reminder", "A critical result still awaits you"
        CRITICAL_ESCALATED = "critical-escalated", "A critical result was not acknowledged in time"
        ACKNOWLEDGED = "acknowledged", "A critical result was acknowledged"
        REPORT = "report", "A report awaits you"
        QUESTION = "question", "Somebody asks about a report of yours"
        ANSWER = "answer", "Your question was answered"
        DELEGATED = "delegated", "You stand in for a colleague"
        ASSIGNED = "assigned", "A study was given to you"
        OVERDUE = "overdue", "A study has not been read in time"
        MENTIONED = "mentioned", "A colleague named you in a remark"
        REMARK = "remark", "Somebody wrote in a discussion that you take part in"
        CONSULTED = "consulted", "A colleague asks you to look at a study"

    user = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=24, choices=Kind)
    study = models.ForeignKey("archive.Study", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    occasion = models.CharField(max_length=80)
    """What it came from: told twice of the same, a person has one row."""
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    is_in_page = models.BooleanField(default=True)
    """The person wants this kind on the bell."""

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["user"], name="notification_unread", condition=Q(read_at__isnull=True))]
        constraints = [
            models.UniqueConstraint(name="one_notification_an_occasion", fields=["user", "kind", "occasion"])
        ]

    def __str__(self) -> str:
        return f"notification {self.pk}"


class NotificationChoices(models.Model):
    """How one person wants to be told; no row: as ``viewer.notifying.choices`` begins."""

    class MailPace(models.TextChoices):
        AT_ONCE = "at-once", "at once, one mail each"
        DAILY = "daily", "once a day, all in one mail"
        OFF = "off", "not by mail"

    user = models.OneToOneField("archive.User", on_delete=models.CASCADE, related_name="notification_choices")
    channels = models.JSONField(default=dict, blank=True)
    """Kind -> channels that are on; a kind that is not there is as it began."""
    mail_pace = models.CharField(max_length=8, choices=MailPace, default=MailPace.AT_ONCE)
    """Of mail that is not urgent; critical results are always sent at once."""
    webhook_url = models.URLField(max_length=500, blank=True)
    webhook_secret = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "choices of notification"

    def __str__(self) -> str:
        return f"choices of notification {self.pk}"


class Delivery(models.Model):
    """The outbox: one message to be sent, written with what it tells of, kept until it was sent or given up."""

    class Channel(models.TextChoices):
        MAIL = "mail", "e-mail"
        WEBHOOK = "webhook", "webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "given up"
        DROPPED = "dropped", "no longer wanted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Goes with every try, so that a receiver can tell a repetition."""
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=16, choices=Channel)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["due_at"], name="delivery_waiting", condition=Q(state="waiting"))]
        constraints = [
            models.UniqueConstraint(name="one_delivery_a_channel", fields=["notification", "channel"]),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class DeliveryAttempt(models.Model):
    """One try, and how it ended, in words."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    tried_at = models.DateTimeField()
    is_success = models.BooleanField()
    message = models.CharField(max_length=300)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"attempt {self.pk}"
