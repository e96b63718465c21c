"""``/lists/``: lists of studies for conferences and teaching, and showing them one after the other."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from archive.access.roles import has_role, user_of
from archive.models import User
from pacs_portal.middleware import client_address
from viewer.cases import lists, presenting
from viewer.cases.lists import KEEPERS, Place, Wish
from viewer.errors import NotFound, ViewerError
from viewer.models import Case, CaseList, ShareOpening
from viewer.pages.shared_cookie import give_cookie
from viewer.pages.study import patient_facts, study_facts, visible_study
from viewer.sharing.contents import root_of
from viewer.sharing.errors import CannotShare
from viewer.sharing.links import may_share


def keeper(request: HttpRequest) -> User:
    """A person whose role keeps lists; for others there are none."""
    who = user_of(request)
    if not has_role(who, *KEEPERS):
        raise Http404
    return who


def wish_of(request: HttpRequest, who: User, before: CaseList | None = None) -> Wish:
    """A list as the form describes it.

    Raises
    ------
    ListRefusal
    """
    number = request.POST.get("group", "")
    groups = [*who.groups.all(), *([before.group] if before and before.group else [])]
    group = next((one for one in groups if str(one.pk) == number), None)
    if number and group is None:
        raise lists.ListRefusal("Lists are shared with groups that you belong to.")
    return Wish(request.POST.get("name", ""), request.POST.get("kind", CaseList.Kind.CONFERENCE), group)


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """All lists that the person may see; by POST one is made."""
    who = keeper(request)
    problem = ""
    if request.method == "POST":
        try:
            made = lists.make_list(wish_of(request, who), by=who)
            return redirect("case-list", made.pk)
        except lists.ListRefusal as refusal:
            problem = str(refusal)
    context = {
        "lists": [(one, len(lists.cases_for(who, one))) for one in lists.lists_of(who)],
        "problem": problem,
        "typed": request.POST,
    } | choices_of(who)
    return render(request, "cases/index.html", context, status=400 if problem else 200)


def choices_of(who: User) -> dict[str, Any]:
    return {"kinds": CaseList.Kind.choices, "groups": who.groups.order_by("name"), "me": who}


def list_or_404(request: HttpRequest, pk: int) -> tuple[User, CaseList]:
    who = keeper(request)
    try:
        return who, lists.list_for(who, pk)
    except NotFound as error:
        raise Http404 from error


@require_http_methods(["GET", "HEAD", "POST"])
def one_list(request: HttpRequest, pk: int) -> HttpResponse:
    """What is on a list, in its order; by POST it is renamed or shared otherwise."""
    who, kept = list_or_404(request, pk)
    problem = ""
    if request.method == "POST":
        try:
            lists.change_list(kept, wish_of(request, who, before=kept), by=who)
            return redirect("case-list", pk)
        except lists.ListRefusal as refusal:
            problem = str(refusal)
            who, kept = list_or_404(request, pk)
    cases = lists.cases_for(who, kept)
    context = {
        "list": kept,
        "cases": [entry_of(one, who) for one in cases],
        "hidden": lists.hidden_count(kept, len(cases)),
        "is_keeper": kept.owner_id == who.pk,
        "problem": problem,
    } | choices_of(who)
    return render(request, "cases/list.html", context, status=400 if problem else 200)


def entry_of(case: Case, who: User) -> dict[str, Any]:
    """One row of a list's page."""
    series = case.study.series.filter(series_instance_uid=case.series_instance_uid).first()
    return {
        "case": case,
        "patient": patient_facts(case.study),
        "study": study_facts(case.study),
        "what": "a view"
        if case.view
        else f"series {series.series_number or ''} {series.series_description}".strip()
        if series
        else "",
        "address": address_with_names(case),
        "may_present": may_share(who, case.study),
    }


def address_with_names(case: Case) -> str:
    """The viewer on an entry, with the buttons that lead to the next one."""
    query = presenting.view_of(case)
    return f"{reverse('viewer', args=[case.study.study_instance_uid])}?{query}{'&' if query else ''}case={case.pk}"


