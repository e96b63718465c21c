"""``/studies/<uid>/share`` and ``…/masks``: links of a study for people without an account, and what hides names."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import may_read_reports
from archive.models import Study, User
from pacs_portal.middleware import client_address
from viewer.models import Annotation, ShareLink
from viewer.pages.study import patient_facts, study_facts, visible_study
from viewer.sharing.errors import CannotShare
from viewer.sharing.links import Wanted, longest_days, make_link, may_share, policy, revoke_link, state_in_words
from viewer.sharing.masks import draw_mask, masks_of, proposed, read_rectangles, sizes_to_look_at
from viewer.stacks.manifest import split_study
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable

DAYS = (1, 7, 30, 90, 365)


@require_http_methods(["GET", "HEAD", "POST"])
def sharing(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The page of a study's links; by POST one is made, and its address is shown this once."""
    study = shareable(request, study_instance_uid)
    who = user_of(request)
    problem, made, status = "", "", 200
    if request.method == "POST":
        try:
            secret, _ = make_link(study, wanted_of(request, study), by=who, address=client_address(request))
            made = f"{settings.PORTAL_PUBLIC_URL}{reverse('shared', args=[secret])}"
        except CannotShare as error:
            problem, status = str(error), 400
    typed = request.POST if problem else {}
    return render(
        request,
        "sharing/page.html",
        context_of(who, study)
        | {
            "problem": problem,
            "made": made,
            "typed": typed,
            "chosen": request.POST.getlist("series") if problem else [],
        },
        status=status,
    )


def shareable(request: HttpRequest, study_instance_uid: str) -> Study:
    """A study that the person may see and share; 404 otherwise."""
    study = visible_study(request, study_instance_uid)
    if not may_share(user_of(request), study):
        raise Http404
    return study


def wanted_of(request: HttpRequest, study: Study) -> Wanted:
    """What the form says.

    Raises
    ------
    CannotShare
        A field cannot be understood.
    """
    form = request.POST
    what = form.get("what", "all")
    series = form.getlist("series") if what == "series" else []
    images = key_images(study) if what == "images" else []
    if what == "series" and not series:
        raise CannotShare("Choose at least one series.")
    if what == "images" and not images:
        raise CannotShare("This study has no key images yet: mark some in the viewer.")
    return Wanted(
        recipient=form.get("recipient", "").strip(),
        days=whole(form.get("days", ""), "the number of days"),
        starts_at=moment(form.get("starts_at", "")),
        passcode=form.get("passcode", ""),
        most_views=whole(form["most_views"], "the number of openings") if form.get("most_views") else None,
        series=series,
        images=images,
        is_deidentified="deidentified" in form,
        with_report="report" in form,
    )


def whole(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 100_000):
        raise CannotShare(f"Write {what} as a whole number from 1.")
    return int(text)


def moment(text: str) -> datetime | None:
    """A date and time of the site's zone."""
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CannotShare("Write from when the link opens as a date and a time.")
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def key_images(study: Study) -> list[tuple[str, int]]:
    """Frames that readers marked as key images."""
    marked = Annotation.objects.filter(study=study, kind="key_image", deleted_at=None)
    return list(dict.fromkeys(marked.values_list("sop_instance_uid", "frame_number")))


def links_for(who: User, study: Study) -> QuerySet[ShareLink]:
    """A person's own links; radiologists see those of everybody."""
    links = ShareLink.objects.filter(study=study).select_related("maker").prefetch_related("openings")
    return links if has_role(who, Role.RADIOLOGIST) else links.filter(maker=who)


def context_of(who: User, study: Study) -> dict[str, Any]:
    longest = longest_days(who)
    return {
        "study": study_facts(study),
        "patient": patient_facts(study),
        "links": [(link, state_in_words(link)) for link in links_for(who, study)],
        "series": study.series.filter(instance_count__gt=0),
        "days": sorted({*(one for one in DAYS if one < longest), longest}),
        "key_images": len(key_images(study)),
        "may_report": may_read_reports(who, study),
        "passcode_required": policy().passcode_required,
        "to_look_at": any(not one["is_drawn"] for one in to_mask(study)),
    }


@require_POST
def revoke(request: HttpRequest, study_instance_uid: str, link: int) -> HttpResponse:
    """End a link at once; whoever has it open is told within seconds."""
    study = visible_study(request, study_instance_uid)
    found = get_object_or_404(links_for(user_of(request), study), pk=link)
    if revoke_link(found, by=user_of(request), address=client_address(request)):
        messages.success(request, f"The link for {found.recipient} opens nothing any more.")
    return redirect("sharing", study_instance_uid)


# --- Masks ------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def masks(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Rectangles over burned-in text, series by series; what a de-identified view and download cover."""
    study = shareable(request, study_instance_uid)
    problem = ""
    if request.method == "POST":
        try:
            keep_mask(request, study)
            messages.success(request, "The mask is kept.")
            return redirect("masks", study_instance_uid)
        except CannotShare as error:
            problem = str(error)
    context = {
        "study": study_facts(study),
        "patient": patient_facts(study),
        "entries": to_mask(study),
        "problem": problem,
    }
    return render(request, "sharing/masks.html", context, status=400 if problem else 200)


def to_mask(study: Study) -> list[dict[str, Any]]:
    """Each size of image of each series that may carry text, with what is drawn or proposed."""
    found = []
    for split in split_study(study):
        drawn = masks_of(split.series)
        sizes = sizes_to_look_at([one for one in split.stacks if can_be_drawn(one)])
        for size in dict.fromkeys([*sizes, *drawn]):
            stack = next((one for one in split.stacks if size_of(one) == size), None)
            if stack is None:
                continue
            description = drawable(stack.first.instance).description
            rectangles = drawn.get(size, tuple(proposed(description)))
            found.append(
                {
                    "series": split.series,
                    "rows": size[0],
                    "columns": size[1],
                    "is_drawn": size in drawn,
                    "rectangles": json.dumps([list(one) for one in rectangles]),
                    "picture": f"/dicom-web/studies/{study.study_instance_uid}/series/"
                    f"{split.series.series_instance_uid}/instances/{stack.first.instance.sop_instance_uid}"
                    f"/frames/{stack.middle.frame_number}/rendered?viewport={min(size[1], 1024)},{min(size[0], 1024)}",
                }
            )
    return found


def can_be_drawn(stack: Stack) -> bool:
    return not (stack.first.instance.undrawable_reason or stack.first.instance.damage)


def size_of(stack: Stack) -> tuple[int, int] | None:
    if not can_be_drawn(stack):
        return None
    description = drawable(stack.first.instance).description
    return description.rows, description.columns


def keep_mask(request: HttpRequest, study: Study) -> None:
    """The mask of the form.

    Raises
    ------
    CannotShare
        It names no image of this study, or is no list of rectangles.
    """
    series = study.series.filter(series_instance_uid=request.POST.get("series", "")).first()
    wanted = (request.POST.get("rows", ""), request.POST.get("columns", ""))
    entries = [one for one in to_mask(study) if series and one["series"].pk == series.pk]
    known = next((one for one in entries if (str(one["rows"]), str(one["columns"])) == wanted), None)
    if series is None or known is None:
        raise CannotShare("There is no such series to mask.")
    try:
        values = json.loads(request.POST.get("rectangles", ""))
    except ValueError:
        values = None
    rectangles = read_rectangles(values, rows=known["rows"], columns=known["columns"])
    size = known["rows"], known["columns"]
    draw_mask(series, size, rectangles, by=user_of(request), address=client_address(request))
