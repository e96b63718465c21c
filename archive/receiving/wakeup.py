"""Tell the worker that incoming/ holds something: a hint that may be lost, never a part of a store."""

from __future__ import annotations

import logging
import os
import threading
import time

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

PAUSE_S = 0.25
"""One message stands for all that came within this time."""


class WakeUp:
    """Sends at most one message every ``PAUSE_S`` from a thread of its own, so that no sender waits for a broker."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._wanted = threading.Event()
        self._thread = None
        self._lock = threading.Lock()

    def __call__(self) -> None:
        if self._wanted.is_set():
            return
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="wake-up", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            self.send()
            time.sleep(PAUSE_S)

    @staticmethod
    def send() -> None:
        """Queue the indexing task; the periodic one makes up for a message that could not be sent."""
        from archive.tasks import index_incoming

        try:
            index_incoming.apply_async(expires=30)
        except (OperationalError, OSError) as error:
            logger.warning("no wake-up could be sent: %s", type(error).__name__)


announce_incoming = WakeUp()
