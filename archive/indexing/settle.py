"""A study that has gone quiet is announced as ready. Quiet is never complete."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive.models import Study
from archive.signals import study_quiet


def settle() -> int:
    """Announce studies to which nothing came for the site's quiet time; returns how many."""
    now = timezone.now()
    quiet_since = now - timedelta(seconds=settings.PORTAL_SETTLE_S)
    settled = 0
    for pk in Study.objects.filter(ready_at__isnull=True, last_received_at__lte=quiet_since).values_list(
        "pk", flat=True
    ):
        with transaction.atomic():
            if Study.objects.filter(pk=pk, ready_at__isnull=True, last_received_at__lte=quiet_since).update(
                ready_at=now
            ):
                study_quiet.send(sender=None, study_id=pk)
                settled += 1
    return settled
