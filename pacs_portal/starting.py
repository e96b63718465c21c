"""What must be so before the portal starts: one start a data folder, free addresses, a database of today.

Each obstacle is a sentence for whoever starts it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from pathlib import Path

from django.conf import settings

PORT_PATIENCE_S = 3.0
"""A supervisor that was killed a moment ago may still be losing its ports."""


class CannotStart(Exception):
    """Something is in the way; the message is the sentence for whoever starts the portal."""


def take_lock(folder: Path) -> int:
    """Take the lock of a data folder and return its descriptor, which holds it until this process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / "portal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"The data folder cannot be written: {error.filename}: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise CannotStart(f"The portal is already running on {folder.parent} (process {holder}).") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def require_free_port(host: str, port: int, *, what: str, variable: str) -> None:
    """Raise CannotStart unless an address can be bound."""
    deadline = time.monotonic() + PORT_PATIENCE_S
    while True:
        try:
            _bind(host, port)
        except OSError as error:
            is_taken = error.errno == errno.EADDRINUSE
            if is_taken and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            reason = "is taken" if is_taken else f"cannot be used: {error.strerror}"
            raise CannotStart(f"The address {host}:{port} of {what} {reason}; set {variable} to another.") from error
        return


def _bind(host: str, port: int) -> None:
    family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def require_no_errors(*, databases: list[str] | None = None) -> None:
    """Raise CannotStart with the sentences of the system checks that failed."""
    from django.core.checks import ERROR, Tags, run_checks

    found = run_checks(databases=databases, tags=[Tags.database] if databases else None)
    errors = [f"{error.msg} {error.hint or ''}".strip() for error in found if error.level >= ERROR]
    if errors:
        raise CannotStart("\n".join(errors))


def prepare() -> None:
    """Check the settings, bring the database up to date, make the demo users."""
    import django
    from django.core.management import call_command
    from django.db import DatabaseError, connections

    django.setup()
    require_no_errors()
    require_free_port(settings.PORTAL_HTTP_HOST, settings.PORTAL_HTTP_PORT, what="the web", variable="PORTAL_HTTP")
    if not settings.PORTAL_DICOM_SHARED_PORT:
        host, port = settings.PORTAL_DICOM_HOST, settings.PORTAL_DICOM_PORT
        require_free_port(host, port, what="the DICOM receiver", variable="PORTAL_DICOM_PORT")
        if port := settings.PORTAL_DICOM_TLS_PORT:
            require_free_port(host, port, what="DICOM over TLS", variable="PORTAL_DICOM_TLS_PORT")
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    try:
        call_command("migrate", interactive=False, verbosity=0)
        require_no_errors(databases=["default"])
        if settings.IS_DEMO:
            call_command("make_demo", users=True, verbosity=0)
    except DatabaseError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CannotStart(f"The database cannot be used: {reason}") from error
    finally:
        connections.close_all()
