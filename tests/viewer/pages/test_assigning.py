"""Assigning, handing over and the next study as addresses: who may, what a refusal says, what rows then say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group

from archive.models import AuditEvent, Grant
from tests.viewer.worklist.studies import make_study
from viewer.models import AssignmentRule, ReadingTask, SavedFilter, TimeLimit

if TYPE_CHECKING:
    from django.test import Client

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
HTMX = {"HX-Request": "true"}


def test_who_may_assign_and_hand_over_by_role(cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=make_study(1))
    to = {"to": f"user {cast.reader2.pk}"}
    statuses = {
        user.username: tuple(
            client_of(user).post(address, to).status_code
            for address in ("/studies/2.25.1/assign", "/studies/2.25.1/hand-over", "/worklist/next")
        )
        for user in (cast.referrer2, cast.referrer, cast.technologist, cast.admin, cast.outsider, cast.reader)
    }
    assert statuses == {
        "referrer2": (404, 404, 403),
        "referrer": (403, 403, 403),
        "technologist": (403, 403, 403),
        "admin": (404, 404, 404),
        "outsider": (404, 404, 404),
        "reader": (200, 409, 409),
    }
    assert client_of(None).post("/studies/2.25.1/assign", to).status_code in (302, 401)
    assert ReadingTask.objects.get().assigned_to == cast.reader2


@pytest.mark.parametrize("action", ["studies/2.25.1/assign", "studies/2.25.1/hand-over", "worklist/next"])
def test_each_is_a_post_with_a_token(cast: Cast, client_of: ClientOf, action: str) -> None:
    make_study(1)
    assert client_of(cast.reader).get(f"/{action}").status_code == 405
    strict = client_of(cast.reader, enforce_csrf_checks=True)  # type: ignore[call-arg]
    assert strict.post(f"/{action}").status_code == 403


@pytest.mark.parametrize("to", ["user 999999", "user x", "group 1x", "nobody", "user " + "9" * 30, "=1+1"])
def test_nobody_is_assigned_to_who_is_not_here(cast: Cast, client_of: ClientOf, to: str) -> None:
    make_study(1)
    answer = client_of(cast.reader).post("/studies/2.25.1/assign", {"to": to})
    assert answer.status_code == 400
    assert "Accepted: a reader, a group of readers, or nobody." in answer.json()["error"]


def test_the_receiving_colleague_sees_what_was_handed_over_and_why(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    first, second = client_of(cast.reader), client_of(cast.reader2)
    seen = second.post("/worklist/rows", {}, headers=HTMX)["X-Worklist-Seen"]
    first.post("/studies/2.25.1/claim")
    assert "Hand over to" in first.get("/studies/2.25.1/preview").content.decode()
    answer = first.post("/studies/2.25.1/hand-over", {"to": f"user {cast.reader2.pk}"}).json()
    assert (answer["state"], answer["assigned_to"]) == ("unread", "Rudi Reader")
    html = second.post("/worklist/rows", {"seen": seen}, headers=HTMX).content.decode()
    assert "for you" in html and "handed over by Rita Reader" in html
    assert '<span id="count-mine" hx-swap-oob="true" class="worklist-count">1</span>' in html
    preview = second.get("/studies/2.25.1/preview").content.decode()
    assert "Waits for you: handed over by Rita Reader" in preview
    assert 'data-study="2.25.1"' in second.post("/worklist/rows", {"mine": "1"}, headers=HTMX).content.decode()


def test_a_group_s_studies_are_found_by_its_members(cast: Cast, client_of: ClientOf) -> None:
    neuro = Group.objects.create(name="neuro")
    cast.reader2.groups.add(neuro)
    make_study(1, task={"assigned_group": neuro})
    make_study(2, patient_id="P2")
    html = client_of(cast.reader2).get("/?group=1").content.decode()
    assert 'data-study="2.25.1"' in html and 'data-study="2.25.2"' not in html
    assert "for neuro" in html and "My groups" in html
    assert "My groups" not in client_of(cast.reader).get("/").content.decode()


def test_the_next_study_is_that_of_the_list_one_works_from(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    make_study(2, modality="MR", patient_id="P2")
    client = client_of(cast.reader)
    answer = client.post("/worklist/next", {"modality": "MR", "list": "0"}).json()
    assert (answer["study"], answer["viewer"]) == ("2.25.2", "/studies/2.25.2/viewer/")
    assert answer["claimed_by"] == "Rita Reader"
    refused = client.post("/worklist/next", {"modality": "MR"})
    assert refused.status_code == 409 and "within this filter" in refused.json()["error"]
    assert client.post("/worklist/next", {"open": "2.25.1"}).status_code == 409
    assert client.post("/worklist/next", {}).json()["study"] == "2.25.1"


def test_a_study_past_its_limit_says_so_in_words(cast: Cast, client_of: ClientOf) -> None:
    TimeLimit.objects.update(minutes=30)
    make_study(1)
    html = client_of(cast.reader).get("/?overdue=1").content.decode()
    assert "overdue" in html and "0:30 over" in html


# --- Administration -------------------------------------------------------------------------------------------------


def test_an_administrator_makes_rules_and_the_trail_says_what_held(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    values = {"name": "CT by day", "position": "1", "enabled": "on", "modality": "CT", "reader": str(cast.reader.pk)}
    assert client.post("/admin/viewer/assignmentrule/add/", values).status_code == 302
    rule = AssignmentRule.objects.get()
    event = AuditEvent.objects.get(event="rights-changed")
    assert (event.subject, event.details["conditions"], event.details["reader"]) == (
        f"assignment rule {rule.pk}",
        "CT",
        cast.reader.pk,
    )
    wrong = client.post("/admin/viewer/assignmentrule/add/", values | {"name": "x", "reader": "", "modality": "ct?"})
    assert wrong.status_code == 200 and b"would do nothing" in wrong.content
    make_study(1, study_description="Chest")
    tried = client.post(
        "/admin/viewer/assignmentrule/", {"action": "try_out", "_selected_action": str(rule.pk)}
    ).content.decode()
    assert "2.25.1" in tried and "Rita Reader" in tried and "rule “CT by day”: CT" in tried
    assert "DOE" not in tried and ReadingTask.objects.get().assigned_to is None
    assert (
        f"/admin/viewer/assignmentrule/{rule.pk}/history/"
        in client.get(f"/admin/viewer/assignmentrule/{rule.pk}/change/").content.decode()
    )


def test_a_limit_that_is_changed_in_the_administration_counts_at_once(cast: Cast, client_of: ClientOf) -> None:
    study = make_study(1)
    limit = TimeLimit.objects.get(priority=ReadingTask.Priority.ROUTINE)
    values = {"priority": "2", "modality": "", "minutes": "10"}
    assert client_of(cast.admin).post(f"/admin/viewer/timelimit/{limit.pk}/change/", values).status_code == 302
    task = ReadingTask.objects.get(study=study)
    assert task.due_at is not None and (task.due_at - task.waiting_since).total_seconds() == 600
    assert client_of(cast.admin).post("/admin/viewer/timelimit/add/", values | {"minutes": "0"}).status_code == 200


def test_an_administrator_assigns_rows_with_a_reason(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    make_study(2, patient_id="P2", task={"state": "read"})
    rows = [str(pk) for pk in ReadingTask.objects.values_list("pk", flat=True)]
    values = {"action": "assign_to", "_selected_action": rows}
    client = client_of(cast.admin)
    assert "To whom" in client.post("/admin/viewer/readingtask/", values).content.decode()
    chosen = {"confirmed": "1", "reason": "The colleague is ill.", "choice": f"user {cast.reader2.pk}"}
    done = client.post("/admin/viewer/readingtask/", values | chosen, follow=True).content.decode()
    assert "1 assigned to Rudi Reader." in done and "This study was read" in done
    event = AuditEvent.objects.get(event="assigned")
    assert (event.actor, event.details["reason"]) == ("admin", "The colleague is ill.")


def test_a_group_s_filter_is_checked_in_the_administration(cast: Cast, client_of: ClientOf) -> None:
    group = Group.objects.create(name="neuro")
    client = client_of(cast.admin)
    values = {"name": "Heads", "query": "?modality=MR&text=DOE", "group": str(group.pk), "columns": ["age"]}
    assert client.post("/admin/viewer/savedfilter/add/", values).status_code == 302
    assert SavedFilter.objects.get().query == "modality=MR"
    wrong = client.post("/admin/viewer/savedfilter/add/", values | {"name": "x", "query": "nothing=1"})
    assert wrong.status_code == 200 and b"The worklist knows none of this" in wrong.content
    neither = client.post("/admin/viewer/savedfilter/add/", values | {"name": "y", "group": ""})
    assert neither.status_code == 200


def test_radiologists_are_no_administrators_of_rules(cast: Cast, client_of: ClientOf) -> None:
    for name in ("assignmentrule", "timelimit", "savedfilter"):
        assert client_of(cast.reader).get(f"/admin/viewer/{name}/").status_code in (302, 403, 404)
