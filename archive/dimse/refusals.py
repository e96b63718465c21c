"""Write refused associations and requests into the audit trail, without letting a flood of them in.

The association does not wait: a thread writes, at most one row a minute for the
same peer and reason, with the number of times.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger(__name__)

SAME_AGAIN_S = 60.0
"""The same refusal within this time is counted, not written again."""
WRITE_EVERY_S = 1.0
MOST_KINDS = 1000
"""Different refusals held at once; a flood of made-up AE titles beyond it is counted as one kind."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who was refused, and why."""

    reason: str
    calling_ae_title: str
    called_ae_title: str
    address: str


def write_to_audit_trail(refusal: Refusal, count: int) -> None:
    """Add one row; the trail itself turns to a journal when the database is away."""
    from archive.audit.events import Event
    from archive.audit.record import record_event

    record_event(
        Event.ASSOCIATION_REFUSED,
        outcome="refused",
        actor=refusal.calling_ae_title,
        address=refusal.address,
        details={"reason": refusal.reason, "called_ae_title": refusal.called_ae_title, "count": count},
    )


class RefusalLog:
    """Collects refusals and writes them from a thread of its own."""

    def __init__(self, write: Callable[[Refusal, int], None] = write_to_audit_trail) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._counts: dict[Refusal, int] = {}
        self._written_at: dict[Refusal, float] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def add(self, refusal: Refusal) -> None:
        """Note a refusal; returns at once."""
        with self._lock:
            if refusal not in self._counts and len(self._counts) >= MOST_KINDS:
                refusal = Refusal(refusal.reason, "", "", "")
            self._counts[refusal] = self._counts.get(refusal, 0) + 1

    def flush(self, *, everything: bool = False) -> None:
        """Write what is due."""
        now = time.monotonic()
        with self._lock:
            self._written_at = {key: at for key, at in self._written_at.items() if now - at < SAME_AGAIN_S}
            due = {key: count for key, count in self._counts.items() if everything or key not in self._written_at}
            for key in due:
                del self._counts[key]
                self._written_at[key] = now
        for refusal, count in due.items():
            self._write(refusal, count)

    def _run(self) -> None:
        from django.db import connection

        while not self._stop.wait(WRITE_EVERY_S):
            self._try_to_flush()
        self._try_to_flush(everything=True)
        connection.close()

    def _try_to_flush(self, *, everything: bool = False) -> None:
        try:
            self.flush(everything=everything)
        except Exception:  # The receiver goes on whatever happens to the trail; the log says so.
            logger.exception("refused associations could not be audited")
