"""Celery's doors of the viewer."""

from __future__ import annotations

from celery import shared_task


@shared_task
def trim_cache() -> None:
    """Keep the levels of large images within the site's limit."""
    from django.conf import settings

    from viewer.tiles.frames import trim_levels

    trim_levels(settings.PORTAL_CACHE_MB * 2**20)
