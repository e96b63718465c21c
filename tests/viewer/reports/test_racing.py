"""Many windows at once: of the saves and signatures that begin with one draft, one is kept and the others are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from archive.models import Study
from tests.viewer.worklist.studies import make_study
from viewer.models import Report, ReportVersion
from viewer.reports.drafting import Draft, save_draft
from viewer.reports.errors import AlreadySigned, Conflict
from viewer.reports.signing import Signature, sign
from viewer.worklist.claiming import Change, claim

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
WINDOWS = 20
ROUNDS = 10


def at_once(act: Callable[[int], object]) -> Counter[str]:
    """Do the same from many threads; how it ended for each."""

    def outcome(number: int) -> str:
        try:
            act(number)
        except (Conflict, AlreadySigned) as refusal:
            return type(refusal).__name__
        else:
            return "kept"
        finally:
            connection.close()

    with ThreadPoolExecutor(WINDOWS) as pool:
        return Counter(pool.map(outcome, range(WINDOWS)))


@pytest.fixture
def study(cast: Cast) -> Study:
    made = make_study(1)
    claim(Change(cast.reader, made))
    return made


def test_of_two_hundred_saves_each_draft_has_one_winner_whose_text_is_kept(study: Study, cast: Cast) -> None:
    change = Change(cast.reader, study)
    for began_with in range(ROUNDS):

        def save(number: int, began_with: int = began_with) -> Report:
            draft = Draft({"findings": f"window {number} of {began_with}"}, began_with, study.patient_id)
            return save_draft(change, draft)

        assert at_once(save) == {"kept": 1, "Conflict": WINDOWS - 1}
        report = Report.objects.get()
        assert report.draft_number == began_with + 1
        assert report.findings.startswith("window ") and report.findings.endswith(f"of {began_with}")


def test_one_of_many_signatures_wins(study: Study, cast: Cast) -> None:
    change = Change(cast.reader, study)
    save_draft(change, Draft({"findings": "No nodule."}, began_with=0, patient=study.patient_id))
    signature = Signature(ReportVersion.Kind.FINAL, 1, study.patient_id)
    ended = at_once(lambda _number: sign(change, signature))
    assert ended["kept"] == 1 and sum(ended.values()) == WINDOWS
    assert ReportVersion.objects.count() == 1
