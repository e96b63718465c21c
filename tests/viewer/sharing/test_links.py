"""Links: who may make one, what ends one, and that every end looks the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from archive.models import AuditEvent, Grant, Study
from viewer.models import ShareLink, ShareOpening, SharePolicy

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True)]
Make = Callable[..., str]
Visit = Callable[..., "tuple[Client, str]"]
ClientOf = Callable[..., "Client"]


def test_the_secret_is_256_bits_and_nowhere_kept(make: Make) -> None:
    secret = make().split("/")[2]
    link = ShareLink.objects.get()
    assert len(secret) == 43  # 32 bytes in base64 without padding
    assert secret not in str(ShareLink.objects.values().get())
    assert secret not in str(list(AuditEvent.objects.values()))
    assert len(link.digest) == 64


def test_a_guessed_and_every_ended_link_get_one_and_the_same_answer(
    make: Make, study: Study, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    path = make()
    client = client_of(None)
    caplog.set_level(logging.DEBUG)
    guessed = client.get("/s/" + "A" * 43 + "/")
    now = timezone.now()
    ends: list[dict[str, Any]] = [
        {"revoked_at": now},
        {"expires_at": now - timedelta(seconds=1)},
        {"starts_at": now + timedelta(hours=1)},
        {"most_views": 1, "views": 1},
        {"wrong_passcodes": 5},
    ]
    open_values = {"revoked_at": None, "expires_at": now + timedelta(days=1), "starts_at": None}
    open_values |= {"most_views": None, "views": 0, "wrong_passcodes": 0}  # type: ignore[dict-item]
    for end in ends:
        ShareLink.objects.update(**(open_values | end))
        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer.content) == (404, guessed.content), end
    ShareLink.objects.update(**open_values)
    assert client.get(path).status_code == 200
    assert path.split("/")[2] not in caplog.text


def test_looking_at_the_link_uses_no_view_up_and_opening_it_does(make: Make, visit: Visit, client_of: ClientOf) -> None:
    path = make(most_views="2")
    client_of(None).get(path)
    assert ShareLink.objects.get().views == 0
    visit(path)
    visit(path)
    assert client_of(None).post(path).status_code == 404
    assert ShareOpening.objects.count() == 2
    assert AuditEvent.objects.filter(event="link-opened").count() == 2


def test_the_fifth_wrong_passcode_ends_the_link_also_for_the_right_one(make: Make, client_of: ClientOf) -> None:
    path = make(passcode="open sesame")
    client = client_of(None)
    assert "open sesame" not in ShareLink.objects.get().passcode
    for _ in range(4):
        assert "not the passcode" in client.post(path, {"passcode": "wrong"}).content.decode()
    assert client.post(path, {"passcode": "wrong"}).status_code == 404
    assert client.post(path, {"passcode": "open sesame"}).status_code == 404
    assert AuditEvent.objects.filter(event="link-refused").count() == 5


def test_the_right_passcode_opens(make: Make, visit: Visit) -> None:
    client, root = visit(make(passcode="open sesame"), passcode="open sesame")
    assert client.get(f"{root}/").status_code == 200


def test_an_open_page_dies_at_its_next_request(
    make: Make, visit: Visit, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    client, root = visit(make())
    stack = client.get(f"{root}/manifest.json").json()["stacks"][0]["stack"]
    addresses = [f"{root}/alive", f"{root}/manifest.json", f"{root}/stacks/{stack}/manifest.json"]
    addresses += [f"{root}/tiles/{stack}/1/0/0/0.png", f"{root}/stacks/{stack}/thumbnail.png", f"{root}/"]
    assert [client.get(one).status_code for one in addresses] == [200] * 6
    link = ShareLink.objects.get()
    client_of(cast.reader).post(f"/studies/{study.study_instance_uid}/share/{link.pk}/revoke")
    answers = [client.get(one) for one in addresses]
    assert [one.status_code for one in answers] == [404] * 6
    assert {one["Clear-Site-Data"] for one in answers} == {'"cache"'}
    assert AuditEvent.objects.filter(event="link-ended", user_id=cast.reader.pk).count() == 1


def test_another_browser_cannot_use_an_opening(make: Make, visit: Visit, client_of: ClientOf) -> None:
    _, root = visit(make())
    assert client_of(None).get(f"{root}/manifest.json").status_code == 404


def test_a_link_shows_no_more_than_its_maker_may_show_now(make: Make, visit: Visit, study: Study, cast: Cast) -> None:
    grant = Grant.objects.create(user=cast.referrer, study=study)
    client, root = visit(make(cast.referrer))
    assert client.get(f"{root}/alive").status_code == 200
    grant.delete()
    assert client.get(f"{root}/alive").status_code == 404


def test_a_link_of_a_disabled_account_opens_nothing(make: Make, visit: Visit, cast: Cast) -> None:
    client, root = visit(make())
    cast.reader.is_active = False
    cast.reader.save()
    assert client.get(f"{root}/alive").status_code == 404


@pytest.mark.parametrize("who", ["technologist", "admin", "referrer2", "outsider"])
def test_who_may_not_share_finds_no_such_page(who: str, study: Study, cast: Cast, client_of: ClientOf) -> None:
    address = f"/studies/{study.study_instance_uid}/share"
    client = client_of(getattr(cast, who))
    assert client.get(address).status_code == 404
    assert client.post(address, {"recipient": "x", "days": "1"}).status_code == 404
    assert client.get(f"/studies/{study.study_instance_uid}/masks").status_code == 404


def test_a_clinician_shares_their_own_patients_for_a_week_at_most(
    study: Study, cast: Cast, client_of: ClientOf, make: Make
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    address = f"/studies/{study.study_instance_uid}/share"
    refused = client_of(cast.referrer).post(address, {"recipient": "x", "days": "8"})
    assert refused.status_code == 400 and "1 to 7 days" in refused.content.decode()
    make(cast.referrer, days="7")
    assert ShareLink.objects.get().expires_at < timezone.now() + timedelta(days=7, minutes=1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"recipient": " "}, "whom the link is for"),
        ({"days": "91"}, "1 to 90 days"),
        ({"days": "x"}, "whole number"),
        ({"passcode": "short"}, "at least 6"),
        ({"what": "series"}, "at least one series"),
        ({"what": "series", "series": ["1.2.3"]}, "not in this study"),
        ({"what": "images"}, "no key images"),
        ({"deidentified": "1", "report": "1"}, "names people"),
        ({"starts_at": "2026-13-45T99:00"}, "date and a time"),
    ],
)
def test_what_cannot_become_a_link_is_said(
    values: dict[str, Any], words: str, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    form = {"recipient": "Dr Visitor", "days": "7", "what": "all"} | values
    answer = client_of(cast.reader).post(f"/studies/{study.study_instance_uid}/share", form)
    assert answer.status_code == 400 and words in answer.content.decode()
    assert not ShareLink.objects.exists()


def test_the_policy_of_the_site_is_kept(study: Study, cast: Cast, client_of: ClientOf) -> None:
    SharePolicy.objects.create(pk=1, passcode_required=True, longest_days=3)
    address = f"/studies/{study.study_instance_uid}/share"
    client = client_of(cast.reader)
    assert "wants a passcode" in client.post(address, {"recipient": "x", "days": "3"}).content.decode()
    SharePolicy.objects.update(radiologists_may_share=False)
    assert client.get(address).status_code == 404


def test_the_sharer_sees_who_has_opened_it_and_when(
    make: Make, visit: Visit, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    visit(make())
    page = client_of(cast.reader).get(f"/studies/{study.study_instance_uid}/share").content.decode()
    assert "Dr Visitor" in page and "opened 1 time" in page and "127.0.0.1" in page


def test_a_name_with_markup_stays_text(make: Make, visit: Visit, study: Study, cast: Cast, client_of: ClientOf) -> None:
    path = make(recipient="<script>alert(1)</script>")
    for page in (client_of(None).get(path), client_of(cast.reader).get(f"/studies/{study.study_instance_uid}/share")):
        assert b"<script>alert" not in page.content
