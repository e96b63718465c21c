"""The listener inside the Celery worker that receives DICOM, where ``PORTAL_MLLP_PORT`` is set."""

from __future__ import annotations

import os
import sys
import weakref
from typing import TYPE_CHECKING, Any

from celery import Celery, bootsteps

if TYPE_CHECKING:
    from celery.worker import WorkController

    from archive.hl7.listener import MllpListener

_listeners: weakref.WeakSet[MllpListener] = weakref.WeakSet()


class OrderListener(bootsteps.StartStopStep):
    """Starts after the pool has forked, as the receiver does, and only beside it: one port has one listener."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: WorkController, dicom_port: int | None = None, **options: Any) -> None:
        super().__init__(worker, **options)
        from django.conf import settings

        self.enabled = dicom_port is not None and settings.PORTAL_MLLP_PORT > 0
        self._listener: MllpListener | None = None

    def start(self, worker: WorkController) -> None:
        from django.conf import settings

        from archive.hl7.listener import MllpListener

        try:
            self._listener = MllpListener(
                settings.PORTAL_MLLP_HOST, settings.PORTAL_MLLP_PORT, peers=frozenset(settings.PORTAL_MLLP_PEERS)
            )
        except OSError as error:
            where = f"port {settings.PORTAL_MLLP_PORT} on {settings.PORTAL_MLLP_HOST}"
            print(f"Orders cannot be taken on {where}: {error.strerror}.", file=sys.__stderr__, flush=True)
            worker.pool.terminate()
            raise SystemExit(1) from None
        _listeners.add(self._listener)
        self._listener.start()

    def stop(self, worker: WorkController) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    terminate = stop


def _close_in_child() -> None:
    for listener in list(_listeners):
        listener.close_in_child()


os.register_at_fork(after_in_child=_close_in_child)


def install(app: Celery) -> None:
    """Give the application's workers the step."""
    app.steps["worker"].add(OrderListener)
