"""Keep a filter of the worklist under a name, for oneself or a group, and delete it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from archive.access.roles import Role, roles_of, user_of
from archive.models import User
from viewer.worklist.columns import COLUMNS, clean_columns, hidden_columns
from viewer.worklist.listing import habit_of
from viewer.worklist.saved import NotSaved, Wish, clean_query, delete_filter, save_filter


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the filter that ``query`` describes."""
    who = somebody_with_a_list(request)
    query = clean_query(request.POST.get("query", ""), habit_of(who), who)
    try:
        saved = save_filter(who, wish_of(request, who, query))
    except NotSaved as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{reverse('worklist')}?{query}")
    messages.success(request, f"The filter is kept as “{saved.name}”.")
    return redirect(f"{reverse('worklist')}?{query}{'&' if query else ''}list={saved.pk}")


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a filter; what others made for a group stays."""
    if not delete_filter(somebody_with_a_list(request), pk):
        raise Http404
    messages.success(request, "The filter is deleted.")
    return redirect("worklist")


def somebody_with_a_list(request: HttpRequest) -> User:
    who = user_of(request)
    if not roles_of(who) - {Role.ADMINISTRATOR}:
        raise Http404
    return who


def wish_of(request: HttpRequest, who: User, query: str) -> Wish:
    """What the form asks for.

    Raises
    ------
    NotSaved
    """
    number = request.POST.get("group", "")
    group = who.groups.filter(pk=int(number)).first() if number.isascii() and number.isdigit() else None
    if number and group is None:
        raise NotSaved("Filters are shared with groups that you belong to.")
    hidden = set(hidden_columns(who))
    shown = clean_columns(column.key for column in COLUMNS if column.key not in hidden)
    return Wish(
        name=request.POST.get("name", ""),
        query=query,
        group=group,
        columns=tuple(shown) if request.POST.get("columns") else (),
        is_default=bool(request.POST.get("is_default")),
    )
