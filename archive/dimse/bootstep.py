"""The receiver inside a Celery worker: ``celery -A pacs_portal worker --dicom-port 11112``.

A worker without the option runs no receiver. Nothing of Django's models is
imported here before the worker starts.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from celery import Celery, bootsteps
from click import IntRange, Option

if TYPE_CHECKING:
    from celery.worker import WorkController

    from archive.dimse.server import DicomServer


class DicomReceiver(bootsteps.StartStopStep):
    """Starts after the pool has forked, so that its children inherit none of our sockets; ends on warm shutdown."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: WorkController, dicom_port: int | None = None, **options: Any) -> None:
        super().__init__(worker, **options)
        self.enabled = dicom_port is not None
        self._port = dicom_port
        self._server: DicomServer | None = None

    def start(self, worker: WorkController) -> None:
        from django.conf import settings

        from archive.dimse.gate import PortTaken
        from archive.dimse.server import DicomServer, is_port_shared, secure_port

        try:
            server = DicomServer(
                settings.PORTAL_DICOM_HOST,
                self._port or 0,
                settings.PORTAL_AE_TITLE,
                shared_port=is_port_shared(),
                secure=secure_port(),
                is_on_board=True,
            )
            server.start()
        except PortTaken as error:
            # Celery has put its log in the place of standard error.
            print(error, file=sys.__stderr__, flush=True)
            worker.pool.terminate()
            # Celery turns this into the worker's exit code, without a traceback.
            raise SystemExit(1) from None
        self._server = server

    def stop(self, worker: WorkController) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def terminate(self, worker: WorkController) -> None:
        """Cold shutdown: what is open is aborted at once."""
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None


def install(app: Celery) -> None:
    """Give the application's workers the option and the step."""
    app.user_options["worker"].add(
        Option(
            ["--dicom-port"],
            type=IntRange(1, 65535),
            default=None,
            help="Receive DICOM on this port. Without it this worker runs no receiver.",
        )
    )
    app.steps["worker"].add(DicomReceiver)
