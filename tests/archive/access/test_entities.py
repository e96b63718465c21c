"""What a calling application entity sees: the site with a right to query or retrieve, nothing without."""

from __future__ import annotations

import pytest

from archive.access.entities import ApplicationEntity
from archive.models import Study
from archive.querying.keys import Level
from archive.querying.search import Query, find_ids, narrowed, plan
from tests.archive.querying.rows import make_series, make_study
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def ct_and_us() -> None:
    for number, modality in ((1, "CT"), (2, "US")):
        make_series(make_study(number, patient_id="P1"), 1, modality=modality)


@pytest.mark.usefixtures("ct_and_us")
@pytest.mark.parametrize(("may_query", "may_retrieve", "seen"), [(True, False, 2), (False, True, 2), (False, False, 0)])
def test_a_peer_sees_what_its_rights_say(may_query: bool, may_retrieve: bool, seen: int) -> None:
    peer = ApplicationEntity("PEER", may_query=may_query, may_retrieve=may_retrieve)

    assert Study.objects.visible_to(peer).count() == seen
    for level in Level:
        assert bool(list(find_ids(plan(Query(level)), peer))) is bool(seen)


@pytest.mark.usefixtures("ct_and_us")
@pytest.mark.parametrize("level", [Level.STUDY, Level.SERIES, Level.IMAGE])
def test_a_person_finds_what_their_role_shows_at_every_level(cast: Cast, level: Level) -> None:
    expected = {"reader": 2, "technologist": 1, "outsider": 0, "admin": 0, "referrer": 0}

    assert {name: narrowed(plan(Query(level)), getattr(cast, name)).count() for name in expected} == expected


@pytest.mark.usefixtures("ct_and_us")
def test_counts_tell_nothing_of_studies_that_are_not_shown(cast: Cast) -> None:
    from archive.querying.answers import Answers

    wanted = ["NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries"]

    (of_ct,) = Answers(Query(Level.PATIENT), cast.technologist, wanted)

    assert [of_ct[keyword] for keyword in wanted] == [1, 1]
