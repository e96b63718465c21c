"""Lists of cases: shared with a group, giving no right to a study, shown one after the other with names and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group

from archive.models import AuditEvent, Grant, Series, Study
from tests.archive.receiving.sending import store
from tests.journeys.sending import forget_what_was_drawn
from tests.phantoms import ct_series
from tests.viewer.sharing.conftest import NAMES
from viewer.models import Case, CaseList, ShareLink

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., "Client"]


@pytest.fixture
def studies(monkeypatch: pytest.MonkeyPatch) -> list[Study]:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    forget_what_was_drawn()
    for number in range(2):
        uids = {"StudyInstanceUID": f"2.25.{number + 501}", "SeriesInstanceUID": f"2.25.{number + 601}"}
        store(*ct_series(2, **(NAMES | uids)))
    found = list(Study.objects.order_by("pk"))
    assert len(found) == 2
    return found


@pytest.fixture
def board(cast: Cast) -> Group:
    """A group of two readers, a clinician and a technologist."""
    made = Group.objects.create(name="tumour board")
    made.user_set.add(cast.reader, cast.reader2, cast.referrer, cast.technologist)
    return made


@pytest.fixture
def kept(studies: list[Study], board: Group, cast: Cast, client_of: ClientOf) -> CaseList:
    """A list of the reader's, shared with the board, with both studies, the first as a view of it."""
    reader = client_of(cast.reader)
    reader.post("/lists/", {"name": "Tuesday", "kind": "conference", "group": board.pk})
    made = CaseList.objects.get()
    uid = Series.objects.filter(study=studies[0]).get().series_instance_uid
    for study, place in zip(studies, ({"view": f"layout=1x2&view={uid}~2~400,40&prior=1.2"}, {}), strict=True):
        answer = reader.post(f"/studies/{study.study_instance_uid}/lists", {"list": made.pk, "note": "Node?"} | place)
        assert answer.status_code == 302
    return made


def order(kept: CaseList) -> list[int]:
    return list(kept.cases.values_list("study", flat=True))


def test_members_of_the_group_see_add_order_and_annotate_but_only_the_keeper_renames(
    kept: CaseList, studies: list[Study], cast: Cast, client_of: ClientOf
) -> None:
    member = client_of(cast.reader2)
    assert "Tuesday" in member.get("/lists/").content.decode()
    first = kept.cases.order_by("position").first()
    assert first is not None
    member.post(f"/lists/{kept.pk}/cases/{first.pk}/down")
    assert order(kept) == [studies[1].pk, studies[0].pk]
    member.post(f"/lists/{kept.pk}/cases/{first.pk}/note", {"note": "<b>ask</b>"})
    assert "&lt;b&gt;ask" in member.get(f"/lists/{kept.pk}/").content.decode()
    assert member.post(f"/lists/{kept.pk}/", {"name": "Mine"}).status_code == 400
    assert member.post(f"/lists/{kept.pk}/remove").status_code == 404
    member.post(f"/lists/{kept.pk}/cases/{first.pk}/remove")
    assert order(kept) == [studies[1].pk]
    assert set(AuditEvent.objects.filter(event="list-changed").values_list("user__username", flat=True)) == {
        cast.reader.username,
        cast.reader2.username,
    }


def test_a_list_gives_no_right_to_its_studies(
    kept: CaseList, studies: list[Study], cast: Cast, client_of: ClientOf
) -> None:
    clinician = client_of(cast.referrer)
    page = clinician.get(f"/lists/{kept.pk}/").content.decode()
    assert "2 entries are about studies that you may not see" in page and "Secret" not in page
    case = kept.cases.get(study=studies[1])
    assert clinician.post(f"/lists/{kept.pk}/cases/{case.pk}/present").status_code == 404
    Grant.objects.create(user=cast.referrer, study=studies[1])
    page = clinician.get(f"/lists/{kept.pk}/").content.decode()
    assert "1 entry is about studies" in page and page.count("SEC-4711") == 1


def test_whoever_is_not_of_the_group_finds_no_list(kept: CaseList, cast: Cast, client_of: ClientOf) -> None:
    for who in (cast.referrer2, cast.outsider, cast.admin):
        client = client_of(who)
        assert client.get(f"/lists/{kept.pk}/").status_code == 404
        assert "Tuesday" not in client.get("/lists/").content.decode()


