"""The short form of ``tests/faults/kill_nine.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.kill_nine import run


@pytest.mark.profiles
@pytest.mark.timeout(240)
def test_kill_nine_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    assert run(tmp_path, rounds=1, seed=20261124, instances=60) == []
