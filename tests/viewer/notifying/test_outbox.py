"""The outbox: nothing is lost while mail server or webhook are away, nothing is sent twice, no patient is named."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from tests.viewer.notifying.test_webhook import receiver
from tests.viewer.worklist.studies import make_study
from viewer.models import Delivery, DeliveryAttempt, Notification, NotificationChoices
from viewer.notifying.choices import Channel, choose
from viewer.notifying.outbox import GIVEN_UP_AFTER, send_again, send_waiting
from viewer.notifying.telling import tell

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
Kind = Notification.Kind
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def make_due() -> None:
    """The pause before the next try is over."""
    Delivery.objects.filter(state="waiting").update(due_at=timezone.now())


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def states() -> list[str]:
    return list(Delivery.objects.order_by("created_at", "pk").values_list("state", flat=True))


def test_mail_says_that_something_awaits_and_where_and_names_no_patient(cast: Cast) -> None:
    study = make_study(1, name="DOE^Jane", patient_id="12345")
    tell([cast.referrer], Kind.CRITICAL, occasion="critical 1", study=study)
    assert send_waiting() == 1
    (message,) = mail.outbox
    link = f"/notifications/{Notification.objects.get().pk}/"
    assert (message.to, message.subject) == (["referrer@example.org"], "A critical result awaits you")
    assert link in message.body
    whole = str(message.message())
    assert not [word for word in ("DOE", "Jane", "12345", "2.25.1", "1972") if word in whole]


def test_told_twice_a_person_has_one_row_and_one_mail(cast: Cast) -> None:
    for _ in range(2):
        tell([cast.referrer, cast.referrer], Kind.CRITICAL, occasion="critical 1")
    assert (send_waiting(), send_waiting(), len(mail.outbox)) == (1, 0, 1)
    assert Notification.objects.count() == 1


def test_what_is_rolled_back_tells_nobody(cast: Cast) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        tell([cast.referrer], Kind.CRITICAL, occasion="critical 1")
        raise RuntimeError
    assert not Notification.objects.exists() and send_waiting() == 0


def test_a_mail_server_that_is_down_is_asked_once_a_run_and_loses_nothing(cast: Cast, settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", closed_port()
    tell([cast.referrer, cast.referrer2], Kind.CRITICAL, occasion="critical 1")
    assert send_waiting() == 0
    assert states() == ["waiting", "waiting"]
    (attempt,) = DeliveryAttempt.objects.all()
    assert (attempt.is_success, attempt.message) == (False, "The mail server failed: ConnectionRefusedError.")
    first = Delivery.objects.get(pk=attempt.delivery_id)
    assert timedelta(seconds=25) < first.due_at - timezone.now() <= timedelta(seconds=30)
    make_due()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send_waiting() == 2
    assert states() == ["sent", "sent"]


def test_pauses_grow_and_after_three_days_it_is_given_up_and_can_be_sent_again(cast: Cast, settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", closed_port()
    tell([cast.referrer], Kind.CRITICAL, occasion="critical 1")
    pauses = []
    for _ in range(3):
        make_due()
        send_waiting()
        pauses.append(round((Delivery.objects.get().due_at - timezone.now()).total_seconds() / 10))
    assert pauses == [3, 6, 12]
    Delivery.objects.update(created_at=timezone.now() - GIVEN_UP_AFTER - timedelta(minutes=1))
    make_due()
    send_waiting()
    assert states() == ["failed"]
    assert send_again(list(Delivery.objects.all())) == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert (send_waiting(), states()) == (1, ["sent"])
    assert DeliveryAttempt.objects.count() == 5


def test_a_webhook_is_signed_logged_and_tried_again_with_the_same_number(cast: Cast, settings: Settings) -> None:
    settings.PORTAL_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with receiver(500) as server:
        secret = choose(cast.referrer, {"report": ["webhook"]}, server.url)
        tell([cast.referrer], Kind.REPORT, occasion="report 1", study=make_study(1))
        assert send_waiting() == 0
        make_due()
        server.status = 200
        assert send_waiting() == 1
    first, second = server.received
    assert first[1]["X-Portal-Delivery"] == second[1]["X-Portal-Delivery"] == str(Delivery.objects.get().pk)
    assert first[1]["X-Portal-Signature"].startswith("v1=") and secret not in str(server.received)
    message = json.loads(second[2])
    assert (message["kind"], message["text"]) == ("report", "A report awaits you")
    assert set(message) == {"delivery", "kind", "text", "created_at", "link"}
    log = list(DeliveryAttempt.objects.values_list("is_success", "message"))
    assert log == [(False, "The receiver answered 500."), (True, "The receiver answered 200.")]


def test_a_webhook_into_our_own_network_is_given_up_at_once(cast: Cast) -> None:
    with receiver() as server:
        choose(cast.referrer, {"report": ["webhook"]}, f"https://127.0.0.1:{server.server_port}/")
        tell([cast.referrer], Kind.REPORT, occasion="report 1")
        send_waiting()
    assert (server.received, states()) == ([], ["failed"])


def test_who_left_or_has_no_address_any_more_is_sent_nothing(cast: Cast) -> None:
    tell([cast.referrer], Kind.CRITICAL, occasion="critical 1")
    cast.referrer.is_active = False
    cast.referrer.save()
    send_waiting()
    assert (states(), mail.outbox) == (["dropped"], [])
    tell([cast.referrer], Kind.CRITICAL, occasion="critical 2")
    assert Notification.objects.count() == 1


def test_each_kind_is_on_or_off_by_person_but_critical_results_stay_on_the_page(
    cast: Cast, client_of: ClientOf
) -> None:
    choose(cast.referrer, {"critical": [], "report": ["mail"]}, "")
    for kind in (Kind.CRITICAL, Kind.REPORT, Kind.ANSWER):
        tell([cast.referrer], kind, occasion="1")
        tell([cast.referrer2], kind, occasion="1")
    sent = set(Delivery.objects.values_list("notification__user__username", "notification__kind"))
    assert sent == {("referrer", "report"), ("referrer2", "critical"), ("referrer2", "answer")}
    assert client_of(cast.referrer).get("/notifications/count").json() == {"unread": 1}
    assert client_of(cast.referrer2).get("/notifications/count").json() == {"unread": 3}


def test_the_account_page_keeps_choices_and_shows_a_secret_once(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.referrer)
    chosen = {"report": ["page", "mail", "pigeon"], "webhook_url": "https://hooks.example.org/portal"}
    html = client.post("/account/notifications", chosen).content.decode()
    kept = NotificationChoices.objects.get()
    assert kept.webhook_secret in html and len(kept.webhook_secret) >= 43
    assert kept.channels["report"] == [Channel.MAIL, Channel.PAGE] and kept.channels["answer"] == []
    again = client.post("/account/notifications", chosen, follow=True).content.decode()
    assert kept.webhook_secret not in again and "How you are told is kept" in again
    refused = client.post("/account/notifications", {"webhook_url": "ftp://x"}, follow=True).content.decode()
    assert "Nothing was changed" in refused
    assert NotificationChoices.objects.get().channels == kept.channels


def test_the_list_is_one_s_own_and_is_marked_as_read(cast: Cast, client_of: ClientOf) -> None:
    tell([cast.referrer], Kind.REPORT, occasion="1", study=make_study(1))
    tell([cast.referrer], Kind.ANSWER, occasion="2")
    mine = Notification.objects.first()
    other = client_of(cast.referrer2)
    assert other.get(f"/notifications/{mine.pk}/").status_code == 404
    other.post("/notifications/seen", {"notification": mine.pk})
    client = client_of(cast.referrer)
    assert client.get("/notifications/count").json() == {"unread": 2}
    assert "A report awaits you" in client.get("/notifications/").content.decode()
    client.post("/notifications/seen", {"notification": mine.pk})
    assert client.get("/notifications/count").json() == {"unread": 1}
    client.post("/notifications/seen")
    assert client.get("/notifications/count").json() == {"unread": 0}
    assert client.post("/notifications/seen", {"notification": "x"}).status_code == 404


def test_a_link_in_mail_asks_to_sign_in_and_leads_to_what_it_tells_of(cast: Cast, client_of: ClientOf) -> None:
    from archive.models import Grant

    study = make_study(1)
    tell([cast.referrer, cast.reader], Kind.REPORT, occasion="1", study=study)
    numbers = dict(Notification.objects.values_list("user__username", "pk"))
    link = f"/notifications/{numbers['referrer']}/"
    assert client_of(None).get(link)["Location"].startswith("/accounts/login/?next=")
    assert client_of(cast.referrer).get(link)["Location"] == "/referrals/"  # the grant is over
    Grant.objects.create(user=cast.referrer, study=study)
    assert client_of(cast.referrer).get(link)["Location"] == "/referrals/2.25.1/"
    reader = client_of(cast.reader).get(f"/notifications/{numbers['reader']}/")
    assert reader["Location"] == "/studies/2.25.1/report/"


def test_the_bell_s_count_costs_three_queries_and_is_no_activity(
    cast: Cast, client_of: ClientOf, django_assert_num_queries: Callable
) -> None:
    client = client_of(cast.referrer)
    client.get("/notifications/count")
    with django_assert_num_queries(3):  # session, user, rows
        client.get("/notifications/count", headers={"X-Portal-Background": "1"})
