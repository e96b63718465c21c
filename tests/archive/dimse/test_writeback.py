"""Beginning to write early changes nothing of what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.dimse import writeback


def test_the_file_is_the_same_and_the_system_knows_the_call(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb", buffering=0) as file:
        file.write(b"x" * 100_000)
        writeback.begin_writeback(file.fileno())
        file.write(b"y")

    assert (tmp_path / "file").read_bytes() == b"x" * 100_000 + b"y"
    assert writeback._sync_file_range is not None


def test_a_system_without_the_call_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writeback, "_sync_file_range", None)

    writeback.begin_writeback(-1)


def test_a_descriptor_that_is_closed_is_no_error() -> None:
    writeback.begin_writeback(-1)
