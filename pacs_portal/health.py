"""``/healthz``: this process answers. ``/readyz``: the portal can do its work, and what hinders it in words."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from archive.dimse.certificate_dates import expiry_of
from archive.dimse.client import PeerUnreachable, echo
from archive.dimse.tls import CannotUseTls
from archive.jobs import heartbeat
from archive.receiving.backlog import backlog

ECHO_KEPT_S = 5.0
DISK_WARNS_AT = 0.90
DISK_FAILS_AT = 0.97
BEAT_LATE_S = 60.0
BACKLOG_LATE_S = 300.0

Finding = tuple[str, str]
"""``ok``, ``warning`` or ``failed``, and a sentence."""


@require_GET
def healthz(_request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_GET
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 where everything that images and readers need works, else 503; both say what was found."""
    checks: dict[str, Callable[[], Finding]] = {
        "database": database,
        "disk": disk,
        "receiver": receiver,
        "worker": worker,
        "backlog": waiting,
    }
    found = {name: check() for name, check in checks.items()}
    failed = any(state == "failed" for state, _ in found.values())
    body = {
        "status": "failed" if failed else "ok",
        "checks": {name: {"status": state, "detail": text} for name, (state, text) in found.items()},
    }
    return JsonResponse(body, status=503 if failed else 200)


def database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "failed", "The database does not answer."
    return "ok", "The database answers."


def disk() -> Finding:
    usage = shutil.disk_usage(settings.PORTAL_DATA)
    share = 1 - usage.free / usage.total
    text = f"The data folder's disk is {share:.0%} full."
    if share >= DISK_FAILS_AT:
        return "failed", text
    return ("warning" if share >= DISK_WARNS_AT else "ok"), text


class _KeptEcho:
    """One real C-ECHO serves all that ask within five seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._answered = False

    def answered(self) -> bool:
        with self._lock:
            if time.monotonic() - self._at > ECHO_KEPT_S:
                host = settings.PORTAL_DICOM_HOST
                try:
                    echo(
                        "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host,  # noqa: S104
                        settings.PORTAL_DICOM_PORT,
                        called_ae_title=settings.PORTAL_AE_TITLE,
                        calling_ae_title=settings.PORTAL_AE_TITLE,
                        timeout_s=2.0,
                    )
                    self._answered = True
                except PeerUnreachable:
                    self._answered = False
                self._at = time.monotonic()
            return self._answered


_echo = _KeptEcho()


def receiver() -> Finding:
    if _echo.answered():
        return "ok", "The receiver answered a C-ECHO."
    return "failed", f"The receiver did not answer a C-ECHO on port {settings.PORTAL_DICOM_PORT}."


def certificate() -> Finding:
    """Of the receiver's TLS port; only looked at where the site has one."""
    try:
        expiry = expiry_of(settings.PORTAL_DICOM_TLS_CERTIFICATE, timezone.now())
    except CannotUseTls as error:
        return "failed", str(error)
    return ("failed" if expiry.has_expired else "warning" if expiry.is_soon else "ok"), expiry.words


def worker() -> Finding:
    age = heartbeat.age_s()
    if age == float("inf"):
        return "failed", "No worker has taken a task yet."
    if age > BEAT_LATE_S:
        return "failed", "No worker has taken a task for more than a minute."
    return "ok", f"A worker took a task {age:.0f} s ago."


def waiting() -> Finding:
    age, count = backlog.oldest_age_s(), backlog.count_now()
    text = f"{count} images wait to be indexed, the oldest for {age:.0f} s."
    return ("failed" if age > BACKLOG_LATE_S else "ok"), text
