"""Filters under a name: one's own, and those of one's groups, with their columns and which is shown first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from archive.access.roles import Role, has_role
from archive.models import Study, User
from viewer.models import SavedFilter
from viewer.worklist import ordering
from viewer.worklist.claiming import WorklistRefusal
from viewer.worklist.columns import OPTIONAL
from viewer.worklist.filters import WorklistFilter
from viewer.worklist.listing import Habit

MOST = 30
"""Filters that one person, or one group, keeps."""
LONGEST_NAME = 40
LONGEST_QUERY = 500


class NotSaved(WorklistRefusal):
    """A filter cannot be kept as asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A filter that somebody wants to keep."""

    name: str
    query: str
    group: Group | None = None
    """Whose worklist it is; the person's own where there is none."""
    columns: tuple[str, ...] = ()
    is_default: bool = False


def filters_for(who: User) -> QuerySet[SavedFilter]:
    """A person's own filters and those of their groups."""
    found = SavedFilter.objects.filter(Q(user=who) | Q(group__in=who.groups.all())).select_related("group")
    return found.order_by("group__name", "name", "pk")


def default_of(filters: Iterable[SavedFilter]) -> SavedFilter | None:
    """What is shown first: the person's own choice before that of a group."""
    chosen = [one for one in filters if one.is_default]
    return min(chosen, key=lambda one: (one.user_id is None, one.pk), default=None)


def clean_query(query: str, habit: Habit, who: User) -> str:
    """A query as the list itself would write it: what it does not know, and what was typed, is left out."""
    values = QueryDict(query[:LONGEST_QUERY])
    order = ordering.parse_order(values.get("sort", ""), habit.order)
    chosen = WorklistFilter(values, Study.objects.none(), user=who)
    return chosen.query(sort="" if order == habit.order else order.text)


def may_share(who: User, group: Group) -> bool:
    """Members keep their group's filters, among those who read or make images."""
    return has_role(who, Role.RADIOLOGIST, Role.TECHNOLOGIST) and who.groups.filter(pk=group.pk).exists()


@transaction.atomic
def save_filter(who: User, wish: Wish) -> SavedFilter:
    """Keep a filter; one of the same name and owner is replaced.

    Raises
    ------
    NotSaved
    """
    name = " ".join(wish.name.split())
    if not name or len(name) > LONGEST_NAME:
        raise NotSaved(f"A filter is kept under a name of 1 to {LONGEST_NAME} characters.")
    if len(wish.query) > LONGEST_QUERY:
        raise NotSaved("This filter is too long to be kept.")
    if wish.group is not None and not may_share(who, wish.group):
        raise NotSaved("Filters are shared with groups that you belong to.")
    owner = {"user": None, "group": wish.group} if wish.group is not None else {"user": who, "group": None}
    others = SavedFilter.objects.filter(**owner).exclude(name=name)
    if others.count() >= MOST:
        raise NotSaved(f"At most {MOST} filters are kept. One that is not used any more can be deleted.")
    if wish.is_default:
        others.update(is_default=False)
    values = {"query": wish.query, "columns": list(wish.columns), "is_default": wish.is_default, "created_by": who}
    try:
        with transaction.atomic():
            return SavedFilter.objects.update_or_create(name=name, **owner, defaults=values)[0]
    except IntegrityError:
        raise NotSaved("Somebody else has just kept a filter here. Please try again.") from None


def delete_filter(who: User, pk: int) -> bool:
    """Delete one's own filter, or one of a group that one made; False where there is none."""
    own = Q(user=who) | Q(group__in=who.groups.all(), created_by=who)
    return bool(SavedFilter.objects.filter(own, pk=pk).delete()[0])


def hidden_with(chosen: SavedFilter) -> list[str]:
    """Columns that a list under this filter does not show."""
    return sorted(OPTIONAL - set(chosen.columns))
