"""Make, fill, order and share lists of cases: the one owner of their state.

Whoever keeps a list, and the members of the group that it is shared with, see it, add to it,
order it and write notes. Only the keeper renames, shares and deletes it. A list gives no right
to a study: everybody sees those entries whose study they may see, and how many others there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Series, Study, User
from viewer.errors import InvalidParameter, NotFound, ViewerError
from viewer.models import Case, CaseList

KEEPERS = (Role.RADIOLOGIST, Role.CLINICIAN, Role.TECHNOLOGIST)
LONGEST_NAME = 60
LONGEST_NOTE = 2000
LONGEST_VIEW = 2000
MOST_LISTS = 100
"""That one person keeps."""
MOST_CASES = 200


class ListRefusal(ViewerError):
    """A list that cannot be made or changed so; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A list as somebody wants it."""

    name: str
    kind: str = CaseList.Kind.CONFERENCE
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What of a study an entry is about: nothing of it for the whole study."""

    series_instance_uid: str = ""
    view: str = ""


def lists_of(who: User) -> QuerySet[CaseList]:
    """Lists that a person may see: their own, and those of their groups."""
    if not has_role(who, *KEEPERS):
        return CaseList.objects.none()
    seen = Q(owner=who) | Q(group__in=who.groups.all())
    return CaseList.objects.filter(seen, deleted_at=None).select_related("owner", "group")


def list_for(who: User, pk: int) -> CaseList:
    """One of them.

    Raises
    ------
    NotFound
    """
    found = lists_of(who).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such list.")
    return found


def cases_for(who: User, kept: CaseList) -> list[Case]:
    """Entries whose study a person may see now, in their order."""
    found = Case.objects.filter(list=kept, study__in=Study.objects.visible_to(who))
    return list(found.select_related("study__patient", "added_by"))


def case_for(who: User, kept: CaseList, pk: int) -> Case:
    """One of them.

    Raises
    ------
    NotFound
    """
    for case in cases_for(who, kept):
        if case.pk == pk:
            return case
    raise NotFound("There is no such entry.")


def make_list(wish: Wish, *, by: User) -> CaseList:
    """Begin a list.

    Raises
    ------
    ListRefusal
    """
    if not has_role(by, *KEEPERS):
        raise ListRefusal("Your role keeps no lists.")
    _check(wish, by)
    if CaseList.objects.filter(owner=by, deleted_at=None).count() >= MOST_LISTS:
        raise ListRefusal(f"A person keeps at most {MOST_LISTS} lists.")
    with transaction.atomic():
        made = CaseList.objects.create(name=wish.name.strip(), kind=wish.kind, group=wish.group, owner=by)
        _record(made, by, "made", group=wish.group.name if wish.group else "")
    return made


def change_list(kept: CaseList, wish: Wish, *, by: User) -> None:
    """Rename a list, or share it with another group or with nobody.

    Raises
    ------
    ListRefusal
    """
    _must_keep(kept, by)
    _check(wish, by, before=kept.group)
    kept.name, kept.kind, kept.group = wish.name.strip(), wish.kind, wish.group
    with transaction.atomic():
        kept.save()
        _record(kept, by, "changed", group=wish.group.name if wish.group else "")


def remove_list(kept: CaseList, *, by: User, is_removed: bool = True) -> None:
    """Delete a list, or bring it back.

    Raises
    ------
    ListRefusal
    """
    _must_keep(kept, by)
    with transaction.atomic():
        CaseList.objects.filter(pk=kept.pk).update(deleted_at=timezone.now() if is_removed else None)
        _record(kept, by, "removed" if is_removed else "restored")


def _must_keep(kept: CaseList, by: User) -> None:
    if kept.owner_id != by.pk:
        raise ListRefusal("Only who keeps a list renames, shares and deletes it.")


def _check(wish: Wish, by: User, before: Group | None = None) -> None:
    name = wish.name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ListRefusal(f"A list has a name of 1 to {LONGEST_NAME} characters.")
    if wish.kind not in CaseList.Kind.values:
        raise ListRefusal("A list is for a conference or for teaching.")
    if wish.group is not None and wish.group != before and not by.groups.filter(pk=wish.group.pk).exists():
        raise ListRefusal("Lists are shared with groups that you belong to.")


