"""``manage.py dicom_receiver``: the DICOM receiver alone, without a worker around it."""

from __future__ import annotations

import signal
import threading
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.dimse.gate import PortTaken
from archive.dimse.server import DicomServer, is_port_shared, secure_port


class Command(BaseCommand):
    help = "Receive images from the DICOM network until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.PORTAL_DICOM_HOST)
        parser.add_argument("--port", type=int, default=settings.PORTAL_DICOM_PORT)
        parser.add_argument("--ae-title", default=settings.PORTAL_AE_TITLE)
        parser.add_argument("--quiet", action="store_true", help="say nothing once it listens")

    def handle(self, *args: Any, host: str, port: int, ae_title: str, quiet: bool, **options: Any) -> None:
        if not 0 <= port <= 65535:
            raise CommandError(f"Port {port} does not exist; a port is a number from 1 to 65535.")
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        # What the first wake-up of the indexer would otherwise import while the first image is received.
        import_module("archive.tasks")
        try:
            server = DicomServer(
                host,
                port,
                ae_title,
                shared_port=is_port_shared(),
                secure=secure_port(),
                is_on_board=True,
            )
            server.start()
        except PortTaken as error:
            raise CommandError(str(error)) from error
        if not quiet:
            self.stdout.write(f"{server.ae_title} receives on {host}:{server.port}.")
            self.stdout.flush()
        while not ended.wait(3600):
            pass
        server.stop()
