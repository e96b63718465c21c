"""A claimed study with a report in the making, a referrer who was given it, and a way to flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from archive.models import Grant, Study
from tests.viewer.reports.conftest import no_worker, save, sign_as, study
from viewer.critical.flagging import Flag, flag
from viewer.models import CriticalCategory, CriticalResult
from viewer.worklist.claiming import Change

if TYPE_CHECKING:
    from archive.models import User
    from tests.conftest import Cast

__all__ = ["no_worker", "save", "sign_as", "study"]
TEXT = "Central pulmonary embolism."


@pytest.fixture
def given(study: Study, cast: Cast) -> Grant:
    """The study names the referrer by identifier."""
    return Grant.objects.create(user=cast.referrer, study=study, source=Grant.Source.IDENTIFIER)


@pytest.fixture
def flagged(study: Study, cast: Cast) -> Callable[..., CriticalResult]:
    """Flag for the referrer, as the reader who has the study."""

    def flag_it(*, at_once: bool = False, text: str = TEXT, to: User | None = None) -> CriticalResult:
        category = CriticalCategory.objects.get(name__startswith="immediate")
        asked = Flag(category.pk, text, (to or cast.referrer).pk, study.patient_id)
        return flag(Change(cast.reader, study), asked, at_once=at_once)

    return flag_it
