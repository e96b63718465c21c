"""The arrivals page: what is expected today against what has come, "complete", and who may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from archive.models import AuditEvent, PerformedSeries, PerformedStep, PerformedStudy, QuarantinedFile, Study
from archive.models.scheduled_step import ScheduledStep
from tests.archive.scheduling.steps import make_step
from tests.conftest import Cast
from tests.viewer.worklist.studies import make_study
from viewer.arrivals.board import board_of
from viewer.arrivals.entries import Part

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., Client]


def today() -> str:
    return f"{timezone.localdate():%Y%m%d}"


def step_today(**values: Any) -> ScheduledStep:
    return make_step(**{"start_date": today()} | values)


def came_for(step: ScheduledStep, number: int, **values: Any) -> Study:
    study = make_study(number, arrived_ago=timedelta(seconds=5), **values)
    ScheduledStep.objects.filter(pk=step.pk).update(study_instance_uid=study.study_instance_uid)
    step.refresh_from_db()
    return study


def held(study: Study, count: int = 2) -> None:
    for number in range(count):
        QuarantinedFile.objects.create(
            key=f"k{number}",
            size=1,
            reason="other-patient",
            explanation="x",
            study_instance_uid=study.study_instance_uid,
            modality="CT",
            door="dimse",
            received_at=timezone.now(),
        )


def made(study: Study, images: int, series: int, *, state: str = "COMPLETED") -> None:
    """What the modality says it made."""
    step = PerformedStep.objects.create(sop_instance_uid=f"{study.study_instance_uid}.9", state=state)
    PerformedStudy.objects.create(step=step, study_instance_uid=study.study_instance_uid)
    for number in range(series):
        PerformedSeries.objects.create(step=step, series_instance_uid=f"2.25.{number}")
    Study.objects.filter(pk=study.pk).update(expected_instance_count=images)


def entry_in(html: str, key: str) -> str:
    """One examination of the page as words."""
    found = re.search(rf'<article[^>]*id="arrival-{re.escape(key)}".*?</article>', html, re.DOTALL)
    assert found, html
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", found[0], flags=re.DOTALL).split())


def test_the_page_exists_for_technologists_alone(cast: Cast, client_of: ClientOf) -> None:
    study = came_for(step_today(), 1)
    paths = ("/arrivals/", "/arrivals/board")
    for user in cast.everybody():
        expected = 200 if user == cast.technologist else 404
        assert [client_of(user).get(path).status_code for path in paths] == [expected, expected], user
        if user != cast.technologist:
            complete = f"/arrivals/{study.study_instance_uid}/complete"
            assert client_of(user).post(complete).status_code == 404
    assert client_of(None).get("/arrivals/").status_code == 302
    assert Study.objects.get().completed_at is None


def test_another_modality_is_neither_shown_nor_completed(cast: Cast, client_of: ClientOf) -> None:
    step_today(modality="US", patient_name="OTHER^ROOM")
    study = make_study(1, modality="US")
    client = client_of(cast.technologist)
    assert "OTHER" not in client.get("/arrivals/").content.decode()
    assert client.post(f"/arrivals/{study.study_instance_uid}/complete").status_code == 404


def test_an_examination_counts_up_against_what_its_modality_made(cast: Cast, client_of: ClientOf) -> None:
    step = step_today(patient_name="DOE^Jane", scheduled_procedure_step_location="CT 2", priority="STAT")
    study = came_for(step, 1, instance_count=10, series_count=2, ready=False)
    made(study, 12, 3, state="IN PROGRESS")
    words = entry_in(client_of(cast.technologist).get("/arrivals/").content.decode(), study.study_instance_uid)
    assert words.startswith("STAT 09:30 DOE, Jane 12345 · 1972-03-01 · 54Y F CT chest CT 2")
    assert "10 / 12 images 2 / 3 series · arriving Complete Look" in words
    assert "button-primary" not in client_of(cast.technologist).get("/arrivals/").content.decode()
    Study.objects.update(ready_at=timezone.now())
    PerformedStep.objects.update(state="COMPLETED")
    words = entry_in(client_of(cast.technologist).get("/arrivals/").content.decode(), study.study_instance_uid)
    assert "2 / 3 series · 2 missing" in words


def test_what_is_expected_and_what_nobody_ordered_stand_on_the_board(cast: Cast) -> None:
    step_today(start_time="1400", patient_name="LATE^LEA")
    step_today(start_time="0800", patient_name="EARLY^EVA", state="ARRIVED")
    make_step(start_date="20200101", patient_name="LONG^AGO")
    step_today(state="DISCONTINUED", patient_name="STAYED^AWAY")
    make_study(5, name="WALK^In", patient_id="W1", arrived_ago=timedelta(seconds=5))
    Study.objects.update(study_date=today())
    make_study(6, name="PRIOR^Pat", patient_id="W2", arrived_ago=timedelta(seconds=3))
    Study.objects.filter(patient_name="PRIOR^Pat").update(study_date="20200101")
    board = board_of(cast.technologist)
    assert [(entry.part, entry.who.name, entry.what.state) for entry in board.entries] == [
        (Part.NOW, "WALK, In", ""),
        (Part.EXPECTED, "EARLY, EVA", "patient is here"),
        (Part.EXPECTED, "LATE, LEA", "expected"),
        (Part.OLDER, "PRIOR, Pat", ""),
    ]
    assert board.entries[0].what.is_unscheduled


def test_a_study_finds_its_step_by_accession_only_for_the_same_patient(cast: Cast) -> None:
    step_today(accession_number="A1", patient_id="P-4711")
    step_today(accession_number="A2", patient_id="somebody else")
    make_study(1, accession_number="A1", patient_id="P-4711", arrived_ago=timedelta(seconds=5))
    make_study(2, accession_number="A2", patient_id="99887", arrived_ago=timedelta(seconds=9))
    Study.objects.update(study_date=today())
    parts = [(entry.part, entry.what.is_unscheduled) for entry in board_of(cast.technologist).entries]
    assert parts == [(Part.NOW, False), (Part.NOW, True), (Part.EXPECTED, False)]


def test_who_was_expected_and_who_came_stand_side_by_side_where_they_differ(cast: Cast, client_of: ClientOf) -> None:
    step = step_today(patient_name="DOE^JANE", patient_id="12345", patient_birth_date="19720301")
    study = came_for(step, 1, name="ROE^Jane", patient_id="54321")
    held(study)
    words = entry_in(client_of(cast.technologist).get("/arrivals/").content.decode(), study.study_instance_uid)
    assert "2 held back: names another patient than the study it belongs to Decide" in words
    assert "Name DOE, JANE ROE, Jane differs ID 12345 54321 differs Born 1972-03-01 1972-03-01 Sex F F" in words


@pytest.mark.parametrize(("ordered", "came"), [("DOE^JANE^^^", "Doe^Jane"), ("Yamada^Tarou=山田^太郎", "YAMADA^TAROU")])
def test_what_agrees_is_not_repeated(cast: Cast, client_of: ClientOf, ordered: str, came: str) -> None:
    study = came_for(step_today(patient_name=ordered), 1, name=came)
    words = entry_in(client_of(cast.technologist).get("/arrivals/").content.decode(), study.study_instance_uid)
    assert "does not agree" not in words


def test_complete_is_one_button_audited_and_can_be_taken_back(cast: Cast, client_of: ClientOf) -> None:
    step = step_today()
    study = came_for(step, 1)
    client = client_of(cast.technologist)
    path = f"/arrivals/{study.study_instance_uid}"
    assert client.post(f"{path}/complete")["Location"] == "/arrivals/"
    study.refresh_from_db()
    step.refresh_from_db()
    assert (study.completed_by, step.state) == (cast.technologist, "COMPLETED")
    assert "Complete said Tom Technologist" in entry_in(
        client.get("/arrivals/").content.decode(), study.study_instance_uid
    )
    html = client.post(f"{path}/reopen", headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith("<div") and "Undo" not in html
    study.refresh_from_db()
    step.refresh_from_db()
    assert (study.completed_at, study.completed_by, step.state) == (None, None, "STARTED")
    events = AuditEvent.objects.filter(event__startswith="study-").order_by("pk").values_list("event", "user_id")
    assert list(events) == [("study-completed", cast.technologist.pk), ("study-reopened", cast.technologist.pk)]


def test_complete_is_said_on_the_worklist_and_the_study_s_page(cast: Cast, client_of: ClientOf) -> None:
    study = came_for(step_today(), 1)
    made(study, 12, 1)
    client_of(cast.technologist).post(f"/arrivals/{study.study_instance_uid}/complete")
    client = client_of(cast.reader)
    row = re.search(r'<td class="col-images">(.*?)</td>', client.get("/").content.decode(), re.DOTALL)
    assert row and " ".join(re.sub(r"<[^>]*>", " ", row[1]).split()) == "10 / 12 complete"
    page = client.get(f"/studies/{study.study_instance_uid}/").content.decode()
    assert "10 of 12 that the modality made" in page and "said Tom Technologist at" in page


def test_a_look_at_a_board_that_has_not_changed_is_answered_204(cast: Cast, client_of: ClientOf) -> None:
    study = came_for(step_today(), 1)
    client = client_of(cast.technologist)
    seen = re.search(r'"seen": "([0-9a-f]{32})"', client.get("/arrivals/").content.decode())
    assert seen
    assert client.get("/arrivals/board", {"seen": seen[1]}).status_code == 204
    Study.objects.filter(pk=study.pk).update(instance_count=11)
    answer = client.get("/arrivals/board", {"seen": seen[1]})
    assert answer.status_code == 200 and ">11<" in answer.content.decode()


def test_a_room_narrows_the_board(cast: Cast, client_of: ClientOf) -> None:
    step_today(scheduled_procedure_step_location="CT 1", patient_name="ONE^A")
    step_today(scheduled_procedure_step_location="CT 2", patient_name="TWO^B")
    html = client_of(cast.technologist).get("/arrivals/", {"room": "CT 2"}).content.decode()
    assert "TWO, B" in html and "ONE, A" not in html
    assert "ONE, A" in client_of(cast.technologist).get("/arrivals/", {"room": "no such room"}).content.decode()


def test_an_empty_board_says_what_will_appear(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.technologist)
    assert "Nothing is expected today" in client.get("/arrivals/").content.decode()
    cast.technologist.modalities = []
    cast.technologist.save()
    assert "No modality is entered" in client.get("/arrivals/").content.decode()


def test_text_of_an_order_is_escaped(cast: Cast, client_of: ClientOf) -> None:
    step_today(patient_name="<b>^<script>", requested_procedure_description="<img src=x>")
    html = client_of(cast.technologist).get("/arrivals/").content.decode()
    assert "<script>," not in html and "<img src=x>" not in html and "&lt;img src=x&gt;" in html


def test_the_board_asks_as_many_queries_for_many_as_for_one(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 13):
        study = came_for(step_today(), number)
        made(study, 10, 1)
    with django_assert_max_num_queries(10):
        assert len(board_of(cast.technologist).entries) == 12


def test_priority_comes_from_the_order_when_images_arrive(portal_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.archive.receiving.sending import store
    from tests.phantoms import STUDY_INSTANCE_UID, ct_image
    from viewer.models import ReadingTask

    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    step = make_step(study_instance_uid=STUDY_INSTANCE_UID, priority="STAT", patient_id="PHANTOM-1")
    other = make_step(accession_number="A77", priority="HIGH", patient_id="somebody else")
    store(ct_image(), ct_image(StudyInstanceUID="2.25.5", SeriesInstanceUID="2.25.6", AccessionNumber="A77"))
    priorities = dict(ReadingTask.objects.values_list("study__study_instance_uid", "priority"))
    assert priorities == {
        STUDY_INSTANCE_UID: ReadingTask.Priority.STAT,
        "2.25.5": ReadingTask.Priority.ROUTINE,
    }
    step.refresh_from_db()
    other.refresh_from_db()
    assert (step.state, other.state) == ("STARTED", "SCHEDULED")
