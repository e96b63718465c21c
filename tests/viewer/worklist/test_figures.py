"""Turn-around, backlog and reader load, from times that were written down by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from archive.models import AuditEvent
from tests.viewer.worklist.studies import make_study
from viewer.models import ReadingTask, Report
from viewer.worklist import claiming
from viewer.worklist.claiming import Change
from viewer.worklist.figures import Spread, backlog_of, figures_of, spread
from viewer.worklist.figures_export import as_csv, plots_of, table_of

if TYPE_CHECKING:
    from django.test import Client

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.get_default_timezone())
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def study(number: int, arrived: datetime, *, modality: str = "CT", **steps: Any) -> None:
    """A study whose steps are given in minutes after its arrival."""
    moments = {name: arrived + value * MINUTE if isinstance(value, int) else value for name, value in steps.items()}
    state = {"state": "read"} if "read_at" in steps else {}
    make_study(number, modality=modality, task={"waiting_since": arrived} | state | moments)


def test_times_are_median_and_ninth_decile_and_never_below_zero() -> None:
    pairs = [(NOON, NOON + minutes * MINUTE) for minutes in (10, 20, 30, 40, 50, 60, 70, 80, 90, 1000)]
    assert spread(pairs) == Spread(10, 55.0, 90.0)
    assert spread([(NOON, NOON - HOUR), (NOON, None)]) == Spread(1, 0.0, 0.0)
    assert spread([]) == Spread()


def test_each_step_counts_from_the_last_image_by_modality_and_hour(cast: Cast) -> None:
    study(1, NOON - 3 * HOUR, first_opened_at=10, preliminary_at=20, read_at=30, read_by=cast.reader)
    study(2, NOON - 3 * HOUR, first_opened_at=30, read_at=60, read_by=cast.reader2)
    study(3, NOON - 2 * HOUR, modality="CT\\PT", first_opened_at=5)
    study(4, NOON - timedelta(days=9), read_at=1, read_by=cast.reader)
    found = figures_of(7, now=NOON)
    by_modality = {steps.heading: steps for steps in found.by_modality}
    assert set(by_modality) == {"CT", "CT/PT"}
    assert by_modality["CT"].received == 2
    assert by_modality["CT"].opened == Spread(2, 20.0, 30.0)
    assert by_modality["CT"].preliminary == Spread(1, 20.0, 20.0)
    assert by_modality["CT"].read == Spread(2, 45.0, 60.0)
    assert by_modality["CT/PT"].read == Spread()
    received = {steps.heading: steps.received for steps in found.by_hour if steps.received}
    assert received == {"09:00": 2, "10:00": 1}
    assert [(load.reader, load.count, load.modalities) for load in found.loads] == [
        ("Rita Reader", 1, (("CT", 1),)),
        ("Rudi Reader", 1, (("CT", 1),)),
    ]
    assert found.loads[0].hours[9] == 1 and found.loads[1].hours[10] == 1
    assert [steps.heading for steps in figures_of(7, "CT/PT", now=NOON).by_modality] == ["CT/PT"]


def test_the_backlog_is_what_had_come_and_was_not_read_at_each_hour(cast: Cast) -> None:
    study(1, NOON - timedelta(days=3))  # waits all the time
    study(2, NOON - 5 * HOUR + MINUTE, read_at=120, read_by=cast.reader)
    study(3, NOON - 2 * HOUR + MINUTE)
    counts = {f"{timezone.localtime(one.at):%H}": one.count for one in figures_of(1, now=NOON).backlog[-6:]}
    assert counts == {"07": 1, "08": 2, "09": 2, "10": 1, "11": 2, "12": 2}
    assert backlog_of([], NOON - HOUR, NOON)[-1].count == 0
    study(4, NOON + MINUTE)
    last = figures_of(1, now=NOON + 20 * MINUTE).backlog[-2:]
    assert [(one.at, one.count) for one in last] == [(NOON, 2), (NOON + 20 * MINUTE, 3)]


def test_reading_writes_the_times_down(cast: Cast) -> None:
    read = make_study(1)
    change = Change(cast.reader, read)
    claiming.claim(change)
    opened = ReadingTask.objects.get(study=read).first_opened_at
    Report.objects.create(study=read, patient=read.patient, state=Report.State.PRELIMINARY, saved_at=timezone.now())
    claiming.mark_preliminary(change)
    claiming.claim(Change(cast.reader2, read))
    claiming.mark_read(Change(cast.reader2, read))
    task = ReadingTask.objects.get(study=read)
    assert task.first_opened_at == opened and task.waiting_since < opened
    assert task.preliminary_at is not None and task.read_at is not None
    assert opened <= task.preliminary_at <= task.read_at


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1"])
def test_no_cell_is_a_formula(cast: Cast, name: str) -> None:
    text = as_csv([["reader", "read"], [name, 3]])
    assert text.startswith("\ufeff")
    (_, (cell, count)) = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert cell.startswith("'") and count == "3"


def test_plots_carry_what_the_tables_say(cast: Cast) -> None:
    study(1, NOON - 3 * HOUR, first_opened_at=10, read_at=30, read_by=cast.reader)
    found = figures_of(1, now=NOON)
    plots = {plot["id"]: plot for plot in plots_of(found)}
    assert plots["plot-modality"]["x"] == ["CT"]
    assert [one["values"] for one in plots["plot-modality"]["series"]] == [[10.0], [None], [30.0], [30.0]]
    assert plots["plot-backlog"]["x"][-1] == "2026-11-24 12:00"
    assert table_of(found, "modality")[1] == ["CT", 1, 1, 10.0, 10.0, 0, "", "", 1, 30.0, 30.0]


# --- The page -------------------------------------------------------------------------------------------------------


def test_administrators_and_coordinators_see_the_page_and_nobody_else(cast: Cast, client_of: ClientOf) -> None:
    cast.reader2.user_permissions.add(Permission.objects.get(codename="coordinate"))
    make_study(1)
    statuses = {user.username: client_of(user).get("/worklist/figures/").status_code for user in cast.everybody()}
    assert statuses == {
        "reader": 404,
        "reader2": 200,
        "referrer": 404,
        "referrer2": 404,
        "technologist": 404,
        "admin": 200,
        "outsider": 404,
    }


def test_the_page_names_no_patient_and_its_csv_is_audited(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, task={"state": "read", "read_at": timezone.now(), "read_by": cast.reader})
    cast.reader.first_name, cast.reader.last_name = "=cmd()", ""
    cast.reader.save()
    client = client_of(cast.admin)
    html = client.get("/worklist/figures/?days=30&modality=CT").content.decode()
    assert "Turn-around by modality" in html and "DOE" not in html and "12345" not in html
    answer = client.get("/worklist/figures/?csv=readers")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    assert "'=cmd()" in answer.content.decode() and "\n=cmd()" not in answer.content.decode()
    event = AuditEvent.objects.get(event="exported")
    assert (event.actor, event.subject) == ("admin", "figures of reading")
    assert event.details == {"table": "readers", "days": 7, "modality": ""}


@pytest.mark.parametrize("query", ["days=x", "days=999999", "modality=%00", "csv=nothing", "modality=%3Cscript%3E"])
def test_no_parameter_breaks_the_page(cast: Cast, client_of: ClientOf, query: str) -> None:
    answer = client_of(cast.admin).get(f"/worklist/figures/?{query}")
    assert answer.status_code == 200 and b"<script>" not in answer.content.replace(b"<script>\n", b"")
