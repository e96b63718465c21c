"""Celery's doors of the viewer."""

from __future__ import annotations

from celery import shared_task


@shared_task
def send_notifications() -> None:
    """Send what waits in the outbox."""
    from viewer.notifying.outbox import send_waiting

    send_waiting()


@shared_task
def chase_critical_results() -> None:
    """Remind of critical results that nobody has acknowledged, and escalate them."""
    from viewer.critical.chasing import chase

    chase()


@shared_task
def trim_cache() -> None:
    """Keep the levels of large images within the site's limit, files to take away for a day, earlier drafts for a while."""
    from viewer.exports.keeping import remove_old
    from viewer.reports.earlier import drop_old_drafts
    from viewer.tiles.level_cache import limit_bytes, trim_levels

    trim_levels(limit_bytes())
    remove_old()
    drop_old_drafts()


@shared_task
def raise_overdue() -> None:
    """Raise studies that nobody has read in time."""
    from viewer.worklist.overdue import raise_overdue as raise_all

    raise_all()
