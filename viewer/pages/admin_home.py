"""The administration's first page: whether all is well, each figure with its last day and a way to look closer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.audit.events import Event
from archive.models import AuditEvent, BreakGlass, Job, NameMapping, Patient, Peer, QuarantinedFile, StoredFile, Study
from pacs_portal import health
from viewer.models import ReadingTask

HOURS = 24
PEERS_SHOWN = 12
SPARK_WIDTH, SPARK_HEIGHT = 96, 24
"""Units of a sparkline's drawing; one column an hour."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number or word, what it is, what it was in each hour of the last day, and where to look closer."""

    label: str
    value: str
    url: str
    state: str = "ok"
    """``ok``, ``warning`` or ``failed``; said in a word as well."""
    detail: str = ""
    hours: list[int] = field(default_factory=list)

    @property
    def points(self) -> str:
        """The hours as the points of a line, the highest at the top."""
        highest = max(self.hours, default=0) or 1
        step = SPARK_WIDTH / (HOURS - 1)
        return " ".join(
            f"{place * step:.1f},{SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * count / highest:.1f}"
            for place, count in enumerate(self.hours)
        )

    @property
    def spark_words(self) -> str:
        return f"{sum(self.hours)} in the last {HOURS} hours, at most {max(self.hours, default=0)} in one"


@require_safe
def admin_home(request: HttpRequest) -> HttpResponse:
    """Django's own index, with the figures above its list."""
    return admin.site.admin_view(index)(request)


@require_safe
def sign_in(request: HttpRequest) -> HttpResponse:
    """Where Django admin sends whoever may not open it: who is signed in would only come back from the sign-in page."""
    if request.user.is_authenticated:
        raise Http404
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{reverse('account_login')}{'?' if query else ''}{query}")


def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "health": health_figures(now),
        "work": work_figures(now),
        "peers": Peer.objects.filter(enabled=True).order_by("-last_seen_at")[:PEERS_SHOWN],
        "peers_off": Peer.objects.filter(enabled=False).count(),
        "spark_box": f"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}",
        "at": now,
    }
    return admin.site.index(request, extra_context=context)


def health_figures(now: datetime) -> list[Figure]:
    """What ``/readyz`` looks at, in words."""
    checks: list[tuple[str, Callable[[], health.Finding], str, list[int]]] = [
        ("Receiver", health.receiver, reverse("network"), images_by_hour(now)),
        (
            "Worker",
            health.worker,
            reverse("jobs"),
            by_hour(now, Job.objects.filter(state=Job.State.DONE), "finished_at"),
        ),
        ("Backlog", health.waiting, "/readyz", []),
        ("Disk", health.disk, reverse("admin:archive_storedfile_changelist"), []),
        ("Database", health.database, "/readyz", []),
    ]
    if settings.PORTAL_DICOM_TLS_CERTIFICATE:
        checks.append(("TLS certificate", health.certificate, reverse("network"), []))
    words = {"ok": "well", "warning": "look", "failed": "failed"}
    figures = []
    for label, check, url, hours in checks:
        state, detail = check()
        figures.append(Figure(label, words[state], url, state, detail, hours))
    return figures


def work_figures(now: datetime) -> list[Figure]:
    """What waits for somebody, and what has failed."""
    lists = {name: reverse(f"admin:archive_{name}_changelist") for name in LISTS}
    return [
        studies_figure(now, lists["study"]),
        overdue_figure(now),
        *failing_figures(now, lists["storedfile"]),
        *people_figures(now, lists),
        events_figure("Associations refused", now, lists["auditevent"], Event.ASSOCIATION_REFUSED),
        events_figure("Sign-ins failed", now, lists["auditevent"], Event.SIGN_IN_FAILED, Event.LOCKED_OUT),
    ]


def overdue_figure(now: datetime) -> Figure:
    overdue = ReadingTask.objects.exclude(state=ReadingTask.State.READ).filter(due_at__lt=now)
    raised = by_hour(now, ReadingTask.objects.all(), "overdue_told_at")
    words = "studies wait longer than the site's limit"
    return waiting_figure("Overdue", overdue.count(), reverse("worklist-figures"), words, raised)


