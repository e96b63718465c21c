"""The levels of large images stay within the site's limit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from viewer.rendering.pipeline import ReducedFrame
from viewer.tiles.frames import read_level, trim_levels, write_level


def test_what_was_not_used_for_longest_goes_first(portal_data: Path) -> None:
    frame = ReducedFrame(np.zeros((100, 100), np.uint16), "MONOCHROME2", 0)
    for age, key in ((300, "old"), (200, "older images"), (100, "new")):
        write_level(key, 1, 0, frame)
        for path in portal_data.rglob("*.npy"):
            if path.stat().st_mtime > 1_000_000_000:
                os.utime(path, (1000 - age, 1000 - age))
    assert trim_levels(45_000) == 1
    assert read_level("old", 1, 0) is None
    assert read_level("new", 1, 0) is not None


def test_a_damaged_level_is_forgotten(portal_data: Path) -> None:
    write_level("key", 1, 0, ReducedFrame(np.ones((8, 8), np.uint8), "MONOCHROME2", 0))
    (path,) = portal_data.rglob("*.npy")
    path.write_bytes(b"no numpy file")
    assert read_level("key", 1, 0) is None
    assert not path.exists()
