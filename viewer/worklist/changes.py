"""A number that is another one after every change of what the reading worklist shows.

A browser that looks every few seconds brings the number it saw last. Where it is still the same, and the minute that
clocks are shown in is too, nothing is looked for: the answer is that nothing is new. The number lies in the cache; a
cache that is away or was emptied costs time and never a change.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from typing import Any, Final

from django.core.cache import cache
from django.db import transaction

logger = logging.getLogger(__name__)

KEY: Final = "worklist-change"
KEPT_S: Final = 24 * 3600
CLOCK_S: Final = 60
"""So long a list may stand without being looked at anew: clocks and silent claims change without anybody's doing."""


def worklist_changed(**_details: Any) -> None:
    """Say that lists are to be looked at anew, now and when the transaction has ended: before, others cannot see it."""
    _renew()
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(_renew)


def change_number() -> str:
    """The number as it is now; empty where there is none to be had."""
    try:
        kept = cache.get(KEY)
    except Exception:
        logger.warning("the cache cannot be read: every look at the worklist reads the database")
        return ""
    if kept is None:
        _renew()
        return ""
    return str(kept)


def _renew() -> None:
    try:
        cache.set(KEY, secrets.token_hex(6), KEPT_S)
    except Exception:
        logger.warning("the cache cannot be written: lists are up to a minute late")


def moment(number: str, user_id: int, now: datetime) -> str:
    """Number and minute of a person's list; empty where it must be looked at in any case.

    Everybody's minute begins at another second, so that not all lists are read anew at once.
    """
    return f"{number}.{(int(now.timestamp()) + user_id * 7) // CLOCK_S}" if number else ""
