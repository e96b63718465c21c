"""The reading worklist's pages and actions: list, preview, claim, release, read, priority, columns.

Assigning stands in ``assigning``, filters under a name in ``saved_filters``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive.access.roles import Role, has_role, roles_of, user_of
from archive.models import Study
from pacs_portal.middleware import client_address
from viewer.models import Preferences, ReadingTask, SavedFilter
from viewer.pages.talk import asked_of
from viewer.worklist import claiming
from viewer.worklist.assigning import NoReader, may_assign, reader_groups, readers
from viewer.worklist.changes import change_number, moment
from viewer.worklist.claiming import Change, NotOnWorklist, NotYours, WorklistRefusal, may_read, may_set_priority
from viewer.worklist.columns import COLUMNS, Column, clean_columns, hidden_columns
from viewer.worklist.counts import count_site
from viewer.worklist.figures import may_see_figures
from viewer.worklist.filters import STATES, STATES_OF_ARRIVALS
from viewer.worklist.history import history_of
from viewer.worklist.listing import ARRIVALS, Listing, list_studies
from viewer.worklist.rows import PEOPLE_OF_TASK, StudyRow, row_of, task_of
from viewer.worklist.saved import default_of, filters_for, hidden_with

PREVIEW_THUMBNAILS = 3
ROWS_KEPT = 1000
"""Drawn rows that a process keeps, some 3 KB each."""
STATUSES: dict[type[WorklistRefusal], int] = {NotYours: 403, NotOnWorklist: 404, NoReader: 400}
"""Every other refusal of the worklist is a conflict with what somebody or something did: 409."""


@require_http_methods(["GET", "HEAD", "POST"])
def worklist(request: HttpRequest) -> HttpResponse:
    """The whole page; a POST carries what is typed, for browsers that run no script."""
    roles = roles_of(user_of(request))
    if not roles:
        return render(request, "worklist/no_role.html", status=403)
    if roles == {Role.ADMINISTRATOR}:
        return render(request, "worklist/counts.html", {"counts": count_site()})
    saved = Saved.of(request)
    listing = list_studies(user_of(request), asked(request, saved))
    context = page_context(request, listing, saved) | saved_context(request, saved)
    return render(request, "worklist/page.html", context | {"asked_to_look": asked_of(user_of(request))})


@require_POST
def rows(request: HttpRequest) -> HttpResponse:
    """The list alone, for a filter, an order, a page or a look whether anything changed (204: nothing did)."""
    if not roles_of(user_of(request)) - {Role.ADMINISTRATOR}:
        raise Http404
    who, seen = user_of(request), request.POST.get("seen", "")
    # Taken before the list is read: what changes while it is read is found by the next look.
    number = change_number()
    now_at = moment(number, who.pk, timezone.now()) if may_read(who) else ""
    if seen and now_at and seen.startswith(f"{now_at}/"):
        return HttpResponse(status=204, headers={"X-Worklist-Seen": seen})
    listing = list_studies(who, request.POST, number=number)
    digest = listing.digest
    if seen and seen.rpartition("/")[2] == digest:
        return HttpResponse(status=204, headers={"X-Worklist-Seen": f"{now_at}/{digest}"})
    saved = Saved.of(request)
    context = page_context(request, listing, saved) | {"is_partial": True, "seen": f"{now_at}/{digest}"}
    response = render(request, "worklist/list.html", context)
    response["X-Worklist-Seen"] = context["seen"]
    if not seen:
        path = page_path(request)
        response["HX-Replace-Url"] = f"{path}?{context['query']}" if context["query"] else path
    return response


@dataclass(frozen=True, slots=True)
class Saved:
    """The filters under a name that a person has, and which of them the page is about."""

    filters: tuple[SavedFilter, ...] = ()
    first: SavedFilter | None = None
    """What is shown where nothing was asked for."""
    chosen: SavedFilter | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> Saved:
        found = tuple(filters_for(user_of(request)))
        first = default_of(found)
        values = request.POST if request.method == "POST" else request.GET
        named = {str(one.pk): one for one in found}
        chosen = named.get(values.get("list", "")) if values else first
        return cls(found, first, chosen)

    @property
    def value(self) -> str:
        """As an address names the choice; where a list is shown first, "none" has to be said."""
        return str(self.chosen.pk) if self.chosen else "0" if self.first else ""


def asked(request: HttpRequest, saved: Saved) -> QueryDict:
    """What the list is asked for; what is typed is never taken from an address."""
    if request.method == "POST":
        return request.POST
    if not request.GET and saved.first is not None:
        return QueryDict(saved.first.query)
    values = request.GET.copy()
    values.pop("text", None)
    return values


def page_path(request: HttpRequest) -> str:
    """Where the list stands: the start page, or the address of its own."""
    own = reverse("worklist")
    shown = urlsplit(request.headers.get("HX-Current-URL", "")).path or request.path
    return own if shown == own else reverse("home")


def page_context(request: HttpRequest, listing: Listing, saved: Saved) -> dict[str, Any]:
    """What the templates of the list need beside the list itself."""
    who, shown = user_of(request), listing.filter.values
    chosen = shown.get("modality", [])
    counted = dict(listing.counts.modalities) | {
        name: "" for name in chosen if name not in dict(listing.counts.modalities)
    }
    query = with_values(listing.query, **({"list": saved.value} if saved.value else {}))
    own = request.POST if request.method == "POST" else request.GET
    return {
        "listing": listing,
        "seen": f"/{listing.digest}",
        "just_arrived": [drawn(row) for row in listing.just_arrived],
        "rows": [drawn(row) for row in listing.rows],
        "query": query,
        "list_value": saved.value,
        "clear_path": f"{page_path(request)}?list=0" if saved.first else page_path(request),
        "asked_after": asked_place(own, "after"),
        "asked_before": asked_place(own, "before"),
        "shown": shown,
        "state": shown.get("state", ""),
        "states": STATES_OF_ARRIVALS if listing.habit == ARRIVALS else STATES,
        "modalities": [(name, count, name in chosen) for name, count in counted.items()],
        "headings": [heading(column, listing) for column in COLUMNS],
        "columns": COLUMNS,
        "hidden": hidden_with(saved.chosen) if saved.chosen and saved.chosen.columns else hidden_columns(who),
        "page_path": page_path(request),
        "before_query": with_values(query, before=listing.page.before),
        "after_query": with_values(query, after=listing.page.after),
        "may_read": may_read(who),
        "is_arrivals": listing.habit == ARRIVALS,
    }


@lru_cache(maxsize=ROWS_KEPT)
def drawn(row: StudyRow) -> str:
    """A row as the page has it: the same for all who see the same, and for every look until something changes."""
    return render_to_string("worklist/row.html", {"row": row})


def saved_context(request: HttpRequest, saved: Saved) -> dict[str, Any]:
    """What the menu of filters needs beside the list."""
    who = user_of(request)
    groups = list(who.groups.order_by("name"))
    return {
        "saved": saved,
        "share_with": groups if has_role(who, Role.RADIOLOGIST, Role.TECHNOLOGIST) else [],
        "has_groups": any(group.name not in set(Role) for group in groups),
        "may_see_figures": may_see_figures(who),
    }


def asked_place(values: QueryDict, name: str) -> str:
    """The place that the shown page began at, for the next look at it."""
    value = str(values.get(name, ""))
    return value if value.isdigit() else ""


def heading(column: Column, listing: Listing) -> dict[str, str]:
    """A column's head: how the list is sorted by it, and what a click would do."""
    order = listing.order
    direction = ("descending" if order.descending else "ascending") if order.column == column.sort else ""
    following = f"-{column.sort}" if direction == "ascending" else column.sort
    query = listing.filter.query(sort=following)
    return {
        "key": column.key,
        "label": column.label,
        "sort": column.sort,
        "direction": direction,
        "next": following,
        "query": query,
    }


