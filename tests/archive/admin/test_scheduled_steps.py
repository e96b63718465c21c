"""The modality worklist in the administration: what a clerk types becomes a step, and each step of it is audited."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from archive.access.permissions import give_administrators_their_permissions
from archive.models import AuditEvent, ScheduledStep, User
from tests.archive.scheduling.steps import make_step
from tests.conftest import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., Client]
LIST = "/admin/archive/scheduledstep/"
TYPED = {
    "patient_name": "DOE^JANE",
    "patient_id": "P-1",
    "patient_birth_date": "19720301",
    "patient_sex": "F",
    "priority": "STAT",
    "requested_procedure_description": "CT chest",
    "modality": "CT",
    "start_date": "20261124",
    "start_time": "0930",
}


@pytest.fixture
def administrator(cast: Cast) -> User:
    """An administrator by role, without Django's superuser status."""
    give_administrators_their_permissions()
    cast.admin.is_superuser = False
    cast.admin.save()
    return cast.admin


def test_a_clerk_fills_in_a_form_and_machines_get_their_identifiers(administrator: User, client_of: ClientOf) -> None:
    client = client_of(administrator)
    assert client.get(f"{LIST}add/").status_code == 200
    assert client.post(f"{LIST}add/", TYPED).status_code == 302
    step = ScheduledStep.objects.get()
    assert (step.patient_name, step.priority, step.state) == ("DOE^JANE", "STAT", "SCHEDULED")
    assert step.study_instance_uid.startswith("2.25.") and step.requested_procedure_id.startswith("RP")
    changed = TYPED | {
        "start_time": "1015",
        "study_instance_uid": step.study_instance_uid,
        "requested_procedure_id": step.requested_procedure_id,
        "scheduled_procedure_step_id": step.scheduled_procedure_step_id,
    }
    assert client.post(f"{LIST}{step.pk}/change/", changed).status_code == 302
    step.refresh_from_db()
    assert step.start_time == "1015"
    events = AuditEvent.objects.filter(event__startswith="order").order_by("pk")
    assert list(events.values_list("event", "user_id")) == [
        ("ordered", administrator.pk),
        ("order-changed", administrator.pk),
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("start_date", "24.11.2026"), ("modality", "computed"), ("study_instance_uid", "1..2")]
)
def test_what_cannot_be_is_said_beside_the_field(
    administrator: User, client_of: ClientOf, name: str, value: str
) -> None:
    answer = client_of(administrator).post(f"{LIST}add/", TYPED | {name: value})
    assert answer.status_code == 200 and name in answer.context["adminform"].form.errors
    assert not ScheduledStep.objects.exists()


def test_the_list_is_filtered_and_each_look_at_it_audited(administrator: User, client_of: ClientOf) -> None:
    make_step(patient_name="ADAMS^ADA")
    make_step(patient_name="BAKER^BOB", modality="MR", state="ARRIVED")
    client = client_of(administrator)
    for query, shown in (
        ("", {"ADAMS, ADA", "BAKER, BOB"}),
        ("?modality=MR", {"BAKER, BOB"}),
        ("?state__exact=SCHEDULED", {"ADAMS, ADA"}),
        ("?q=baker", {"BAKER, BOB"}),
    ):
        html = client.get(LIST + query).content.decode()
        assert {name for name in ("ADAMS, ADA", "BAKER, BOB") if name in html} == shown, query
    assert AuditEvent.objects.filter(event="identity-looked-at").count() == 4


def test_steps_are_taken_off_the_worklist_with_a_reason(administrator: User, client_of: ClientOf) -> None:
    step = make_step()
    client = client_of(administrator)
    asked = {"action": "discontinue", "_selected_action": [step.pk]}
    assert "Take off the worklist" in client.post(LIST, asked).content.decode()
    client.post(LIST, asked | {"confirmed": "1", "reason": "The patient has cancelled"})
    step.refresh_from_db()
    assert step.state == "DISCONTINUED"
    assert AuditEvent.objects.filter(event="step-moved", user=administrator).count() == 1


def test_nobody_else_comes_in(cast: Cast, client_of: ClientOf) -> None:
    for user in cast.everybody():
        if user != cast.admin:
            assert client_of(user).get(LIST).status_code in (302, 403, 404)
