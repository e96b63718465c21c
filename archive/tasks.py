"""Celery's doors: each calls one function and nothing else. Running one twice is harmless."""

from __future__ import annotations

import time

from celery import shared_task


@shared_task
def index_incoming() -> None:
    """Index what waits in incoming/."""
    from archive.indexing.writer import index_waiting_files

    index_waiting_files()


@shared_task
def settle() -> None:
    """Announce studies that have gone quiet."""
    from archive.indexing.settle import settle as settle_studies

    settle_studies()


@shared_task
def run_jobs() -> None:
    """Work through the queue of jobs."""
    from archive.jobs.run import run_waiting_jobs

    run_waiting_jobs()


@shared_task
def sweep() -> None:
    """Compare files with rows and check the digests of some."""
    from archive.receiving.decisions import remove_leftovers
    from archive.storage.integrity import sweep as compare
    from archive.storage.integrity import verify_some

    remove_leftovers()
    compare(now=time.time())
    verify_some()


@shared_task
def heartbeat() -> None:
    """Say that the worker takes tasks."""
    from archive.jobs.heartbeat import beat

    beat()


@shared_task
def seal_audit() -> None:
    """Bring journals into the trail and chain its new rows."""
    from archive.audit.chain import seal
    from archive.audit.record import read_journals

    read_journals()
    while seal():
        pass