def with_values(query: str, **values: str) -> str:
    return "&".join(part for part in (query, urlencode(values)) if part)


@require_GET
def preview(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """A look at a study without opening it: thumbnails, history, who asked, what can be done."""
    from viewer.stacks.manifest import thumbnails_of

    study = visible_study(request, study_instance_uid)
    context = {
        "study": study,
        "row": row_of(study, user_of(request), timezone.now()),
        "task": task_of(study),
        "thumbnails": thumbnails_of(study, PREVIEW_THUMBNAILS),
        "history": history_of(study, user_of(request)),
        "may_read": may_read(user_of(request)),
        "may_set_priority": may_set_priority(user_of(request)),
        "priorities": ReadingTask.Priority.choices,
        "may_assign": may_assign(user_of(request)),
        "readers": readers(),
        "reader_groups": reader_groups(),
    }
    return render(request, "worklist/preview.html", context)


def visible_study(request: HttpRequest, study_instance_uid: str) -> Study:
    studies = Study.objects.visible_to(user_of(request)).select_related("patient", "report", *PEOPLE_OF_TASK)
    return get_object_or_404(studies, study_instance_uid=study_instance_uid)


# --- Actions --------------------------------------------------------------------------------------------------------


def answer(request: HttpRequest, study_instance_uid: str, act: Callable[[Change], ReadingTask]) -> JsonResponse:
    """Do one change of a study that the person may see; a refusal is said in words."""
    study = visible_study(request, study_instance_uid)
    try:
        task = act(Change(user_of(request), study, client_address(request)))
    except WorklistRefusal as refusal:
        reader = getattr(refusal, "reader", None)
        said = {"error": str(refusal), "reader": str(reader) if reader else None}
        return JsonResponse(said, status=STATUSES.get(type(refusal), 409))
    return JsonResponse(in_json(task))


def in_json(task: ReadingTask) -> dict[str, Any]:
    return {
        "state": task.state,
        "priority": ReadingTask.Priority(task.priority).label,
        "assigned_to": str(task.assigned_to or task.assigned_group or "") or None,
        "assigned_because": task.assigned_because,
        "claimed_by": str(task.claimed_by) if task.claimed_by else None,
        "claimed_at": task.claimed_at.isoformat() if task.claimed_at else None,
        "claim_lasts_s": int(claiming.CLAIM_LASTS.total_seconds()),
        "read_by": str(task.read_by) if task.read_by else None,
    }


@require_POST
def claim(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    return answer(request, study_instance_uid, claiming.claim)


@require_POST
def claim_heartbeat(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    return answer(request, study_instance_uid, claiming.heartbeat)


@require_POST
def release(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    return answer(request, study_instance_uid, claiming.release)


@require_POST
def read(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    return answer(request, study_instance_uid, claiming.mark_read)


@require_POST
def unread(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    return answer(request, study_instance_uid, claiming.mark_unread)


@require_POST
def priority(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    """Set the priority named by ``priority``: STAT, urgent or routine."""
    named = {choice.label.casefold(): choice for choice in ReadingTask.Priority}
    found = request.POST.get("priority", "")
    wanted = named.get(found.casefold())
    visible_study(request, study_instance_uid)
    if wanted is None:
        words = ", ".join(choice.label for choice in ReadingTask.Priority)
        return JsonResponse({"error": f"priority: {found[:40]!r} cannot be used. Accepted: {words}."}, status=400)
    return answer(request, study_instance_uid, lambda change: claiming.set_priority(change, wanted))


@require_POST
def columns(request: HttpRequest) -> HttpResponse:
    """Keep which columns the person wants to see."""
    if not has_role(user_of(request), *Role):
        raise Http404
    shown = clean_columns(request.POST.getlist("column"))
    Preferences.objects.update_or_create(user=user_of(request), defaults={"worklist_columns": shown})
    return HttpResponse(status=204)
