"""``/quarantine/``: files that are held back, why, what is stored beside them, and what to do about them."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max, Min, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_POST, require_safe

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import visible_quarantine
from archive.audit.events import Event
from archive.audit.reasons import clean_reason
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.models import QuarantinedFile
from archive.receiving.comparison import Part, compare
from archive.receiving.decisions import Action, Decider, actions_for, decide
from pacs_portal.middleware import client_address

PAGE = 20
"""Groups of one page; of each, one file is read to show what it says."""
MOST_LISTED = 100
"""Files of a group that are listed one by one."""
ANSWER_WITHIN_S = 5.0
"""After this long a decision about many files is shown as far as it is, and goes on."""
MOST_REFUSALS = 5

GROUP = (
    "reason",
    "study_instance_uid",
    "patient_id",
    "patient_name",
    "explanation",
    "calling_ae_title",
    "door",
    "state",
)
"""Files alike in these came for one cause and are decided about together."""

LABELS = {
    Action.REPLACE: "Replace the stored image",
    Action.PUT_BACK: "Put the former image back",
    Action.KEEP_BOTH: "Keep both",
    Action.RELEASE: "Store it",
    Action.DROP: "Drop",
}
EFFECTS = {
    Action.REPLACE: "{files} will be shown in place of the stored one. What is stored now is kept here and can be put back.",
    Action.PUT_BACK: "{files} will be shown again. What is shown now is kept here and can be put back.",
    Action.KEEP_BOTH: "{files} will be copied under new UIDs and stored beside what is there. What came is kept here.",
    Action.RELEASE: "{files} will be stored as it came.",
    Action.DROP: "{files} will be deleted for ever, {size} in all. Nothing brings the bytes back; the audit trail keeps that they came.",
}
EFFECTS_OF_MANY = {
    Action.RELEASE: "{files} will be stored as they came.",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Files that came for one cause."""

    row: QuarantinedFile
    """One of them, the newest."""
    count: int
    size: int
    first_received_at: Any
    parts: list[Part]
    files: list[QuarantinedFile]

    @property
    def actions(self) -> list[tuple[str, str]]:
        return [(action.value, LABELS[action]) for action in actions_for(self.row)]

    @property
    def unlisted(self) -> int:
        return self.count - len(self.files)


@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """Held-back files by cause, the newest first; ``decided=1`` shows what was decided."""
    files = visible_files(request)
    is_decided = request.GET.get("decided") == "1"
    held = QuarantinedFile.State.HELD
    files = files.exclude(state=held) if is_decided else files.filter(state=held)
    counts = Counter(dict(files.order_by().values_list("reason").annotate(Count("pk"))))
    reason = request.GET.get("reason", "")
    if reason in counts:
        files = files.filter(reason=reason)
    page = Paginator(groups_of(files), PAGE).get_page(request.GET.get("page"))
    groups = [group_of(values, files) for values in page]
    look(request, [group.row.pk for group in groups])
    context = {
        "groups": groups,
        "page": page,
        "is_decided": is_decided,
        "chosen": reason if reason in counts else "",
        "total": counts.total(),
        "reasons": [(value, label, counts[value]) for value, label in QuarantinedFile.Reason.choices if counts[value]],
    }
    return render(request, "quarantine/page.html", context)


def visible_files(request: HttpRequest) -> QuerySet[QuarantinedFile]:
    """What this person may decide about; for other roles the page does not exist."""
    user = user_of(request)
    if not has_role(user, Role.TECHNOLOGIST, Role.ADMINISTRATOR):
        raise Http404
    return visible_quarantine(QuarantinedFile.objects.select_related("decided_by"), user)


def groups_of(files: QuerySet[QuarantinedFile]) -> Any:
    """Values of each group with its newest row, in the order of their last file."""
    counted = files.order_by().values(*GROUP)
    return counted.annotate(
        newest=Max("pk"), count=Count("pk"), total=Sum("size"), first=Min("received_at"), last=Max("received_at")
    ).order_by("-last", "-newest")


def group_of(values: dict[str, Any], files: QuerySet[QuarantinedFile]) -> Group:
    row = files.get(pk=values["newest"])
    return Group(
        row=row,
        count=values["count"],
        size=values["total"],
        first_received_at=values["first"],
        parts=compare(row),
        files=list(alike(row, files)[:MOST_LISTED]) if values["count"] > 1 else [],
    )


