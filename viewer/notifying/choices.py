"""How a person wants to be told of each kind of news: on the page, by mail, by webhook."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from enum import StrEnum

from django.db import transaction

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import User
from viewer.models import Notification, NotificationChoices
from viewer.notifying.webhook import clean_url

Kind = Notification.Kind


class Channel(StrEnum):
    """Where news reaches a person."""

    PAGE = "page"
    MAIL = "mail"
    WEBHOOK = "webhook"


NAMES = frozenset(channel.value for channel in Channel)
URGENT = frozenset({Kind.CRITICAL, Kind.CRITICAL_REMINDER, Kind.CRITICAL_ESCALATED})
"""Always on the page: what waits for a person's acknowledgement cannot be switched off there."""
MAILED_AT_FIRST = URGENT | {Kind.QUESTION, Kind.ANSWER, Kind.DELEGATED}


def begins_with(kind: Notification.Kind) -> frozenset[Channel]:
    """Channels of a kind until the person has chosen."""
    if kind in MAILED_AT_FIRST:
        return frozenset(Channel)
    return frozenset({Channel.PAGE, Channel.WEBHOOK})


def choices_of(user: User) -> NotificationChoices:
    """The person's row, or one that was never saved."""
    return NotificationChoices.objects.filter(user=user).first() or NotificationChoices(user=user)


def channels_for(choices: NotificationChoices, kind: Notification.Kind) -> frozenset[Channel]:
    """Channels that a person has on for a kind."""
    kept = choices.channels.get(kind.value)
    chosen = begins_with(kind) if kept is None else frozenset(Channel(one) for one in kept if one in NAMES)
    return chosen | {Channel.PAGE} if kind in URGENT else chosen


@transaction.atomic
def choose(user: User, channels: Mapping[str, Collection[str]], webhook_url: str, *, address: str = "") -> str:
    """Keep a person's choices; returns the secret of a webhook whose address is new, shown this once.

    Raises
    ------
    WebhookRefused
        The address is no https address of another machine.
    """
    url = clean_url(webhook_url) if webhook_url.strip() else ""
    kept = choices_of(user)
    kept.channels = {kind.value: sorted(one for one in channels.get(kind.value, ()) if one in NAMES) for kind in Kind}
    secret = ""
    if url != kept.webhook_url:
        secret = secrets.token_urlsafe(32) if url else ""
        kept.webhook_url, kept.webhook_secret = url, secret
    kept.save()
    record_event(
        Event.NOTIFICATIONS_CHANGED,
        user=user,
        address=address,
        details={"channels": kept.channels, "has_webhook": bool(url), "new_webhook": bool(secret)},
    )
    return secret
