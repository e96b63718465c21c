"""The mail of a day: one for a person, without a patient, nothing lost while the mail server is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import timezone

from tests.viewer.notifying.test_outbox import SMTP, closed_port, make_due, states
from tests.viewer.worklist.studies import make_study
from viewer.models import Delivery, Notification, NotificationChoices
from viewer.notifying.choices import choices_of, choose, next_digest
from viewer.notifying.outbox import send_waiting
from viewer.notifying.telling import tell

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from archive.models import User
    from tests.conftest import Cast

Kind = Notification.Kind
MAILED = {kind.value: ["page", "mail"] for kind in Kind}


def tell_of_three(cast: Cast) -> None:
    study = make_study(1, name="DOE^Jane", patient_id="12345")
    for occasion in ("one", "two"):
        tell([cast.reader], Kind.MENTIONED, occasion=occasion, study=study)
    tell([cast.reader], Kind.CONSULTED, occasion="three", study=study)


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-11-24 06:59", "2026-11-24 07:00"), ("2026-11-24 07:00", "2026-11-25 07:00")],
)
def test_the_day_s_mail_goes_out_at_seven_of_the_site(now: str, expected: str, settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        zone = ZoneInfo("Europe/Berlin")
        found = next_digest(datetime.fromisoformat(now).replace(tzinfo=zone))
        assert found.astimezone(zone).strftime("%Y-%m-%d %H:%M") == expected


def test_who_wants_one_mail_a_day_gets_one_for_all_of_it(cast: Cast) -> None:
    choose(cast.reader, MAILED, "", mail_pace="daily")
    tell_of_three(cast)
    assert send_waiting() == 0
    make_due()
    assert (send_waiting(), send_waiting()) == (3, 0)
    (message,) = mail.outbox
    assert message.subject == "3 things await you"
    assert "- A colleague named you in a remark (2)\n- A colleague asks you to look at a study\n" in message.body
    assert "/notifications/" in message.body
    assert not [word for word in ("DOE", "Jane", "12345", "2.25.1") if word in str(message.message())]
    assert states() == ["sent"] * 3


def test_a_mail_server_that_is_down_puts_the_day_s_mail_off_whole(cast: Cast, settings: Settings) -> None:
    choose(cast.reader, MAILED, "", mail_pace="daily")
    tell_of_three(cast)
    make_due()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", closed_port()
    assert send_waiting() == 0
    assert states() == ["waiting"] * 3
    assert all(one.due_at > timezone.now() + timedelta(seconds=20) for one in Delivery.objects.all())
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_due()
    assert (send_waiting(), len(mail.outbox), states()) == (3, 1, ["sent"] * 3)


@pytest.mark.parametrize("pace", ["daily", "off"])
def test_critical_results_are_mailed_at_once_whatever_the_pace(pace: str, cast: Cast) -> None:
    choose(cast.reader, MAILED, "", mail_pace=pace)
    tell([cast.reader], Kind.CRITICAL, occasion="critical 1")
    tell([cast.reader], Kind.MENTIONED, occasion="one")
    assert send_waiting() == 1
    assert [message.subject for message in mail.outbox] == ["A critical result awaits you"]
    assert Delivery.objects.count() == (2 if pace == "daily" else 1)


def test_the_account_page_keeps_the_pace(cast: Cast, client_of: Callable[[User | None], Client]) -> None:
    client = client_of(cast.reader)
    client.post("/account/notifications", {"mail_pace": "daily"})
    assert choices_of(cast.reader).mail_pace == NotificationChoices.MailPace.DAILY
    assert '<option value="daily" selected>' in client.get("/account/").content.decode()
    client.post("/account/notifications", {"mail_pace": "hourly"})
    assert choices_of(cast.reader).mail_pace == NotificationChoices.MailPace.AT_ONCE
