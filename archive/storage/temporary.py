"""Unnamed files of the archive's own file system, gone when they are closed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from archive.storage import layout


@contextmanager
def temporary_file() -> Iterator[BinaryIO]:
    """An empty file to write into and read from."""
    layout.temp_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=layout.temp_folder()) as file:
        yield cast("BinaryIO", file)
