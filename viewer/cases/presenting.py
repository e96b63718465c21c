"""Show the entries of a list one after the other: as they are, or without names by a link that only this browser opens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import User
from viewer.cases.lists import cases_for
from viewer.models import Case, ShareOpening
from viewer.sharing.contents import pseudonym, shared_stacks
from viewer.sharing.links import OPEN_FOR, Wanted, is_open, make_link, open_link

if TYPE_CHECKING:
    from viewer.models import CaseList, ShareLink

PRESENTED = "presented cases"
"""In the session: the opening by which this browser shows an entry without names."""
STATE_PART = 7
"""Which part of a view names its presentation state (``view_link.js``)."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a presenter stands in a list."""

    list: CaseList
    case: Case
    number: int
    count: int
    previous: Case | None
    next: Case | None


def step_of(who: User, case: Case) -> Step | None:
    """The place of an entry among those that a person may see; None where it is not one of them."""
    seen = cases_for(who, case.list)
    here = next((index for index, one in enumerate(seen) if one.pk == case.pk), None)
    if here is None:
        return None
    return Step(
        list=case.list,
        case=seen[here],
        number=here + 1,
        count=len(seen),
        previous=seen[here - 1] if here else None,
        next=seen[here + 1] if here + 1 < len(seen) else None,
    )


def view_of(case: Case) -> str:
    """The query with which the viewer opens on an entry."""
    if case.view:
        return case.view
    return urlencode({"stack": case.series_instance_uid}) if case.series_instance_uid else ""


def opened_before(session: SessionBase, case: Case) -> ShareOpening | None:
    """The opening by which this browser has shown an entry, where it is still good."""
    known = session.get(PRESENTED, {}).get(str(case.pk))
    if known is None:
        return None
    opening = ShareOpening.objects.select_related("link__study__patient", "link__maker").filter(pk=known).first()
    if opening is None or opening.opened_at < timezone.now() - OPEN_FOR or not is_open(opening.link):
        return None
    return opening


def open_without_names(case: Case, *, by: User, address: str, browser: str) -> tuple[str, ShareOpening]:
    """Make a de-identified link of an entry and open it at once, once; returns what the cookie says.

    Its secret is thrown away, so that nothing but this opening leads in.

    Raises
    ------
    CannotShare
        The person may not show this study to others.
    """
    passcode = secrets.token_urlsafe(16)
    wanted = Wanted(
        recipient=case.list.name,
        days=1,
        passcode=passcode,
        most_views=1,
        series=[case.series_instance_uid] if case.series_instance_uid else [],
        is_deidentified=True,
    )
    _, link = make_link(case.study, wanted, by=by, address=address)
    opened = open_link(link, passcode=passcode, address=address, browser=browser)
    assert opened is not None  # noqa: S101 - the passcode was made above
    record_event(
        Event.LIST_PRESENTED,
        user=by,
        address=address,
        study_instance_uid=case.study.study_instance_uid,
        subject=f"list {case.list_id}",
        details={"case": case.pk, "link": link.pk},
    )
    return opened


def remember(session: SessionBase, case: Case, opening: ShareOpening) -> None:
    session[PRESENTED] = session.get(PRESENTED, {}) | {str(case.pk): str(opening.pk)}


def case_presented(session: SessionBase, opening: ShareOpening) -> Case | None:
    """The entry that an opening shows in this browser."""
    for pk, known in session.get(PRESENTED, {}).items():
        if known == str(opening.pk):
            return Case.objects.select_related("list__owner", "list__group").filter(pk=pk).first()
    return None


def view_without_names(link: ShareLink, view: str) -> str:
    """The query of a view with the names that the link gives to its stacks; what the link does not show is left out."""
    shown = {one.id for one in shared_stacks(link)}
    kept = []
    for name, value in parse_qsl(view):
        if name in ("view", "stack"):
            parts = value.split("~")
            parts[0] = pseudonym(link, parts[0])
            if parts[0] not in shown:
                continue
            if len(parts) > STATE_PART:
                parts[STATE_PART] = ""
            kept.append((name, "~".join(parts)))
        elif name in ("layout", "active"):
            kept.append((name, value))
    return urlencode(kept, safe="~,") if any(name in ("view", "stack") for name, _ in kept) else ""
