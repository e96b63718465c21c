"""Large frames are decoded two at a time, so that fifty of them do not take fifty times their memory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from archive.models import Series, Study
from tests.phantoms import ramp
from viewer.stacks.lookup import split_series_of
from viewer.tiles import frames


@pytest.fixture
def every_image_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LARGE_PIXELS", 0)


@pytest.mark.usefixtures("every_image_is_large")
def test_two_are_decoded_at_once_and_never_three(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    series = Series.objects.select_related("study").get(study=study)
    (stack,) = split_series_of(series, revision=study.revision).stacks
    decode, pairs, lock = frames._decode, threading.Barrier(2), threading.Lock()
    now, most = 0, 0

    def counted(*arguments: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        # Goes on when another frame is being decoded beside this one; fails where none ever is.
        pairs.wait(20)
        try:
            return decode(*arguments)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr(frames, "_decode", counted)
    with ThreadPoolExecutor(4) as threads:
        decoded = list(threads.map(lambda frame: frames.frame_at_level(frame.instance, 1, 0), stack.frames))

    assert most == frames.LARGE_AT_ONCE == 2
    assert all(np.array_equal(one.values, ramp(start=800 + 100 * n)) for n, one in enumerate(decoded))
