"""The live board's side of the receiver: who is connected, told to the database every few seconds at most.

Pages run in other processes, on other machines perhaps. One row a receiver is written when something has
changed, and now and then to say that it lives; never one an image. A database that is away costs the board
its news and the receiver nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from archive.dimse.association import AssociationView
from archive.models.receiver import Receiver

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 2.0
ALIVE_EVERY_S: Final = 15.0
SILENT_AFTER_S: Final = 45.0
"""A receiver that has said nothing for so long has ended without a word, or cannot reach the database."""
FORGOTTEN_AFTER: Final = timedelta(days=1)
MOST_SHOWN: Final = 200
"""Associations of one receiver in its row."""


class LiveReport:
    """Tells the database about one receiver, in a thread of its own.

    Parameters
    ----------
    associations
        Asked for the open ones.
    """

    def __init__(self, address: str, ae_title: str, associations: Callable[[], list[AssociationView]]) -> None:
        self._name = f"{socket.gethostname()} {address} {os.getpid()}"[:255]
        self._address, self._ae_title = address[:255], ae_title
        self._associations = associations
        self._started_at = timezone.now()
        self._told: list[dict[str, Any]] | None = None
        self._told_at = 0.0
        self._bytes: dict[tuple[str, str, datetime], tuple[int, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-report", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the row away: the receiver has ended as it should."""
        self._stop.set()
        self._thread.join(5)

    def look(self) -> None:
        """Tell the database what has changed."""
        found = self._described(time.monotonic())
        now = time.monotonic()
        if found == self._told and now - self._told_at < ALIVE_EVERY_S:
            return
        Receiver.objects.update_or_create(
            name=self._name,
            defaults={
                "address": self._address,
                "ae_title": self._ae_title,
                "started_at": self._started_at,
                "reported_at": timezone.now(),
                "associations": found,
            },
        )
        self._told, self._told_at = found, now

    def _described(self, now: float) -> list[dict[str, Any]]:
        views = sorted(self._associations(), key=lambda view: view.since)
        before, self._bytes = self._bytes, {}
        described = []
        for view in views:
            key = (view.calling_ae_title, view.address, view.since)
            moved = view.bytes + view.bytes_sent
            self._bytes[key] = (moved, now)
            moved_before, at = before.get(key, (moved, now))
            rate = (moved - moved_before) / (now - at) if now > at else 0
            described.append(
                {
                    "calling_ae_title": view.calling_ae_title,
                    "called_ae_title": view.called_ae_title,
                    "address": view.address,
                    "since": view.since.isoformat(),
                    "service": view.service,
                    "tls": view.tls,
                    "stored": view.stored,
                    "refused": view.refused,
                    "why_refused": view.why_refused,
                    "answers": view.answers,
                    "sent": view.sent,
                    "not_sent": view.not_sent,
                    "bytes": view.bytes,
                    "bytes_sent": view.bytes_sent,
                    "bytes_a_second": round(rate),
                }
            )
        return described[:MOST_SHOWN]

    def _run(self) -> None:
        self._try(lambda: Receiver.objects.filter(reported_at__lt=timezone.now() - FORGOTTEN_AFTER).delete())
        self._try(self.look)
        while not self._stop.wait(LOOK_EVERY_S):
            self._try(self.look)
        self._try(lambda: Receiver.objects.filter(name=self._name).delete())
        connection.close()

    @staticmethod
    def _try(act: Callable[[], object]) -> None:
        try:
            act()
        except (DatabaseError, InterfaceError) as error:
            logger.info("the live board cannot be told: %s", type(error).__name__)
            connection.close()
        except Exception:  # The receiver goes on whatever a driver raises.
            logger.exception("the live board cannot be told")
