"""Files that wait to be fetched: below the data folder, under names that say nothing, for a day."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings

KEPT_S = 24 * 3600


def folder() -> Path:
    return Path(settings.PORTAL_DATA) / "exports"


def path_of(key: str) -> Path:
    return folder() / key


def waits(kept: dict[str, Any] | None) -> bool:
    """Whether the file that a job made is still there."""
    return kept is not None and path_of(str(kept["key"])).is_file()


@contextmanager
def new_file() -> Iterator[Path]:
    """A path to write to; what was begun and not finished is removed."""
    folder().mkdir(parents=True, exist_ok=True)
    path = path_of(secrets.token_hex(16))
    try:
        yield path
    except BaseException:
        with suppress(FileNotFoundError):
            path.unlink()
        raise


def remove_old(*, now: float | None = None) -> int:
    """Remove what nobody fetched within a day; returns how many."""
    until = (time.time() if now is None else now) - KEPT_S
    removed = 0
    for path in folder().glob("*"):
        if path.is_file() and path.stat().st_mtime < until:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
