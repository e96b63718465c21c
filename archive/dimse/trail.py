"""Audit rows of queries, written by a thread of their own: who asks next does not wait for the disk.

What leaves the archive is audited before it does (``archive.dimse.retrieving``); a question may be audited a moment
after its answers. A receiver that stops writes what is left; one that is killed may lose the questions of that moment.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import Any, Final

from django.db import connection

from archive.audit.events import Event
from archive.audit.record import record_event

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
"""Beyond it a question waits for its audit row after all."""
IDLE_S: Final = 1.0
"""The thread ends, and gives its database connection back, when nobody has asked for so long."""


class Trail:
    """Events that wait to be written."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Event, dict[str, Any]]] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, event: Event, **values: Any) -> None:
        """Take an event as ``record_event`` does."""
        self._waiting.put((event, values))
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="query-trail", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Wait until everything is written."""
        self._waiting.join()

    def _run(self) -> None:
        while True:
            try:
                event, values = self._waiting.get(timeout=IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._waiting.empty():
                        connection.close()
                        self._thread = None
                        return
                continue
            try:
                record_event(event, **values)
            except Exception:  # The receiver goes on whatever happens to the trail; the log says so.
                logger.exception("a query could not be audited")
            finally:
                self._waiting.task_done()


trail = Trail()