# --- Entries ----------------------------------------------------------------------------------------------------------


def add_case(kept: CaseList, study: Study, *, by: User, place: Place | None = None, note: str = "") -> Case:
    """Put a study, a series or a view at the end of a list; what is there already stays where it is.

    Raises
    ------
    ListRefusal, InvalidParameter, NotFound
    """
    place = place or Place()
    _check_place(study, place)
    _check_note(note)
    same = {"list": kept, "study": study, "series_instance_uid": place.series_instance_uid, "view": place.view}
    try:
        with transaction.atomic():
            # One after the other: the row of the list is the lock.
            CaseList.objects.select_for_update().get(pk=kept.pk)
            known = Case.objects.filter(**same).first()
            if known is not None:
                return known
            facts = kept.cases.aggregate(last=Max("position"))
            if kept.cases.count() >= MOST_CASES:
                raise ListRefusal(f"A list holds at most {MOST_CASES} entries.")
            made = Case.objects.create(**same, note=note.strip(), position=(facts["last"] or 0) + 1, added_by=by)
            _touch(kept)
            _record(kept, by, "added", study=study, case=made.pk)
    except IntegrityError:
        return Case.objects.get(**same)
    return made


def _check_note(note: str) -> None:
    if len(note) > LONGEST_NOTE or "\0" in note:
        raise InvalidParameter("note", note[:40], f"at most {LONGEST_NOTE} characters")


def _check_place(study: Study, place: Place) -> None:
    """What an entry is about must be of the study."""
    uid = place.series_instance_uid
    if "\0" in uid:
        raise NotFound("The study has no such series.")
    if uid and not Series.objects.filter(study=study, series_instance_uid=uid).exists():
        raise NotFound("The study has no such series.")
    parts = urlsplit(f"?{place.view}")
    if len(place.view) > LONGEST_VIEW or parts.fragment or not place.view.isprintable() or "//" in place.view:
        raise InvalidParameter("view", place.view[:40], "the query of the viewer's address")


def remove_case(case: Case, *, by: User) -> None:
    """Take an entry off its list; the study stays where it is."""
    with transaction.atomic():
        _record(case.list, by, "taken off", study=case.study, case=case.pk)
        _touch(case.list)
        case.delete()


def write_note(case: Case, note: str, *, by: User) -> None:
    """Write what is to be said about an entry.

    Raises
    ------
    InvalidParameter
    """
    _check_note(note)
    with transaction.atomic():
        Case.objects.filter(pk=case.pk).update(note=note.strip())
        _touch(case.list)
        _record(case.list, by, "note written", study=case.study, case=case.pk)


def move_case(case: Case, step: int, *, by: User) -> None:
    """Let an entry change places with the one before it (step -1) or after it (1) that the person sees."""
    with transaction.atomic():
        CaseList.objects.select_for_update().get(pk=case.list_id)
        seen = cases_for(by, case.list)
        here = next((index for index, one in enumerate(seen) if one.pk == case.pk), None)
        if here is None or not 0 <= here + step < len(seen):
            return
        other = seen[here + step]
        Case.objects.filter(pk=case.pk).update(position=other.position)
        Case.objects.filter(pk=other.pk).update(position=seen[here].position)
        _touch(case.list)
        _record(case.list, by, "moved", study=case.study, case=case.pk)


def hidden_count(kept: CaseList, seen: int) -> int:
    """How many entries are about studies that the person may not see."""
    return kept.cases.count() - seen


def _touch(kept: CaseList) -> None:
    CaseList.objects.filter(pk=kept.pk).update(changed_at=timezone.now())


def _record(kept: CaseList, by: User, what: str, *, study: Study | None = None, **details: object) -> None:
    record_event(
        Event.LIST_CHANGED,
        user=by,
        study_instance_uid=study.study_instance_uid if study else "",
        subject=f"list {kept.pk}",
        details={"what": what} | details,
    )
