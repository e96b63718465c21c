"""``/network/``: who is connected to the DICOM receivers now, and who was refused, for administrators."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.access.roles import Role, has_role, user_of
from archive.audit.events import Event
from archive.dimse.live import SILENT_AFTER_S
from archive.models import AuditEvent, Receiver

REFUSALS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One open association, in words."""

    calling_ae_title: str
    called_ae_title: str
    address: str
    since: datetime
    service: str
    tls: str
    stored: int
    refused: int
    why_refused: str
    """The last one, in words."""
    sent: int
    """Images, by C-GET and C-MOVE."""
    not_sent: int
    answers: int
    """Matches of queries."""
    volume: str
    volume_sent: str
    speed: str


@dataclass(frozen=True, slots=True)
class Listening:
    """An address, the processes that receive on it, and who is connected to any of them."""

    ae_title: str
    address: str
    started_at: datetime
    processes: int
    silent: list[Receiver]
    """Those that have said nothing for a while."""
    lines: list[Line]


@require_safe
def network(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    return show(request, "network/page.html")


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The board alone, asked for every few seconds; 204 where nothing has changed since ``seen``."""
    return show(request, "network/board.html", seen=request.GET.get("seen", ""))


def show(request: HttpRequest, template: str, *, seen: str = "") -> HttpResponse:
    if not has_role(user_of(request), Role.ADMINISTRATOR):
        raise Http404
    receivers = listening()
    refusals = list(AuditEvent.objects.filter(event=Event.ASSOCIATION_REFUSED).order_by("-pk")[:REFUSALS_SHOWN])
    shown = receivers, [event.pk for event in refusals]
    digest = hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
    if seen == digest:
        return HttpResponse(status=204)
    return render(request, template, {"receivers": receivers, "refusals": refusals, "digest": digest})


def listening() -> list[Listening]:
    """Every address that is received on, with its open associations, the oldest first."""
    rows = sorted(Receiver.objects.all(), key=lambda row: (row.ae_title, row.address, row.started_at))
    return [listening_on(list(group)) for _, group in groupby(rows, key=lambda row: (row.ae_title, row.address))]


def listening_on(rows: list[Receiver]) -> Listening:
    """The processes of one address."""
    silent_before = timezone.now() - timedelta(seconds=SILENT_AFTER_S)
    silent = [row for row in rows if row.reported_at < silent_before]
    lines = [line_of(one) for row in rows if row not in silent for one in row.associations]
    return Listening(
        ae_title=rows[0].ae_title,
        address=rows[0].address,
        started_at=rows[0].started_at,
        processes=len(rows) - len(silent),
        silent=silent,
        lines=sorted(lines, key=lambda line: line.since),
    )


def line_of(association: dict[str, Any]) -> Line:
    return Line(
        calling_ae_title=association["calling_ae_title"],
        called_ae_title=association["called_ae_title"],
        address=association["address"],
        since=datetime.fromisoformat(association["since"]),
        service=association["service"] or "nothing yet",
        tls=association["tls"],
        stored=association["stored"],
        refused=association["refused"],
        # A receiver of the version before this one says less, for as long as both run.
        why_refused=association.get("why_refused", ""),
        sent=association.get("sent", 0),
        not_sent=association.get("not_sent", 0),
        answers=association.get("answers", 0),
        volume=megabytes(association["bytes"]),
        volume_sent=megabytes(association.get("bytes_sent", 0)),
        speed=f"{association['bytes_a_second'] / 1e6:.1f} MB/s",
    )


def megabytes(count: int) -> str:
    """
    >>> megabytes(1_250_000), megabytes(3_200_000_000)
    ('1.2 MB', '3.20 GB')
    """
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
