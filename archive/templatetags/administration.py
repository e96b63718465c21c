"""The figures of the administration's first page."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from django import template
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from archive.models import AuditEvent, BreakGlass, Job, Peer, QuarantinedFile, StoredFile, Study

register = template.Library()


class Figure(NamedTuple):
    """One number, what it counts, and where to look closer."""

    label: str
    value: int
    url: str
    needs_a_look: bool


@register.simple_tag
def figures() -> list[Figure]:
    """What an administrator looks at first."""
    day = timezone.now() - timedelta(days=1)
    studies = Study.objects.aggregate(
        all=Count("pk"),
        today=Count("pk", filter=Q(first_received_at__gte=day)),
        arriving=Count("pk", filter=Q(ready_at=None)),
    )
    held = QuarantinedFile.objects.filter(state=QuarantinedFile.State.HELD).count()
    parked = Job.objects.filter(state__in=[Job.State.PARKED, Job.State.FAILED]).count()
    damaged = StoredFile.objects.exclude(damage="").count()
    emergencies = BreakGlass.objects.filter(seen_at=None).count()
    refused = AuditEvent.objects.filter(event="association-refused", happened_at__gte=day).count()
    return [
        Figure("studies", studies["all"], reverse("admin:archive_study_changelist"), False),
        Figure("studies in the last day", studies["today"], reverse("admin:archive_study_changelist"), False),
        Figure("studies arriving", studies["arriving"], reverse("admin:archive_study_changelist"), False),
        Figure("files held back", held, reverse("quarantine"), held > 0),
        Figure("jobs failed or parked", parked, reverse("admin:archive_job_changelist"), parked > 0),
        Figure("damaged files", damaged, reverse("admin:archive_storedfile_changelist"), damaged > 0),
        Figure(
            "emergency accesses to look at",
            emergencies,
            reverse("admin:archive_breakglass_changelist"),
            emergencies > 0,
        ),
        Figure("associations refused in the last day", refused, reverse("admin:archive_auditevent_changelist"), False),
    ]


@register.simple_tag
def peers_seen() -> list[Peer]:
    """The peers that were heard of last."""
    return list(Peer.objects.filter(enabled=True).order_by("-last_seen_at")[:8])
