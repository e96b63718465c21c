"""What one reader's look at the worklist found, for the colleagues who look a moment later.

All radiologists see all studies, so the same filter finds the same page; only whose a study is differs from reader to
reader. Fifty lists that are looked at every few seconds are read once for each change, not fifty times. Kept in the
process, for a few seconds, under the number of the last change.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

KEPT_S: Final = 3.0
"""So long a look holds without being confirmed, should a change not have been announced."""
MOST: Final = 32
"""Filters that are kept at once."""


@dataclass
class _Kept:
    """One look; the lock lets the colleagues wait for the one who reads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Any = None
    until: float = 0.0


Found = TypeVar("Found")
_kept: OrderedDict[Hashable, _Kept] = OrderedDict()
_lock = threading.Lock()


def common(key: Hashable, read: Callable[[], Found]) -> Found:
    """What ``read`` finds, or found a moment ago under the same key."""
    with _lock:
        kept = _kept.setdefault(key, _Kept())
        _kept.move_to_end(key)
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    with kept.lock:
        if kept.until < time.monotonic():
            kept.found = read()
            kept.until = time.monotonic() + KEPT_S
        found: Found = kept.found
        return found
