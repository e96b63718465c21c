"""The outbox: send what waits by mail and webhook; what cannot be sent now is tried again, and never lost.

A message is claimed by a conditional update that puts its next try beyond the lease, so
that two workers do not send it both and one that dies lets go of it. Who wants the mail of a
day in one gets it so: what is due for them is claimed, sent, put off or given up together.
"""

from __future__ import annotations

import json
import logging
import smtplib
import time
from collections import Counter
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from viewer.models import Delivery, DeliveryAttempt, Notification, NotificationChoices
from viewer.notifying.choices import URGENT, choices_of, is_put_together
from viewer.notifying.webhook import WebhookFailed, WebhookRefused, post_signed

logger = logging.getLogger(__name__)
State = Delivery.State
Kind = Notification.Kind

LEASE = timedelta(minutes=2)
"""Longer than any try takes."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)
"""A message older than this is given up; administrators see it and can send it again."""
STOP_AFTER_S = 120
"""One run ends after this long; the next goes on."""
MOST_A_RUN = 500
MOST_A_MAIL = 200


class NotWanted(Exception):
    """The person has no address any more, or left: nothing is to be sent."""


def pause_after(attempts: int) -> timedelta:
    """Pauses double, from half a minute to an hour.

    >>> [pause_after(number).total_seconds() for number in (1, 2, 3, 99)]
    [30.0, 60.0, 120.0, 3600.0]
    """
    return min(FIRST_PAUSE * 2 ** min(attempts - 1, 12), LONGEST_PAUSE)


def send_waiting() -> int:
    """Send what is due; returns how many were sent. A receiver that fails is asked once a run."""
    began = time.monotonic()
    failing: set[str] = set()
    sent = 0
    due = Delivery.objects.filter(state=State.WAITING, due_at__lte=timezone.now()).order_by("due_at")
    for delivery in due.select_related("notification__user")[:MOST_A_RUN]:
        if time.monotonic() - began > STOP_AFTER_S:
            break
        receiver = _receiver(delivery)
        if receiver in failing or not _claim(delivery):
            continue
        together = [delivery, *_others_of_the_day(delivery)]
        if _try(together):
            sent += len(together)
        else:
            failing.add(receiver)
    return sent


def _others_of_the_day(delivery: Delivery) -> list[Delivery]:
    """What goes into the same mail, claimed with it."""
    choices = choices_of(delivery.notification.user)
    if delivery.channel != Delivery.Channel.MAIL or not is_put_together(choices, Kind(delivery.notification.kind)):
        return []
    due = Delivery.objects.filter(
        notification__user=delivery.notification.user_id,
        channel=Delivery.Channel.MAIL,
        state=State.WAITING,
        due_at__lte=timezone.now(),
    ).exclude(notification__kind__in=URGENT)
    return [one for one in due.select_related("notification__user")[:MOST_A_MAIL] if _claim(one)]


def _receiver(delivery: Delivery) -> str:
    """What fails together: the mail server, or one person's webhook."""
    is_mail = delivery.channel == Delivery.Channel.MAIL
    return "mail" if is_mail else f"webhook of {delivery.notification.user_id}"


def _claim(delivery: Delivery) -> bool:
    now = timezone.now()
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.WAITING, due_at__lte=now)
    return bool(mine.update(due_at=now + LEASE, attempts=F("attempts") + 1))


def _try(together: list[Delivery]) -> bool:
    """One try of what goes out together; False where the receiver failed."""
    delivery = together[0]
    try:
        words = _send_mail(together) if delivery.channel == Delivery.Channel.MAIL else _send_webhook(delivery)
    except NotWanted as error:
        _keep_all(together, State.DROPPED, str(error))
        return True
    except WebhookRefused as error:
        _keep_all(together, State.FAILED, str(error))
        return True
    except (WebhookFailed, smtplib.SMTPException, OSError) as error:
        text = str(error) if isinstance(error, WebhookFailed) else f"The mail server failed: {type(error).__name__}."
        for one in together:
            _put_off(one, text)
        return isinstance(error, smtplib.SMTPRecipientsRefused)
    _keep_all(together, State.SENT, words)
    return True


