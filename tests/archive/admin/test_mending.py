"""Mending, routing and sending from the administration: confirmed, in numbers, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from archive.models import AuditEvent, BreakGlass, Correction, Job, Patient, Route, Study
from tests.archive.exchange.conftest import peer
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_image, ct_series

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def jane() -> Study:
    store(*ct_series(2, PatientID="A1", PatientName="Doe^Jane"))
    store(ct_image(PatientID="B2", PatientName="Roe^Rick", StudyInstanceUID="2.25.8", SeriesInstanceUID="2.25.9"))
    return Study.objects.get(patient__patient_id="A1")


@pytest.fixture
def client(cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.admin)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_study_is_moved_after_a_preview_and_undone(jane: Study, client: Client) -> None:
    address = f"/admin/archive/study/{jane.pk}/move/"
    rick = Patient.objects.get(patient_id="B2")
    assert "Roe, Rick" in text(client.post(address, {"patient_id": "B2"}))
    seen = text(client.post(address, {"target": rick.pk}))
    assert "1 study, 1 series, 2 images" in seen and "outgoing images change in: patient ID, name" in seen
    assert not Correction.objects.exists()
    refused = client.post(address, {"target": rick.pk, "confirmed": "1", "reason": "no"})
    assert refused.status_code == 400 and "at least 5 characters" in text(refused)
    done = client.post(address, {"target": rick.pk, "confirmed": "1", "reason": "Wrong worklist entry"}, follow=True)
    correction = Correction.objects.get()
    assert f"correction {correction.pk}" in text(done)
    assert Study.objects.get(pk=jane.pk).patient == rick
    undoing = {"action": "undo", "_selected_action": [correction.pk], "reason": "Right entry", "confirmed": "1"}
    client.post("/admin/archive/correction/", undoing)
    assert Study.objects.get(pk=jane.pk).patient.patient_id == "A1"


def test_patients_are_merged_after_a_preview(jane: Study, client: Client) -> None:
    rick = Patient.objects.get(patient_id="B2")
    address = f"/admin/archive/patient/{jane.patient_id}/merge/"
    assert "1 study, 1 series, 2 images" in text(client.post(address, {"target": rick.pk}))
    client.post(address, {"target": rick.pk, "confirmed": "1", "reason": "One person, two IDs"})
    assert Study.objects.filter(patient=rick).count() == 2
    assert f"into patient {rick.pk}" in text(client.get("/admin/archive/patient/"))


def test_looking_for_a_patient_is_audited_and_a_wrong_id_said(jane: Study, client: Client) -> None:
    address = f"/admin/archive/study/{jane.pk}/move/"
    assert "No other patient has this ID" in text(client.post(address, {"patient_id": "NOBODY"}))
    event = AuditEvent.objects.filter(subject="patient to mend towards").get()
    assert event.details == {"patients": []}


def test_staff_without_the_role_do_not_mend(jane: Study, cast: Cast, client_of: ClientOf) -> None:
    cast.reader.is_staff = True
    cast.reader.save()
    answer = client_of(cast.reader).post(f"/admin/archive/study/{jane.pk}/move/", {"patient_id": "B2"})
    assert answer.status_code == 403


def test_a_rule_is_tried_on_the_last_day_without_sending(jane: Study, client: Client) -> None:
    route = Route.objects.create(name="CT to the workstation", peer=peer(104, "WS"), modality="CT")
    page = text(client.post("/admin/archive/route/", {"action": "try_out", "_selected_action": [route.pk]}))
    assert jane.study_instance_uid in page and "CT to the workstation" in page
    assert "Doe" not in page
    assert not Job.objects.filter(kind="send").exists()


def test_a_rule_is_made_and_every_change_audited(client: Client) -> None:
    there = peer(104, "WS")
    values = {
        "name": "night",
        "action": "forward",
        "trigger": "arrival",
        "peer": there.pk,
        "enabled": "on",
        "most_priors": 3,
        "weekdays": "67",
    }
    assert client.post("/admin/archive/route/add/", values).status_code == 302
    assert "Sat Sun" in text(client.get("/admin/archive/route/"))
    event = AuditEvent.objects.filter(event="rights-changed", subject__startswith="route").get()
    assert (event.details["what"], event.details["peer"]) == ("added", "WS")


def test_studies_are_sent_from_the_list_by_those_who_may_take_them_out(jane: Study, cast: Cast, client: Client) -> None:
    peer(104, "WS")
    asked = {
        "action": "send",
        "_selected_action": [jane.pk],
        "reason": "For the clinic",
        "choice": "WS",
        "confirmed": "1",
    }
    assert "open them in an emergency first" in text(client.post("/admin/archive/study/", asked, follow=True))
    assert not Job.objects.filter(kind="send").exists()
    BreakGlass.objects.create(
        user=cast.admin, study=jane, reason="Needed now", expires_at=timezone.now() + timedelta(hours=1)
    )
    client.post("/admin/archive/study/", asked)
    assert Job.objects.get(kind="send").parameters["ae_title"] == "WS"


def test_a_peer_that_a_rule_sends_to_is_not_deleted(client: Client) -> None:
    there = peer(104, "WS")
    Route.objects.create(name="night", peer=there)
    asked = {
        "action": "delete_with_reason",
        "_selected_action": [there.pk],
        "reason": "Gone for good",
        "confirmed": "1",
    }
    page = text(client.post("/admin/archive/peer/", asked, follow=True))
    assert "Nothing was deleted: still used by route night." in page
    assert not AuditEvent.objects.filter(event="rights-changed", details__what="deleted").exists()


def test_the_study_page_says_that_the_study_was_moved(
    jane: Study, cast: Cast, client: Client, client_of: ClientOf
) -> None:
    reader, address = client_of(cast.reader), f"/studies/{jane.study_instance_uid}/"
    words = "moved this study here from another patient"
    assert words not in text(reader.get(address))
    rick = Patient.objects.get(patient_id="B2")
    asked = {"target": rick.pk, "confirmed": "1", "reason": "Wrong worklist entry"}
    client.post(f"/admin/archive/study/{jane.pk}/move/", asked)
    assert words in text(reader.get(address))
