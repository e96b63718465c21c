"""Celery's doors of the viewer."""

from __future__ import annotations

from celery import shared_task


@shared_task
def trim_cache() -> None:
    """Keep the levels of large images within the site's limit."""
    from viewer.tiles.level_cache import limit_bytes, trim_levels

    trim_levels(limit_bytes())


@shared_task
def raise_overdue() -> None:
    """Raise studies that nobody has read in time."""
    from viewer.worklist.overdue import raise_overdue as raise_all

    raise_all()
