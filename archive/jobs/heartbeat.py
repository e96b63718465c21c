"""The worker's sign of life: the time of a file, so that it needs neither database nor broker."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings


def _file() -> Path:
    return Path(settings.PORTAL_DATA) / "run" / "heartbeat"


def beat() -> None:
    _file().parent.mkdir(parents=True, exist_ok=True)
    _file().touch()


def age_s() -> float:
    """Seconds since a worker took a task; infinite where none ever did."""
    try:
        return max(0.0, time.time() - _file().stat().st_mtime)
    except FileNotFoundError:
        return float("inf")
