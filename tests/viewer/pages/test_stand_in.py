"""The form by which a clinician lets a colleague see their referrals: what it gives, for how long, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from archive.models import Delegation, Grant
from tests.viewer.worklist.studies import make_study
from viewer.models import Notification

if TYPE_CHECKING:
    from django.test import Client

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]


def form(cast: Cast, **values: object) -> dict[str, object]:
    today = timezone.localdate()
    return {"delegate": cast.referrer2.pk, "first": today, "last": today + timedelta(days=3)} | values


def test_a_colleague_sees_the_referrals_from_the_first_day_until_it_is_ended(cast: Cast, client_of: ClientOf) -> None:
    study = make_study(1, name="DOE^Jane")
    Grant.objects.create(user=cast.referrer, study=study)
    away, colleague = client_of(cast.referrer), client_of(cast.referrer2)
    assert "Doe" not in colleague.get("/referrals/").content.decode().title()
    page = away.post("/account/stand-in", form(cast), follow=True).content.decode()
    assert "sees your referrals from" in page and "End now" in page
    assert "Doe" in colleague.get("/referrals/").content.decode().title()
    assert Notification.objects.get().user == cast.referrer2
    made = Delegation.objects.get()
    last = timezone.localdate() + timedelta(days=3)
    assert timezone.localtime(made.ends_at).date() == last + timedelta(days=1)
    away.post(f"/account/stand-in/{made.pk}/end")
    assert "Doe" not in colleague.get("/referrals/").content.decode().title()


def test_nobody_ends_what_another_has_arranged(cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.referrer).post("/account/stand-in", form(cast))
    made = Delegation.objects.get()
    assert client_of(cast.referrer2).post(f"/account/stand-in/{made.pk}/end").status_code == 404
    made.refresh_from_db()
    assert made.ended_at is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"delegate": ""}, "Colleague:"),
        ({"delegate": "reader"}, "Colleague:"),
        ({"first": ""}, "From:"),
        ({"last": "tomorrow"}, "Until and including:"),
        ({"last": "2020-01-01"}, ""),
    ],
)
def test_what_cannot_be_arranged_is_said_and_arranges_nothing(
    values: dict[str, str], words: str, cast: Cast, client_of: ClientOf
) -> None:
    if values.get("delegate") == "reader":
        values = {"delegate": str(cast.reader.pk)}
    page = client_of(cast.referrer).post("/account/stand-in", form(cast, **values), follow=True).content.decode()
    assert "message-error" in page and words in page
    assert not Delegation.objects.exists()


def test_a_role_without_referrals_has_no_form(cast: Cast, client_of: ClientOf) -> None:
    assert "While you are away" not in client_of(cast.reader).get("/account/").content.decode()
