"""Whom a study waits for: by hand, handed over, by rule; and whose word about its priority stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from archive.models import AuditEvent, Instance, Peer, ScheduledStep, Series, Study
from archive.scheduling.orders import Source as OrderSource
from archive.scheduling.orders import put_step
from archive.signals import study_quiet
from tests.viewer.worklist.studies import make_study
from viewer.models import AssignmentRule, ReadingTask
from viewer.signals import study_assigned
from viewer.worklist import claiming
from viewer.worklist.assigning import Assignee, NoReader, assign, decide, hand_over, reader_groups
from viewer.worklist.claiming import AlreadyRead, Change, ClaimedByAnother, ClaimLost, NotYours
from viewer.worklist.rules import Facts, fits

if TYPE_CHECKING:
    from tests.conftest import Cast

Priority = ReadingTask.Priority
Source = ReadingTask.PrioritySource


@pytest.fixture
def study(db: None) -> Study:
    return make_study(1, study_description="CT chest", institution_name="Ward 7")


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """What is announced to whoever notifies."""
    heard: list[dict[str, Any]] = []

    def listen(**said: Any) -> None:
        heard.append({name: said[name] for name in ("study_id", "user_ids", "because")})

    study_assigned.connect(listen, weak=False, dispatch_uid="test")
    yield heard
    study_assigned.disconnect(dispatch_uid="test")


def task_of(study: Study) -> ReadingTask:
    return ReadingTask.objects.get(study=study)


def events(study: Study) -> list[tuple[str, str, dict[str, Any]]]:
    found = AuditEvent.objects.filter(study_instance_uid=study.study_instance_uid).order_by("pk")
    return list(found.values_list("event", "actor", "details"))


@pytest.fixture
def neuro(cast: Cast) -> Group:
    group = Group.objects.create(name="neuro")
    cast.reader2.groups.add(group)
    return group


def order(study: Study, priority: str = "ROUTINE", **values: str) -> ScheduledStep:
    """An order of a study, as it comes by HL7 or the modality worklist."""
    step = {
        "patient_name": study.patient_name,
        "patient_id": study.patient.patient_id,
        "study_instance_uid": study.study_instance_uid,
        "requested_procedure_id": "RP1",
        "scheduled_procedure_step_id": "S1",
        "modality": "CT",
        "start_date": "20261124",
        "start_time": "0930",
        "priority": priority,
    }
    return put_step(step | values, source=OrderSource(actor="test"))


# --- By hand --------------------------------------------------------------------------------------------------------


def test_a_study_is_assigned_to_a_colleague_who_is_told_why(
    cast: Cast, study: Study, told: list[dict[str, Any]]
) -> None:
    task = assign(Change(cast.reader, study), Assignee(user=cast.reader2))
    assert (task.assigned_to, task.assigned_by, task.state) == (cast.reader2, cast.reader, "unread")
    assert task.assigned_because.startswith("assigned by Rita Reader, ")
    assert told == [{"study_id": study.pk, "user_ids": [cast.reader2.pk], "because": task.assigned_because}]
    assert events(study) == [("assigned", "reader", {"to": f"user {cast.reader2.pk}", "before": "nobody"})]


def test_a_group_is_told_as_a_whole_and_nobody_takes_it_back(
    cast: Cast, study: Study, neuro: Group, told: list[dict[str, Any]]
) -> None:
    assign(Change(cast.reader, study), Assignee(group=neuro))
    assert told[0]["user_ids"] == [cast.reader2.pk]
    task = assign(Change(cast.reader, study), Assignee())
    assert (task.assigned_to, task.assigned_group, task.assigned_because) == (None, None, "")
    assert len(told) == 1


def test_an_assignment_is_no_lock(cast: Cast, study: Study) -> None:
    assign(Change(cast.reader, study), Assignee(user=cast.reader2))
    assert claiming.claim(Change(cast.reader, study)).claimed_by == cast.reader


@pytest.mark.parametrize("name", ["referrer", "technologist", "outsider"])
def test_only_readers_administrators_and_coordinators_assign(cast: Cast, study: Study, name: str) -> None:
    with pytest.raises(NotYours):
        assign(Change(getattr(cast, name), study), Assignee(user=cast.reader))
    assert (task_of(study).assigned_to, events(study)) == (None, [])


def test_a_coordinator_is_whom_the_site_has_given_the_right(cast: Cast, study: Study) -> None:
    from django.contrib.auth.models import Permission

    cast.technologist.user_permissions.add(Permission.objects.get(codename="coordinate"))
    assert assign(Change(cast.technologist, study), Assignee(user=cast.reader)).assigned_to == cast.reader
    assert assign(Change(cast.admin, study), Assignee(user=cast.reader2)).assigned_to == cast.reader2


def test_studies_are_assigned_to_active_radiologists_and_groups_with_one_only(
    cast: Cast, study: Study, neuro: Group
) -> None:
    wards = Group.objects.create(name="ward 7")
    cast.referrer.groups.add(wards)
    cast.reader2.is_active = False
    cast.reader2.save()
    for to in (Assignee(user=cast.referrer), Assignee(user=cast.reader2), Assignee(group=wards), Assignee(group=neuro)):
        with pytest.raises(NoReader):
            assign(Change(cast.reader, study), to)
    assert reader_groups() == []


def test_what_was_read_is_not_assigned(cast: Cast, study: Study) -> None:
    claiming.mark_read(Change(cast.reader, study))
    with pytest.raises(AlreadyRead):
        assign(Change(cast.reader, study), Assignee(user=cast.reader2))


# --- Handing over ---------------------------------------------------------------------------------------------------


def test_a_claim_is_handed_over_to_a_colleague_by_name(cast: Cast, study: Study, told: list[dict[str, Any]]) -> None:
    claiming.claim(Change(cast.reader, study))
    task = hand_over(Change(cast.reader, study), cast.reader2)
    assert (task.state, task.claimed_by, task.assigned_to) == ("unread", None, cast.reader2)
    assert task.assigned_because.startswith("handed over by Rita Reader, ")
    assert told[0]["user_ids"] == [cast.reader2.pk]
    assert [event for event, _, _ in events(study)] == ["claimed", "handed-over"]
    with pytest.raises(ClaimLost):
        claiming.heartbeat(Change(cast.reader, study))
    assert claiming.claim(Change(cast.reader2, study)).claimed_by == cast.reader2


def test_nobody_hands_over_what_they_do_not_hold(cast: Cast, study: Study) -> None:
    with pytest.raises(ClaimLost):
        hand_over(Change(cast.reader, study), cast.reader2)
    claiming.claim(Change(cast.reader2, study))
    with pytest.raises(ClaimedByAnother):
        hand_over(Change(cast.reader, study), cast.reader2)
    for to in (cast.reader2, cast.referrer):
        with pytest.raises(NoReader):
            hand_over(Change(cast.reader2, study), to)
    assert task_of(study).claimed_by == cast.reader2


# --- By rule --------------------------------------------------------------------------------------------------------


def rule(**values: Any) -> AssignmentRule:
    made = AssignmentRule(**{"name": "rule"} | values)
    made.full_clean()
    made.save()
    return made


def at(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=timezone.get_current_timezone())


FACTS = Facts(
    modalities=frozenset({"CT"}),
    body_parts=frozenset({"chest"}),
    descriptions="ct chest\nlung 1.0",
    referrers="doc^anna\nward 7",
    senders=frozenset({"SCANNER1"}),
    at=at("2026-11-24", "10:00"),  # a Tuesday
)


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"modality": "CT"}, True),
        ({"modality": "MR"}, False),
        ({"body_part": "Chest"}, True),
        ({"body_part": "CHES"}, False),
        ({"description_contains": "LUNG"}, True),
        ({"description_contains": "brain"}, False),
        ({"referrer_contains": "Ward 7"}, True),
        ({"referrer_contains": "ward 8"}, False),
        ({"weekdays": "2"}, True),
        ({"weekdays": "1345"}, False),
        ({"from_time": time(8), "until_time": time(16)}, True),
        ({"from_time": time(10), "until_time": time(11)}, True),
        ({"from_time": time(9), "until_time": time(10)}, False),
        ({"from_time": time(22), "until_time": time(6)}, False),
        ({"modality": "CT", "description_contains": "brain"}, False),
    ],
)
def test_every_condition_that_is_filled_in_must_hold(conditions: dict[str, Any], holds: bool) -> None:
    assert fits(AssignmentRule(**conditions), FACTS) is holds


def test_a_rule_about_a_sender_fits_its_images_only() -> None:
    assert fits(AssignmentRule(source_peer=Peer(ae_title="SCANNER1")), FACTS)
    assert not fits(AssignmentRule(source_peer=Peer(ae_title="SCANNER2")), FACTS)


def test_a_study_that_goes_quiet_waits_for_whom_the_first_fitting_rule_names(
    cast: Cast, study: Study, told: list[dict[str, Any]]
) -> None:
    rule(name="MR", position=1, modality="MR", reader=cast.reader2)
    rule(name="off", position=2, enabled=False, reader=cast.reader2)
    first = rule(name="Chest of ward 7", position=3, modality="CT", referrer_contains="ward 7", reader=cast.reader)
    rule(name="all", position=4, reader=cast.reader2)
    study_quiet.send(sender=None, study_id=study.pk)
    study_quiet.send(sender=None, study_id=study.pk)
    task = task_of(study)
    assert (task.assigned_to, task.assigned_by) == (cast.reader, None)
    assert task.assigned_because == "rule “Chest of ward 7”: CT, from “ward 7”"
    assert events(study) == [
        ("assigned", f"rule {first.pk}", {"to": f"user {cast.reader.pk}", "because": task.assigned_because})
    ]
    assert len(told) == 1


def test_a_rule_whose_reader_has_left_is_passed_over(cast: Cast, study: Study, neuro: Group) -> None:
    rule(name="gone", position=1, reader=cast.reader)
    rule(name="group", position=2, group=neuro)
    cast.reader.groups.clear()
    decide(study.pk)
    assert (task_of(study).assigned_to, task_of(study).assigned_group) == (None, neuro)


def test_a_person_s_assignment_is_not_changed_by_a_rule(cast: Cast, study: Study) -> None:
    rule(reader=cast.reader)
    assign(Change(cast.reader2, study), Assignee(user=cast.reader2))
    decide(study.pk)
    assert task_of(study).assigned_to == cast.reader2
    assign(Change(cast.reader2, study), Assignee())
    decide(study.pk)
    assert task_of(study).assigned_to is None


def test_a_study_that_still_arrives_is_prioritised_and_not_yet_assigned(cast: Cast) -> None:
    arriving = make_study(2, ready=False)
    rule(reader=cast.reader, priority=Priority.URGENT)
    decide(arriving.pk)
    task = task_of(arriving)
    assert (task.priority, task.priority_source, task.assigned_to) == (Priority.URGENT, Source.RULE, None)


def test_the_ward_of_an_order_that_comes_later_decides(cast: Cast, study: Study) -> None:
    rule(name="stroke unit", referrer_contains="stroke", reader=cast.reader2)
    study_quiet.send(sender=None, study_id=study.pk)
    assert task_of(study).assigned_to is None
    order(study, current_patient_location="Stroke Unit 2")
    assert task_of(study).assigned_to == cast.reader2


def test_a_rule_looks_at_body_part_series_and_sender(cast: Cast, study: Study) -> None:
    series = Series.objects.get(study=study)
    Series.objects.filter(pk=series.pk).update(body_part_examined="HEAD", series_description="Perfusion")
    peer = Peer.objects.create(ae_title="CT1", host="127.0.0.1")
    rule(body_part="head", description_contains="perfusion", source_peer=peer, reader=cast.reader)
    decide(study.pk)
    assert task_of(study).assigned_to is None
    Instance.objects.create(
        series=series,
        sop_instance_uid="2.25.1.1.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        calling_ae_title="CT1",
        added_revision=1,
        received_at=timezone.now(),
    )
    decide(study.pk)
    assert task_of(study).assigned_to == cast.reader


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "would do nothing"),
        ({"priority": 0, "from_time": time(8)}, "both ends"),
        ({"priority": 0, "weekdays": "88"}, "1 is Monday"),
        ({"priority": 0, "modality": "ct!"}, "Capitals"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_in_words(db: None, values: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        rule(**values)


def test_a_rule_names_a_radiologist(cast: Cast, neuro: Group) -> None:
    with pytest.raises(ValidationError, match="no active radiologist"):
        rule(reader=cast.technologist)
    with pytest.raises(ValidationError, match="not to both"):
        rule(reader=cast.reader, group=neuro)


# --- Priority -------------------------------------------------------------------------------------------------------


def said(study: Study) -> tuple[int, str]:
    task = task_of(study)
    return task.priority, task.priority_source


def test_an_urgent_order_comes_before_a_rule_and_a_rule_before_a_routine_order(cast: Cast, study: Study) -> None:
    rule(priority=Priority.URGENT, modality="CT")
    order(study, "ROUTINE")
    assert said(study) == (Priority.URGENT, Source.RULE)
    order(study, "STAT")
    assert said(study) == (Priority.STAT, Source.ORDER)
    order(study, "HIGH")
    assert said(study) == (Priority.URGENT, Source.ORDER)
    AssignmentRule.objects.all().delete()
    order(study, "LOW")
    assert said(study) == (Priority.ROUTINE, Source.ORDER)


def test_a_person_s_word_about_the_priority_stands(cast: Cast, study: Study) -> None:
    claiming.set_priority(Change(cast.technologist, study), Priority.ROUTINE)
    order(study, "STAT")
    assert said(study) == (Priority.ROUTINE, Source.PERSON)


def test_every_change_of_priority_says_who_by(cast: Cast, study: Study) -> None:
    order(study, "STAT")
    event = AuditEvent.objects.get(event="priority-changed")
    assert event.actor == "order"
    assert event.details == {"before": "routine", "after": "STAT", "by": "the order"}


def test_the_order_of_another_patient_says_nothing(cast: Cast) -> None:
    study = make_study(3, accession_number="A77")
    order(study, "STAT", study_instance_uid="2.25.99", accession_number="A77", patient_id="somebody else")
    assert said(study) == (Priority.ROUTINE, Source.NOBODY)


def test_a_decision_inside_a_transaction_falls_with_it(cast: Cast, study: Study) -> None:
    rule(reader=cast.reader)
    with pytest.raises(RuntimeError), transaction.atomic():
        decide(study.pk)
        raise RuntimeError
    assert task_of(study).assigned_to is None


def test_a_priority_moves_the_limit(cast: Cast, study: Study) -> None:
    task = task_of(study)
    assert task.due_at == task.waiting_since + timedelta(hours=4)
    order(study, "STAT")
    assert task_of(study).due_at == task.waiting_since + timedelta(hours=1)