def _keep_all(together: list[Delivery], state: Delivery.State, words: str) -> None:
    for one in together:
        _keep(one, state, words, is_success=state == State.SENT)


def _put_off(delivery: Delivery, words: str) -> None:
    is_over = timezone.now() - delivery.created_at > GIVEN_UP_AFTER
    due_at = timezone.now() + pause_after(delivery.attempts + 1)
    _keep(delivery, State.FAILED if is_over else State.WAITING, words, is_success=False, due_at=due_at)


@transaction.atomic
def _keep(
    delivery: Delivery, state: Delivery.State, words: str, *, is_success: bool, due_at: datetime | None = None
) -> None:
    now = timezone.now()
    DeliveryAttempt.objects.create(delivery=delivery, tried_at=now, is_success=is_success, message=words[:300])
    values = {"state": state, "due_at": due_at or now} | ({"sent_at": now} if is_success else {})
    Delivery.objects.filter(pk=delivery.pk, state=State.WAITING).update(**values)
    if state == State.FAILED:
        logger.error("a notification could not be sent", extra={"delivery": str(delivery.pk)})


def link_to(delivery: Delivery) -> str:
    """Where it is read: an address that needs signing in and names no patient."""
    return f"{settings.PORTAL_PUBLIC_URL}/notifications/{delivery.notification_id}/"


def _send_mail(together: list[Delivery]) -> str:
    first = together[0]
    user = first.notification.user
    if not user.is_active or not user.email:
        raise NotWanted("The person has no e-mail address any more, or no active account.")
    subject, body = _letter(first) if len(together) == 1 else _digest(together)
    EmailMessage(
        subject=subject,
        body=body,
        to=[user.email],
        headers={"Message-ID": f"<{first.pk}@{_host()}>", "Auto-Submitted": "auto-generated"},
    ).send()
    return "Taken by the mail server."


def _letter(delivery: Delivery) -> tuple[str, str]:
    """Subject and text of a mail about one thing."""
    label = delivery.notification.get_kind_display()
    return label, f"{label}.\n\nSign in to see it:\n{link_to(delivery)}\n"


def _digest(together: list[Delivery]) -> tuple[str, str]:
    """Subject and text of the mail of a day: how many of each kind, and where they are; no patient, no remark."""
    counts = Counter(one.notification.get_kind_display() for one in together)
    lines = "\n".join(f"- {label}{f' ({count})' if count > 1 else ''}" for label, count in counts.most_common())
    address = f"{settings.PORTAL_PUBLIC_URL}/notifications/"
    return f"{len(together)} things await you", f"{lines}\n\nSign in to see them:\n{address}\n"


def _host() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")


def _send_webhook(delivery: Delivery) -> str:
    notification = delivery.notification
    choices = NotificationChoices.objects.filter(user=notification.user_id).first()
    if choices is None or not choices.webhook_url or not notification.user.is_active:
        raise NotWanted("The person has no webhook any more, or no active account.")
    message = {
        "delivery": str(delivery.pk),
        "kind": notification.kind,
        "text": notification.get_kind_display(),
        "created_at": notification.created_at.isoformat(),
        "link": link_to(delivery),
    }
    status = post_signed(
        choices.webhook_url,
        json.dumps(message).encode("utf-8"),
        secret=choices.webhook_secret,
        delivery=str(delivery.pk),
        timestamp=int(time.time()),
        networks=[ip_network(text) for text in settings.PORTAL_WEBHOOK_NETWORKS],
    )
    return f"The receiver answered {status}."


@transaction.atomic
def send_again(deliveries: list[Delivery]) -> int:
    """Put what was given up back into the outbox; returns how many."""
    now = timezone.now()
    return Delivery.objects.filter(pk__in=[one.pk for one in deliveries], state=State.FAILED).update(
        state=State.WAITING, due_at=now, created_at=now
    )
