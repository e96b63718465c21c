"""Routing rules: a table of conditions, no loops, once a rule, and jobs that stand in rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from archive.exchange.routing import chosen_instances, is_time, route_study, would_send
from archive.indexing.settle import settle
from archive.indexing.writer import index_waiting_files
from archive.jobs.run import run_waiting_jobs
from archive.models import AuditEvent, Instance, Job, Route, Study
from archive.receiving.sources import Door
from tests.archive.exchange.conftest import peer
from tests.archive.receiving.sending import send, store
from tests.phantoms import ct_image, ct_series, mr_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
StoreScp = Callable[..., tuple[int, Path]]


@pytest.fixture
def study() -> Study:
    """Two CT slices from SCANNER, one MR from MR1, one derived."""
    store(*ct_series(2, StudyDescription="CT Chest with contrast", StationName="CT01"))
    store(mr_image(SeriesInstanceUID="2.25.55", SeriesDescription="T1 sagittal"), calling_ae_title="MR1")
    store(
        ct_image(SeriesInstanceUID="2.25.66", SOPInstanceUID="2.25.67", ImageType=["DERIVED", "SECONDARY"]),
        door=Door.DERIVED,
    )
    return Study.objects.get()


def route(**values: Any) -> Route:
    there = values.pop("peer", None) or peer(1, "DEST")
    return Route.objects.create(name=values.pop("name", "rule"), peer=there, **values)


@pytest.mark.parametrize(
    ("conditions", "images"),
    [
        ({}, 3),
        ({"modality": "ct"}, 3),
        ({"modality": "MR", "only_matching_series": True}, 1),
        ({"modality": "CT", "only_matching_series": True}, 2),
        ({"modality": "US"}, 0),
        ({"station_name": "ct01"}, 3),
        ({"station_name": "CT02"}, 0),
        ({"description_contains": "CHEST"}, 3),
        ({"description_contains": "t1 SAG"}, 3),
        ({"description_contains": "t1 SAG", "only_matching_series": True}, 1),
        ({"description_contains": "knee"}, 0),
        ({"modality": "MR", "station_name": "CT01"}, 0),
        ({"send_derived": True}, 4),
    ],
)
def test_conditions(conditions: dict[str, Any], images: int, study: Study) -> None:
    assert chosen_instances(route(**conditions), study).count() == images


def test_only_what_the_source_sent(study: Study) -> None:
    assert chosen_instances(route(source_peer=peer(2, "MR1")), study).count() == 1


def test_nothing_goes_back_to_where_it_came_from(study: Study) -> None:
    chosen = chosen_instances(route(peer=peer(1, "SCANNER")), study)
    assert set(chosen.values_list("calling_ae_title", flat=True)) == {"MR1"}


@pytest.mark.parametrize(
    ("values", "at", "expected"),
    [
        ({}, time(3), True),
        ({"weekdays": "12345"}, time(3), True),
        ({"weekdays": "67"}, time(3), False),
        ({"from_time": time(8), "until_time": time(17)}, time(8), True),
        ({"from_time": time(8), "until_time": time(17)}, time(17), False),
        ({"from_time": time(22), "until_time": time(6)}, time(23), True),
        ({"from_time": time(22), "until_time": time(6)}, time(5, 59), True),
        ({"from_time": time(22), "until_time": time(6)}, time(12), False),
    ],
)
def test_time_of_day_and_day_of_week_are_the_sites(values: dict[str, Any], at: time, expected: bool) -> None:
    # 6 May 2024 is a Monday.
    assert is_time(Route(**values), datetime.combine(date(2024, 5, 6), at, timezone.get_current_timezone())) is expected


def test_a_settled_study_is_forwarded_and_each_image_goes_once(study: Study, storescp: StoreScp) -> None:
    port, folder = storescp("+B")
    route(peer=peer(port, "ANY"))
    Study.objects.update(last_received_at=timezone.now() - timedelta(days=1))
    assert settle() == 1
    assert Job.objects.get(kind="send").state == Job.State.QUEUED
    run_waiting_jobs()
    assert len(list(folder.iterdir())) == 3
    send(ct_image(SOPInstanceUID="2.25.4711"))
    index_waiting_files()
    Study.objects.update(last_received_at=timezone.now() - timedelta(days=1))
    settle()
    run_waiting_jobs()
    assert len(list(folder.iterdir())) == 4
    assert [job.message for job in Job.objects.filter(kind="send").order_by("pk")] == [
        "3 images sent to ANY.",
        "1 image sent to ANY.",
    ]
    assert route_study(study.pk) == []


def test_each_rule_sends_for_itself_and_a_disabled_one_nothing(study: Study) -> None:
    there = peer(1, "DEST")
    for name, enabled in (("one", True), ("two", True), ("off", False)):
        route(name=name, peer=there, enabled=enabled)
    assert len(route_study(study.pk)) == 2


def test_a_disabled_peer_gets_nothing(study: Study) -> None:
    route(peer=peer(1, "DEST", enabled=False))
    assert route_study(study.pk) == []


def test_what_a_rule_did_is_audited(study: Study) -> None:
    one = route()
    route_study(study.pk)
    event = AuditEvent.objects.get(actor=f"route {one.pk}")
    assert event.study_instance_uid == study.study_instance_uid
    assert event.details == {"rule": "rule", "action": "forward", "peer": "DEST", "instances": 3}


def test_the_test_mode_names_the_studies_of_the_last_day_and_sends_nothing(study: Study) -> None:
    one = route(modality="CT")
    route_study(study.pk)
    jobs = Job.objects.count()
    assert [(found.study, found.instances) for found in would_send(one)] == [(study, 3)]
    Study.objects.update(last_received_at=timezone.now() - timedelta(days=2))
    assert would_send(one) == []
    assert Job.objects.count() == jobs


def test_a_rejected_image_is_not_sent(study: Study) -> None:
    Instance.objects.filter(series__modality="MR").update(rejection="113001")
    assert chosen_instances(route(), study).count() == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"action": "forward", "rights": {"may_receive": False}}, "peer"),
        ({"action": "prefetch", "rights": {"may_be_searched": False}}, "peer"),
        ({"from_time": time(8)}, "until_time"),
        ({"weekdays": "8"}, "weekdays"),
        ({"weekdays": "11"}, "weekdays"),
        ({"trigger": "order"}, "trigger"),
        ({"action": "prefetch", "trigger": "either", "same_body_part": True}, "same_body_part"),
    ],
)
def test_a_rule_that_could_do_nothing_is_refused(values: dict[str, Any], field: str) -> None:
    there = peer(1, "DEST", **values.pop("rights", {}))
    with pytest.raises(ValidationError) as raised:
        Route(name="rule", peer=there, **values).full_clean()
    assert field in raised.value.message_dict


def test_a_rule_back_to_its_source_is_refused() -> None:
    there = peer(1, "DEST")
    with pytest.raises(ValidationError, match="sent back"):
        Route(name="rule", peer=there, source_peer=there).full_clean()