@require_POST
def change(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """``remove`` a list, or ``restore`` it."""
    who = keeper(request)
    kept = CaseList.objects.filter(pk=pk, owner=who).first()
    if kept is None or action not in ("remove", "restore"):
        raise Http404
    lists.remove_list(kept, by=who, is_removed=action == "remove")
    if action == "restore":
        return redirect("case-list", pk)
    return render(request, "cases/removed.html", {"list": kept})


@require_POST
def change_case(request: HttpRequest, pk: int, case: int, action: str) -> HttpResponse:
    """``up``, ``down``, ``note`` or ``remove`` an entry."""
    who, kept = list_or_404(request, pk)
    try:
        found = lists.case_for(who, kept, case)
        if action in ("up", "down"):
            lists.move_case(found, -1 if action == "up" else 1, by=who)
        elif action == "note":
            lists.write_note(found, request.POST.get("note", ""), by=who)
        elif action == "remove":
            lists.remove_case(found, by=who)
        else:
            raise Http404
    except NotFound as error:
        raise Http404 from error
    except ViewerError as error:
        messages.warning(request, str(error))
    return redirect(f"{reverse('case-list', args=[pk])}#case-{case}")


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Put a study on a list, or on a new one."""
    who = keeper(request)
    study = visible_study(request, study_instance_uid)
    given = request.POST or request.GET
    problem = ""
    if request.method == "POST":
        try:
            kept = chosen_list(request, who)
            place = Place(given.get("series", "")[:64], given.get("view", ""))
            lists.add_case(kept, study, by=who, place=place, note=given.get("note", ""))
            messages.success(request, f"The study is on “{kept.name}”.")
            return redirect("case-list", kept.pk)
        except ViewerError as error:
            problem = str(error)
    context = {
        "study": study_facts(study),
        "patient": patient_facts(study),
        "lists": lists.lists_of(who),
        "series": study.series.filter(instance_count__gt=0),
        "given": given,
        "problem": problem,
    } | choices_of(who)
    return render(request, "cases/add.html", context, status=400 if problem else 200)


def chosen_list(request: HttpRequest, who: User) -> CaseList:
    """The list that the form names, or a new one under the name that was typed.

    Raises
    ------
    ListRefusal, NotFound
    """
    number = request.POST.get("list", "")
    if number.isascii() and number.isdigit() and len(number) < 10:
        return lists.list_for(who, int(number))
    return lists.make_list(wish_of(request, who), by=who)


@require_POST
def present(request: HttpRequest, pk: int, case: int) -> HttpResponse:
    """Show an entry without names, in this browser alone."""
    who, kept = list_or_404(request, pk)
    try:
        found = lists.case_for(who, kept, case)
    except NotFound as error:
        raise Http404 from error
    opening = presenting.opened_before(request.session, found)
    cookie = ""
    if opening is None:
        try:
            browser = request.headers.get("User-Agent", "")
            cookie, opening = presenting.open_without_names(
                found, by=who, address=client_address(request), browser=browser
            )
        except CannotShare as refusal:
            messages.warning(request, f"This entry cannot be shown without names. {refusal}")
            return redirect("case-list", pk)
        presenting.remember(request.session, found, opening)
    query = presenting.view_without_names(opening.link, presenting.view_of(found))
    response = redirect(f"{root_of(opening)}/{'?' if query else ''}{query}")
    if cookie:
        give_cookie(request, response, opening, cookie)
    return response


# --- Where the presenter stands, for the viewer's head ----------------------------------------------------------------


def stepping_with_names(request: HttpRequest) -> dict[str, Any] | None:
    """The buttons of a viewer that was opened from a list; None where it was not."""
    number = request.GET.get("case", "")
    who = user_of(request)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    found = Case.objects.filter(pk=int(number), list__in=lists.lists_of(who)).select_related("list").first()
    step = presenting.step_of(who, found) if found else None
    return _buttons(step, is_named=True) if step else None


def stepping_without_names(request: HttpRequest, opening: ShareOpening) -> dict[str, Any] | None:
    """The buttons of a de-identified viewer, for the presenter alone."""
    if not request.user.is_authenticated:
        return None
    who = user_of(request)
    found = presenting.case_presented(request.session, opening)
    if found is None or not lists.lists_of(who).filter(pk=found.list_id).exists():
        return None
    step = presenting.step_of(who, found)
    return _buttons(step, is_named=False) if step else None


def _buttons(step: presenting.Step, *, is_named: bool) -> dict[str, Any]:
    def target(case: Case | None) -> str:
        if case is None:
            return ""
        return address_with_names(case) if is_named else reverse("case-present", args=[step.list.pk, case.pk])

    return {
        "case": step.case.pk,
        "place": f"{step.number} of {step.count}",
        "list": reverse("case-list", args=[step.list.pk]),
        "name": step.list.name,
        "is_named": is_named,
        "previous": target(step.previous),
        "next": target(step.next),
    }
