"""Priors of a study, who may open them, and screens that are saved as protocols."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from archive.models import AuditEvent, Grant, Patient, Study
from tests.archive.receiving.sending import store
from tests.phantoms import ct_series
from tests.viewer.hanging.protocols import migrations
from tests.viewer.worklist.studies import make_study
from viewer.hanging.priors import best_prior, priors_of
from viewer.models import HangingProtocol

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., "Client"]
ID = "P4711"


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture(autouse=True)
def built_in_protocols() -> None:
    """What the migration made; a test that commits empties the tables after it."""
    for name in migrations():
        import_module(f"viewer.migrations.{name}").make_protocols(apps, None)


@pytest.fixture
def studies() -> tuple[Study, Study]:
    """A chest CT and the one of twenty months before, of the same person."""
    shared = {"PatientName": "Doe^Jane", "PatientID": ID, "PatientBirthDate": "19720301", "PatientSex": "F"}
    for date, description in (("20261124", "Chest"), ("20250311", "Chest")):
        uids = {"StudyInstanceUID": f"2.25.{date}", "SeriesInstanceUID": f"2.25.{date}.1"}
        facts = shared | uids | {"StudyDate": date, "StudyTime": "100000", "StudyDescription": description}
        store(*ct_series(3, **facts))
    now, before = Study.objects.order_by("-study_date")
    return now, before


def data_of(client: Client, study: Study) -> Any:
    html = client.get(f"/studies/{study.study_instance_uid}/viewer/").content.decode()
    found = re.search(r'<script id="viewer-data" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_prior_says_how_long_ago_it_was(cast: Cast) -> None:
    now = make_study(1, study_date="20261124", body_parts="CHEST", patient_id=ID)
    make_study(2, study_date="20250311", body_parts="CHEST", patient_id=ID)
    make_study(3, study_date="20261125", body_parts="CHEST", patient_id=ID, modality="CR")
    make_study(4, study_date="20261124", study_time="070000", body_parts="HEAD", patient_id=ID, modality="MR")
    make_study(5, study_date="", body_parts="HEAD", patient_id=ID)
    found = [(one.study.pk, one.words, one.relevance) for one in priors_of(now, cast.reader)]
    by_uid = {uid.study_instance_uid: uid.pk for uid in Study.objects.all()}
    assert found == [
        (by_uid["2.25.3"], "LATER, 1 day", 2),
        (by_uid["2.25.4"], "OTHER STUDY, same day", 0),
        (by_uid["2.25.2"], "PRIOR, 20 months", 3),
        (by_uid["2.25.5"], "OTHER STUDY, no date", 1),
    ]
    best = best_prior(priors_of(now, cast.reader))
    assert best is not None
    assert best.study.study_instance_uid == "2.25.2"


def test_nothing_is_offered_while_the_identity_is_to_be_checked(cast: Cast) -> None:
    now = make_study(1, to_be_checked=True, patient_id=ID)
    make_study(2, study_date="20250311", patient_id=ID)
    assert priors_of(now, cast.reader) == []
    Patient.objects.update(identity_to_be_checked=False)
    now.patient.refresh_from_db()
    assert len(priors_of(now, cast.reader)) == 1


def test_an_id_that_names_nobody_joins_no_studies(cast: Cast) -> None:
    now = make_study(1, patient_id="UNKNOWN")
    make_study(2, patient_id="UNKNOWN", study_date="20250311")
    assert priors_of(now, cast.reader) == []


def test_only_who_may_see_both_studies_opens_a_prior(
    studies: tuple[Study, Study], cast: Cast, client_of: ClientOf
) -> None:
    now, before = studies
    address = f"/studies/{now.study_instance_uid}/priors/{before.study_instance_uid}.json"
    Grant.objects.create(user=cast.referrer, study=now)
    Grant.objects.create(user=cast.referrer2, study=before)
    found = {name: client_of(getattr(cast, name)).get(address).status_code for name in vars(cast)}
    assert found == {
        "reader": 200,
        "reader2": 200,
        "referrer": 404,
        "referrer2": 404,
        "technologist": 200,
        "admin": 404,
        "outsider": 404,
    }
    assert client_of().get(address).status_code in {302, 401}
    assert data_of(client_of(cast.referrer), now)["priors"] == []
    Grant.objects.create(user=cast.referrer, study=before)
    assert client_of(cast.referrer).get(address).status_code == 200


def test_a_prior_that_is_opened_tells_whose_it_is_and_is_audited(
    studies: tuple[Study, Study], cast: Cast, client_of: ClientOf
) -> None:
    now, before = studies
    client = client_of(cast.reader)
    told = client.get(f"/studies/{now.study_instance_uid}/priors/{before.study_instance_uid}.json").json()
    assert told["prior"] == "PRIOR, 20 months"
    assert told["patient"]["facts"] == ["F 53Y", "1972-03-01"]
    assert told["study"]["date"] == "2025-03-11"
    assert told["manifest"]["StudyInstanceUID"] == before.study_instance_uid
    assert AuditEvent.objects.filter(study_instance_uid=before.study_instance_uid, user=cast.reader).exists()


def test_a_study_of_another_patient_is_no_prior(cast: Cast, client_of: ClientOf) -> None:
    now, other = make_study(1, patient_id=ID), make_study(2, patient_id="P4712")
    address = f"/studies/{now.study_instance_uid}/priors/{other.study_instance_uid}.json"
    assert client_of(cast.reader).get(address).status_code == 404


def test_a_ct_is_hung_beside_its_prior(studies: tuple[Study, Study], cast: Cast, client_of: ClientOf) -> None:
    now, before = studies
    hanging = data_of(client_of(cast.reader), now)["hanging"]
    assert (hanging["name"], hanging["layout"]) == ("CT with prior", "1x2")
    assert [cell["StudyInstanceUID"] for cell in hanging["cells"]] == [
        now.study_instance_uid,
        before.study_instance_uid,
    ]
    assert data_of(client_of(cast.reader), before)["hanging"]["name"] == "CT"


def save(client: Client, study: Study, **screen: Any) -> Any:
    return client.post(f"/studies/{study.study_instance_uid}/hanging", screen, content_type="application/json")


def test_a_screen_that_was_saved_is_hung_next_time_for_this_reader_only(
    studies: tuple[Study, Study], cast: Cast, client_of: ClientOf
) -> None:
    _, before = studies
    client = client_of(cast.reader)
    stack = data_of(client, before)["hanging"]["cells"][0]["stack"]
    window = {"center": -600, "width": 1500}
    for layout in ("1x2", "2x1"):
        answer = save(client, before, layout=layout, cells=[None, {"stack": stack, "window": window}], links=["scroll"])
        assert answer.status_code == 200
    # Saved twice is saved once.
    assert HangingProtocol.objects.filter(user=cast.reader).count() == 1
    hung = data_of(client, before)["hanging"]
    assert hung["layout"] == "2x1"
    assert hung["cells"][0] is None
    assert hung["cells"][1]["stack"] == stack
    assert hung["cells"][1]["window"] == window
    assert hung["links"] == {"scroll": True, "zoom": False, "window": False}
    assert data_of(client_of(cast.reader2), before)["hanging"]["name"] == "CT"


def test_a_screen_that_makes_no_sense_is_refused(studies: tuple[Study, Study], cast: Cast, client_of: ClientOf) -> None:
    now, _ = studies
    client = client_of(cast.reader)
    for screen in (
        {"layout": "9x9", "cells": [None]},
        {"layout": "1x1", "cells": [None]},
        {"layout": "1x1", "cells": [{"stack": "1.2.3"}]},
        {"layout": "1x1"},
    ):
        assert save(client, now, **screen).status_code == 400
    assert save(client_of(cast.technologist), now, layout="1x1", cells=[None]).status_code == 404
    assert not HangingProtocol.objects.filter(user__isnull=False).exists()


def test_a_row_is_checked_when_it_is_written() -> None:
    row = HangingProtocol(name="wrong", rule={"layout": "7x7", "cells": [{}]})
    with pytest.raises(ValidationError, match="1x1 to 4x4"):
        row.full_clean()