def studies_figure(now: datetime, url: str) -> Figure:
    studies = Study.objects.aggregate(
        all=Count("pk"), images=Sum("instance_count"), arriving=Count("pk", filter=Q(ready_at=None))
    )
    return Figure(
        "Studies",
        str(studies["all"]),
        url,
        detail=f"{studies['images'] or 0} images; {studies['arriving']} studies are arriving",
        hours=by_hour(now, Study.objects.all(), "last_received_at"),
    )


def failing_figures(now: datetime, files_url: str) -> list[Figure]:
    """Files and jobs that cannot go on by themselves."""
    held = QuarantinedFile.objects.filter(state=QuarantinedFile.State.HELD)
    failed = Job.objects.filter(state__in=[Job.State.PARKED, Job.State.FAILED])
    return [
        waiting_figure(
            "Held back",
            held.count(),
            reverse("quarantine"),
            "files wait for a decision",
            by_hour(now, QuarantinedFile.objects.all(), "received_at"),
        ),
        waiting_figure(
            "Jobs failed",
            failed.count(),
            f"{reverse('jobs')}?state=failed",
            "failed or parked",
            by_hour(now, failed, "finished_at"),
        ),
        waiting_figure(
            "Damaged files",
            StoredFile.objects.exclude(damage="").count(),
            f"{files_url}?damage__isempty=0",
            "found by the last check",
            [],
        ),
    ]


def people_figures(now: datetime, lists: dict[str, str]) -> list[Figure]:
    """What a person has to look at: emergency accesses, identities, names of referrers."""
    return [
        waiting_figure(
            "Emergency accesses",
            BreakGlass.objects.filter(seen_at=None).count(),
            f"{lists['breakglass']}?seen_at__isempty=1",
            "nobody has looked at yet",
            by_hour(now, BreakGlass.objects.all(), "opened_at"),
        ),
        waiting_figure(
            "Identities",
            Patient.objects.filter(identity_to_be_checked=True).count(),
            f"{lists['patient']}?identity_to_be_checked__exact=1",
            "patients to be checked",
            [],
            is_urgent=False,
        ),
        waiting_figure(
            "Names",
            NameMapping.objects.filter(state=NameMapping.State.PROPOSED).count(),
            f"{lists['namemapping']}?state__exact=proposed",
            "of referrers are proposed",
            [],
            is_urgent=False,
        ),
    ]


def events_figure(title: str, now: datetime, url: str, *events: Event) -> Figure:
    """Events of the last day; the list that it leads to shows the first kind."""
    found = events_of(*events)
    return Figure(
        title,
        str(found.filter(happened_at__gte=now - timedelta(hours=HOURS)).count()),
        f"{url}?event={events[0]}",
        detail="in the last day",
        hours=by_hour(now, found, "happened_at"),
    )


LISTS = ("study", "storedfile", "breakglass", "patient", "namemapping", "auditevent")


def waiting_figure(
    label: str, count: int, url: str, detail: str, hours: list[int], *, is_urgent: bool = True
) -> Figure:
    """Something that should be none."""
    return Figure(label, str(count), url, "warning" if count and is_urgent else "ok", detail, hours)


def events_of(*events: Event) -> Any:
    return AuditEvent.objects.filter(event__in=[event.value for event in events])


def images_by_hour(now: datetime) -> list[int]:
    """Images that were indexed in each hour of the last day: summed from the audit trail, which has an index by time."""
    received = events_of(Event.INSTANCES_RECEIVED).filter(happened_at__gt=now - timedelta(hours=HOURS))
    return in_hours(
        now, ((at, int(details.get("instances", 0))) for at, details in received.values_list("happened_at", "details"))
    )


def by_hour(now: datetime, rows: Any, moment: str) -> list[int]:
    """Rows of each hour of the last day."""
    recent = rows.filter(**{f"{moment}__gt": now - timedelta(hours=HOURS)})
    return in_hours(now, ((at, 1) for at in recent.values_list(moment, flat=True)))


def in_hours(now: datetime, moments: Iterable[tuple[datetime, int]]) -> list[int]:
    """Sum counts by hour, the oldest hour first.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    >>> in_hours(noon, [(noon - timedelta(minutes=5), 3), (noon - timedelta(hours=23, minutes=30), 1)])[::23]
    [1, 3]
    """
    hours = [0] * HOURS
    for at, count in moments:
        ago = int((now - at).total_seconds() // 3600)
        if 0 <= ago < HOURS:
            hours[HOURS - 1 - ago] += count
    return hours
