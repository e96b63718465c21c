"""The Celery application: queues, schedule, and the receiver's bootstep.

Messages are wake-ups, rows are the queue: no message carries work that a sweep
would not find again, there is no result backend, and every beat entry expires.
"""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_process_init

import pacs_portal.broker  # noqa: F401 - makes the transport "portal-files" known
from pacs_portal import pool_repair

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pacs_portal.settings")

app = Celery("pacs_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["archive", "viewer"])


def install_receiver() -> None:
    """Put the DICOM receiver and the listener for orders into every worker started by this application."""
    from archive.dimse.bootstep import install
    from archive.hl7.bootstep import install as install_orders

    install(app)
    install_orders(app)


install_receiver()
pool_repair.install(app)


@worker_process_init.connect
def _end_with_the_worker(**_kwargs: object) -> None:
    from pacs_portal.processes import die_with_parent

    die_with_parent()