def alike(row: QuarantinedFile, files: QuerySet[QuarantinedFile]) -> QuerySet[QuarantinedFile]:
    """The files of a row's group that had come when it was shown, in the order in which they came."""
    same = files.filter(**{name: getattr(row, name) for name in GROUP}, pk__lte=row.pk)
    return same.order_by("received_at", "pk")


def look(request: HttpRequest, rows: list[int]) -> None:
    """Names and IDs were shown: that is on record."""
    record_event(
        Event.IDENTITY_LOOKED_AT,
        user=user_of(request),
        address=client_address(request),
        subject="quarantine",
        details={"rows": rows},
    )


@require_POST
def decide_about(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a reason, in numbers of what will be touched; then carry the decision out, as far as it gets in time.

    Without ``file`` it is about every file of the row's group, else about those named.
    """
    visible = visible_files(request)
    row = get_object_or_404(visible, pk=pk)
    action = asked_action(request, row)
    files = alike(row, visible)
    if named := [number_in(text) for text in request.POST.getlist("file")]:
        files = files.filter(pk__in=named)
    context = {"row": row, "action": action.value, "label": LABELS[action], "named": named, "back": "quarantine"}
    totals = files.aggregate(count=Count("pk"), size=Sum("size"))
    if not totals["count"]:
        messages.error(request, "Somebody else has decided about these files.")
        return redirect("quarantine")
    reason = request.POST.get("reason", "")
    if not request.POST.get("confirmed"):
        return ask(request, context | {"effect": effect_of(action, totals), "parts": compare(row)})
    try:
        by = Decider(user_of(request), clean_reason(reason), client_address(request))
    except ArchiveError as error:
        problem = {"problem": str(error), "reason": reason}
        return ask(
            request, context | {"effect": effect_of(action, totals), "parts": compare(row)} | problem, status=400
        )
    return carry_out(request, files, action, by, context)


def number_in(text: str) -> int:
    """A row's number; 0, which no row has, for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def asked_action(request: HttpRequest, row: QuarantinedFile) -> Action:
    """The action of the form, where it can still be decided."""
    try:
        action = Action(request.POST.get("decision", ""))
    except ValueError:
        raise Http404 from None
    if action not in actions_for(row):
        raise Http404
    return action


def ask(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    look(request, [context["row"].pk])
    return render(request, "quarantine/confirm.html", context, status=status)


def effect_of(action: Action, totals: dict[str, int]) -> str:
    """What the decision will touch, in numbers."""
    count = totals["count"]
    words = EFFECTS if count == 1 else EFFECTS | EFFECTS_OF_MANY
    files = "One file" if count == 1 else f"{count} files"
    return words[action].format(files=files, size=filesizeformat(totals["size"]))


def carry_out(
    request: HttpRequest, files: QuerySet[QuarantinedFile], action: Action, by: Decider, context: dict[str, Any]
) -> HttpResponse:
    """Decide file by file; what is left after a few seconds is asked for again by the page."""
    until = time.monotonic() + ANSWER_WITHIN_S
    after, done = number_in(request.POST.get("after", "")), number_in(request.POST.get("done", ""))
    refused: Counter[str] = Counter(request.POST.getlist("refused"))
    left = files.filter(pk__gt=after).order_by("pk")
    total = done + left.count()
    for row in left.iterator(chunk_size=100):
        try:
            decide(row, action, by=by)
        except ArchiveError as error:
            refused[str(error)] += 1
        else:
            done += 1
        after = row.pk
        if time.monotonic() > until:
            break
    if files.filter(pk__gt=after).exists():
        going_on = {
            "reason": by.reason,
            "done": done,
            "total": total,
            "after": after,
            "refused": list(refused)[:MOST_REFUSALS],
        }
        return render(request, "quarantine/going_on.html", context | going_on)
    say_the_end(request, done, refused)
    return redirect("quarantine")


def say_the_end(request: HttpRequest, done: int, refused: Counter[str]) -> None:
    if done:
        words = "1 file is decided." if done == 1 else f"{done} files are decided."
        messages.success(request, f"{words} Their study follows within seconds.")
    for words, count in refused.most_common(MOST_REFUSALS):
        messages.error(request, words if count == 1 else f"{count} files: {words}")
