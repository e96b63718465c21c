"""How many acknowledged files wait to be indexed; counted from the disk, at most once a second."""

from __future__ import annotations

import os
import threading
import time

from archive.storage import layout

COUNT_EVERY_S = 1.0


class Backlog:
    """A count that is right within a second, whichever process asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted_at = float("-inf")
        self._count = 0

    def count(self) -> int:
        with self._lock:
            now = time.monotonic()
            if now - self._counted_at > COUNT_EVERY_S:
                self._count = self.count_now()
                self._counted_at = now
            return self._count

    @staticmethod
    def count_now() -> int:
        """Files in incoming/ and in the claims of indexers."""
        total = 0
        try:
            total += sum(1 for _ in os.scandir(layout.incoming_folder()))
            for claim in os.scandir(layout.claims_folder()):
                total += sum(1 for _ in os.scandir(claim.path))
        except (FileNotFoundError, NotADirectoryError):
            pass
        return total

    @staticmethod
    def oldest_age_s() -> float:
        """Seconds since the oldest waiting file was acknowledged; 0 when none waits."""
        oldest = time.time()
        try:
            with os.scandir(layout.incoming_folder()) as entries:
                for entry in entries:
                    try:
                        oldest = min(oldest, entry.stat().st_mtime)
                    except FileNotFoundError:
                        continue
        except FileNotFoundError:
            return 0.0
        return max(0.0, time.time() - oldest)


backlog = Backlog()
