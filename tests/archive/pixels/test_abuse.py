"""Images made to do harm: a picture or words, at once, and in little memory."""

from __future__ import annotations

import re
import time

import numpy as np
import psutil
import pytest

from archive.errors import ArchiveError
from tests.abuse import ABUSES, Abuse, draw, progressive

DEADLINE_S = 10.0
"""Far above what any case takes (bench/RESULTS.md), on a machine that does much else."""
GROWTH_BYTES = 96 << 20


@pytest.mark.parametrize("abuse", ABUSES, ids=lambda abuse: abuse.name)
def test_the_answer_comes_soon_and_takes_little_memory(abuse: Abuse) -> None:
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    try:
        decoded, plane = draw(abuse.file(), abuse.frame)
        assert not abuse.answer
        assert decoded.values.shape[:2] == plane
    except ArchiveError as error:
        assert abuse.answer, error
        assert re.search(re.escape(abuse.answer), str(error)), error

    assert time.monotonic() - started < DEADLINE_S
    assert psutil.Process().memory_info().rss - before < GROWTH_BYTES


def test_frames_before_the_one_that_is_cut_are_whole() -> None:
    for abuse in ABUSES:
        if abuse.name.startswith("last"):
            whole = [draw(abuse.file(), frame)[0] for frame in (1, 2)]
            assert all(np.ptp(frame.values[-8:]) > 0 or "native" in abuse.name for frame in whole)


def test_the_scans_of_the_abusive_jpeg_are_as_many_as_it_says() -> None:
    assert progressive(64, 64, 40).count(b"\xff\xda") == 40