def test_a_list_is_deleted_and_brought_back(kept: CaseList, cast: Cast, client_of: ClientOf) -> None:
    keeper = client_of(cast.reader)
    keeper.post(f"/lists/{kept.pk}/remove")
    assert client_of(cast.reader2).get(f"/lists/{kept.pk}/").status_code == 404
    keeper.post(f"/lists/{kept.pk}/restore")
    assert client_of(cast.reader2).get(f"/lists/{kept.pk}/").status_code == 200
    assert kept.cases.count() == 2


@pytest.mark.parametrize(
    "values",
    [
        {"name": " "},
        {"name": "x" * 61},
        {"name": "Other", "kind": "party"},
        {"name": "Other", "group": "999"},
        {"list": "999"},
        {"name": "Other", "series": "1.2.3"},
        {"name": "Other", "view": "//elsewhere.example"},
        {"name": "Other", "note": "x" * 2001},
    ],
)
def test_what_cannot_be_put_on_a_list_is_refused(
    values: dict[str, str], studies: list[Study], cast: Cast, client_of: ClientOf
) -> None:
    answer = client_of(cast.reader).post(f"/studies/{studies[0].study_instance_uid}/lists", values)
    assert answer.status_code == 400
    assert not Case.objects.exists()


def test_the_same_view_stands_on_a_list_once(
    kept: CaseList, studies: list[Study], cast: Cast, client_of: ClientOf
) -> None:
    client_of(cast.reader2).post(f"/studies/{studies[1].study_instance_uid}/lists", {"list": kept.pk})
    assert order(kept) == [one.pk for one in studies]


def test_the_viewer_of_an_entry_leads_to_the_next_one(
    kept: CaseList, studies: list[Study], cast: Cast, client_of: ClientOf
) -> None:
    first, second = kept.cases.all()
    viewer = f"/studies/{studies[0].study_instance_uid}/viewer/?case={first.pk}"
    page = client_of(cast.reader).get(viewer).content.decode()
    assert "1 of 2" in page
    assert f"/studies/{studies[1].study_instance_uid}/viewer/?case={second.pk}" in page
    CaseList.objects.update(group=None)
    assert "1 of 2" not in client_of(cast.reader2).get(viewer).content.decode()


def test_a_presenter_steps_through_a_list_that_names_nobody(kept: CaseList, cast: Cast, client_of: ClientOf) -> None:
    presenter = client_of(cast.reader)
    first, second = kept.cases.all()
    shown = presenter.post(f"/lists/{kept.pk}/cases/{first.pk}/present")
    root, _, query = shown["Location"].partition("?")
    page = presenter.get(shown["Location"]).content.decode()
    text = page + presenter.get(f"{root}manifest.json").content.decode()
    uids = [*Study.objects.values_list("study_instance_uid", flat=True)]
    uids += [*Series.objects.values_list("series_instance_uid", flat=True)]
    assert [word for word in ("Secret", "Sally", "SEC-4711", "1972", "ACC-9", "Node?", *uids) if word in text] == []
    stack = presenter.get(f"{root}manifest.json").json()["stacks"][0]["stack"]
    assert query == f"layout=1x2&view={stack}~2~400,40"
    assert "1 of 2" in page and f"/lists/{kept.pk}/cases/{second.pk}/present" in page
    assert presenter.get(f"{root}tiles/{stack}/1/0/0/0.png").status_code == 200
    # Coming back is the same opening, and nobody else gets in by it.
    assert presenter.post(f"/lists/{kept.pk}/cases/{first.pk}/present")["Location"] == shown["Location"]
    assert ShareLink.objects.count() == 1
    assert client_of(cast.reader2).get(root).status_code == 404
    assert re.findall("list-presented", " ".join(AuditEvent.objects.values_list("event", flat=True))) != []


def test_who_may_not_share_does_not_show_without_names(
    kept: CaseList, studies: list[Study], cast: Cast, client_of: ClientOf
) -> None:
    technologist = client_of(cast.technologist)
    case = kept.cases.get(study=studies[1])
    assert technologist.get(f"/lists/{kept.pk}/").status_code == 200
    answer = technologist.post(f"/lists/{kept.pk}/cases/{case.pk}/present", follow=True)
    assert "cannot be shown without names" in answer.content.decode()
    assert not ShareLink.objects.exists()


def test_a_row_of_another_list_is_none_of_this_one(kept: CaseList, cast: Cast, client_of: ClientOf) -> None:
    other = CaseList.objects.create(name="Other", owner=cast.reader)
    case = kept.cases.first()
    assert case is not None
    for action in ("up", "note", "remove", "present"):
        assert client_of(cast.reader).post(f"/lists/{other.pk}/cases/{case.pk}/{action}").status_code == 404
