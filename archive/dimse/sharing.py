"""Several receivers on one port (``PORTAL_RECEIVERS``, ``PORTAL_DICOM_SHARED_PORT``): each proves that it belongs to the same site.

The kernel deals connections out among all who listen with ``SO_REUSEPORT``, also
to a receiver with another data folder, whose images nobody here would see. So a
sharer holds a lock on a file of the data folder that names the database, and a
port that is taken although nobody of ours holds that lock is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from django.conf import settings

from archive.dimse.gate import PortTaken, listen


def database_digest() -> str:
    """Return a digest of which database this process uses; no password in it."""
    database = settings.DATABASES["default"]
    parts = [str(database.get(key, "")) for key in ("ENGINE", "HOST", "PORT", "NAME")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class PortShare:
    """A place among the receivers of one site on one port."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._path = Path(settings.PORTAL_DATA) / "run" / f"dicom-port-{port}"
        self._descriptor = -1

    def join(self) -> None:
        """Take a place.

        Raises
        ------
        PortTaken
            The port belongs to somebody else, or the sharers use another database.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._join_others()
        else:
            self._be_first()

    def leave(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    close_in_child = leave

    def _be_first(self) -> None:
        try:
            listen(self._host, self._port).close()
        except PortTaken:
            self.leave()
            raise
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, database_digest().encode(), 0)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def _join_others(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        if os.pread(self._descriptor, 64, 0).decode("ascii", "replace") != database_digest():
            self.leave()
            raise PortTaken(
                f"The DICOM receiver cannot share port {self._port}: the receivers on it use another database."
            )
