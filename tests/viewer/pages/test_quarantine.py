"""The quarantine page: who sees what, what stands side by side, how decisions about one file and about many go."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, QuarantinedFile, Study
from archive.storage import layout
from tests.archive.receiving.sending import other_content, store
from tests.conftest import Cast
from tests.phantoms import ct_image, mr_image
from viewer.pages import quarantine as page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
UID = "2.25.4711"
PAGE = "/quarantine/"


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def held() -> QuarantinedFile:
    store(ct_image(SOPInstanceUID=UID, PatientName="Doe^Jane", StudyDescription="Chest"))
    store(other_content(SOPInstanceUID=UID, PatientName="Doe^Jane", StudyDescription="Abdomen"))
    return QuarantinedFile.objects.get()


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def decide(client: Client, row: QuarantinedFile, decision: str, **values: Any) -> Any:
    return client.post(f"{PAGE}{row.pk}/decide", {"decision": decision, **values})


def confirmed(client: Client, row: QuarantinedFile, decision: str, **values: Any) -> Any:
    return decide(client, row, decision, confirmed="1", reason="Sent twice by the scanner", **values)


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["reader", "referrer", "outsider"])
def test_for_others_the_page_does_not_exist(who: str, held: QuarantinedFile, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who))
    assert client.get(PAGE).status_code == 404
    assert confirmed(client, held, "drop").status_code == 404
    assert QuarantinedFile.objects.get().state == "held"


def test_nobody_signed_in_is_asked_to(client_of: ClientOf) -> None:
    assert client_of(None).get(PAGE).status_code == 302


def test_a_technologist_sees_and_decides_their_own_modality_only(cast: Cast, client_of: ClientOf) -> None:
    cast.technologist.modalities = ["MR"]
    cast.technologist.save()
    for make in (ct_image, mr_image):
        uid = f"2.25.1{len(make.__name__)}"
        ids = {"StudyInstanceUID": f"{uid}.1", "SeriesInstanceUID": f"{uid}.2", "PatientID": make.__name__}
        store(make(SOPInstanceUID=uid, **ids), hold_for_review=True)
    client = client_of(cast.technologist)
    content = text_of(client.get(PAGE))
    assert "mr_image" in content and "ct_image" not in content
    assert confirmed(client, QuarantinedFile.objects.get(modality="CT"), "drop").status_code == 404
    assert confirmed(client, QuarantinedFile.objects.get(modality="MR"), "drop").status_code == 302
    assert set(QuarantinedFile.objects.values_list("modality", "state")) == {("CT", "held"), ("MR", "dropped")}


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_what_is_stored_stands_beside_what_came(held: QuarantinedFile, cast: Cast, client_of: ClientOf) -> None:
    response = client_of(cast.technologist).get(PAGE)
    content = text_of(response)
    assert "Another image with this UID is already stored" in content
    assert "Name Doe, Jane Doe, Jane" in content
    assert "Description Chest Abdomen differs" in content
    assert "Replace the stored image" in content and "Keep both" in content and "Drop" in content


def test_each_look_is_on_record_without_a_name(held: QuarantinedFile, cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.admin).get(PAGE)
    event = AuditEvent.objects.get(event="identity-looked-at")
    assert (event.user, event.subject, event.details) == (cast.admin, "quarantine", {"rows": [held.pk]})


def test_texts_of_a_file_are_escaped(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(PatientName="<script>alert(1)</script>", PatientID='"><img src=x>'), hold_for_review=True)
    content = client_of(cast.admin).get(PAGE).content.decode()
    assert "<script>alert" not in content and "<img src=x>" not in content and "&lt;script&gt;" in content


def test_an_empty_page_says_what_would_be_here(cast: Cast, client_of: ClientOf) -> None:
    assert "Nothing is held back" in text_of(client_of(cast.admin).get(PAGE))
    assert "Nobody has decided" in text_of(client_of(cast.admin).get(PAGE + "?decided=1"))


def test_files_of_one_cause_are_one_group_and_filters_count_them(
    held: QuarantinedFile, cast: Cast, client_of: ClientOf
) -> None:
    ids = {"StudyInstanceUID": "2.25.61", "SeriesInstanceUID": "2.25.62"}
    store(ct_image(number=1, PatientID="A1", **ids))
    store(*[ct_image(number=n, PatientID="B2", **ids) for n in range(2, 7)])
    client = client_of(cast.admin)
    content = text_of(client.get(PAGE))
    assert "5 files" in content and "Held back 6" in content
    only = client.get(PAGE + "?reason=other-patient")
    assert len(only.context["groups"]) == 1 and only.context["groups"][0].count == 5
    assert client.get(PAGE + "?reason=nonsense&page=99&decided=x").status_code == 200


def test_the_page_asks_the_same_questions_about_few_and_many_files(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    client.get(PAGE)
    asked = []
    for start, end in ((0, 2), (2, 40)):
        store(*[ct_image(number=n, SOPInstanceUID=f"2.25.77{n}") for n in range(start, end)], hold_for_review=True)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PAGE).context["groups"][0].count == end
        asked.append(len(queries))
    assert asked[0] == asked[1]


# --- Decisions --------------------------------------------------------------------------------------------------------


def test_a_decision_is_confirmed_in_numbers_and_with_a_reason(
    held: QuarantinedFile, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.technologist)
    asked = decide(client, held, "drop")
    assert asked.status_code == 200
    assert "One file will be deleted for ever, 1" in text_of(asked).replace("\xa0", " ")
    assert layout.path_of(held.key).exists()
    without = decide(client, held, "drop", confirmed="1", reason=" no ")
    assert without.status_code == 400 and "at least 5 characters" in text_of(without)
    assert layout.path_of(held.key).exists()
    assert confirmed(client, held, "drop").status_code == 302
    assert QuarantinedFile.objects.get().state == "dropped"
    assert "1 file is decided" in text_of(client.get(PAGE))


@pytest.mark.parametrize(
    ("decision", "state", "instances"),
    [("replace", "replaced", 1), ("keep-both", "kept-both", 2), ("drop", "dropped", 1)],
)
def test_each_decision_is_carried_out(
    decision: str, state: str, instances: int, held: QuarantinedFile, cast: Cast, client_of: ClientOf
) -> None:
    confirmed(client_of(cast.technologist), held, decision)
    index_waiting_files()
    assert QuarantinedFile.objects.get().state == state
    assert Instance.objects.count() == instances
    assert Study.objects.get().held_back_count == 0


@pytest.mark.parametrize("decision", ["", "delete", "release", "put-back", "../drop"])
def test_what_cannot_be_decided_is_not_found(
    decision: str, held: QuarantinedFile, cast: Cast, client_of: ClientOf
) -> None:
    assert confirmed(client_of(cast.admin), held, decision).status_code == 404


def test_a_replacement_is_put_back_from_the_decided_ones(
    held: QuarantinedFile, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.technologist)
    digest = Instance.objects.get().data_set_digest
    confirmed(client, held, "replace")
    content = text_of(client.get(PAGE + "?decided=1"))
    assert "Put the former image back" in content and "Sent twice by the scanner" in content
    confirmed(client, held, "put-back")
    assert Instance.objects.get().data_set_digest == digest


@pytest.fixture
def five(cast: Cast) -> QuarantinedFile:
    store(*[ct_image(number=n, SOPInstanceUID=f"2.25.88{n}") for n in range(5)], hold_for_review=True)
    return QuarantinedFile.objects.order_by("-pk")[0]


def test_a_whole_group_is_decided_at_once(five: QuarantinedFile, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.technologist)
    assert "5 files will be stored as they came" in text_of(decide(client, five, "release"))
    confirmed(client, five, "release")
    assert index_waiting_files().added == 5
    assert "5 files are decided" in text_of(client.get(PAGE))


def test_what_comes_while_one_decides_is_not_decided_about(
    five: QuarantinedFile, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.technologist)
    decide(client, five, "drop")
    store(ct_image(number=9, SOPInstanceUID="2.25.889"), hold_for_review=True)
    confirmed(client, five, "drop")
    assert QuarantinedFile.objects.get(state="held").sop_instance_uid == "2.25.889"


def test_only_chosen_files_are_decided_about(five: QuarantinedFile, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.technologist)
    chosen = list(QuarantinedFile.objects.values_list("pk", flat=True)[1:3])
    assert "2 files will be deleted" in text_of(decide(client, five, "drop", file=chosen))
    confirmed(client, five, "drop", file=chosen)
    assert set(QuarantinedFile.objects.filter(state="dropped").values_list("pk", flat=True)) == set(chosen)


def test_a_file_of_another_group_cannot_be_slipped_in(five: QuarantinedFile, cast: Cast, client_of: ClientOf) -> None:
    store(mr_image(StudyInstanceUID="2.25.1", SeriesInstanceUID="2.25.2"), hold_for_review=True)
    other = QuarantinedFile.objects.get(modality="MR")
    confirmed(client_of(cast.technologist), five, "release", file=[other.pk])
    other.refresh_from_db()
    assert other.state == "held"


@pytest.mark.parametrize("number", ["x", "-1", "9" * 40, "1e3", "١"])
def test_numbers_that_are_none_touch_nothing(
    number: str, five: QuarantinedFile, cast: Cast, client_of: ClientOf
) -> None:
    response = confirmed(client_of(cast.technologist), five, "drop", file=[number], after=number, done=number)
    assert response.status_code == 302
    assert QuarantinedFile.objects.filter(state="held").count() == 5


def test_a_long_decision_goes_on_until_all_is_done(
    five: QuarantinedFile, cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "ANSWER_WITHIN_S", -1.0)
    client = client_of(cast.technologist)
    response = confirmed(client, five, "release")
    steps = 0
    while response.status_code == 200:
        steps += 1
        assert f"{steps} of 5 files are decided" in text_of(response)
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode())
        response = client.post(f"{PAGE}{five.pk}/decide", dict(fields))
    assert steps == 4
    assert "5 files are decided" in text_of(client.get(PAGE))
    assert index_waiting_files().added == 5


def test_refusals_are_counted_and_the_rest_is_done(five: QuarantinedFile, cast: Cast, client_of: ClientOf) -> None:
    for row in QuarantinedFile.objects.order_by("pk")[:2]:
        layout.path_of(row.key).unlink()
    client = client_of(cast.technologist)
    confirmed(client, five, "release")
    content = text_of(client.get(PAGE))
    assert "3 files are decided" in content and "2 files: Its file is missing" in content
