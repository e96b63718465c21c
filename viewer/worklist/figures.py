"""Turn-around, backlog and reader load: how long studies waited at each step, by modality and by hour.

    last image --> first opened --> preliminary --> read (final)

Times are the portal's own, by the site's clock. The hour is that in which the last image came. Medians and the ninth
decile, since one forgotten study makes any mean useless.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from archive.access.roles import Role, has_role, roles_of
from archive.models import User
from viewer.models import ReadingTask

PERIODS = (1, 7, 30, 90)
"""Days that can be looked back."""
MOST_STUDIES = 200_000
"""Studies that are looked at; of more, the latest."""
HOURS = 24
State = ReadingTask.State


@dataclass(frozen=True, slots=True)
class Reading:
    """One study on its way, as the figures need it."""

    modality: str
    arrived: datetime
    opened: datetime | None
    preliminary: datetime | None
    read: datetime | None
    reader: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several waiting times, in minutes: how many, the median, the ninth decile."""

    count: int = 0
    median: float | None = None
    ninth_decile: float | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """Waiting times from the last image, under a heading: a modality or an hour."""

    heading: str
    received: int
    opened: Spread
    preliminary: Spread
    read: Spread


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many studies waited at the end of an hour."""

    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Load:
    """What one reader has read: by modality, and by hour of the day."""

    reader: str
    count: int
    modalities: tuple[tuple[str, int], ...]
    hours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a period."""

    days: int
    since: datetime
    until: datetime
    modality: str
    modalities: tuple[str, ...]
    """Those that can be chosen."""
    by_modality: tuple[Steps, ...]
    by_hour: tuple[Steps, ...]
    backlog: tuple[Waiting, ...]
    loads: tuple[Load, ...]

    @property
    def is_empty(self) -> bool:
        return not any(steps.received for steps in self.by_hour) and not self.loads


def may_see_figures(who: User) -> bool:
    """Administrators, and whom the site has made coordinator: what single people read is nobody else's business."""
    return has_role(who, Role.ADMINISTRATOR) or bool(roles_of(who) and who.has_perm("viewer.coordinate"))


def figures_of(days: int, modality: str = "", *, now: datetime | None = None) -> Figures:
    """Figures of the last days, of all modalities or one.

    ``days`` is one of ``PERIODS``. Studies count where their last image came, or where
    they were read, within the period.
    """
    until = now or timezone.now()
    since = until - timedelta(days=days)
    found = _readings(since)
    modalities = tuple(sorted({one.modality for one in found}))
    chosen = [one for one in found if modality in ("", one.modality)]
    arrived = [one for one in chosen if one.arrived >= since]
    by_modality, by_hour = defaultdict(list), defaultdict(list)
    for one in arrived:
        by_modality[one.modality].append(one)
        by_hour[timezone.localtime(one.arrived).hour].append(one)
    return Figures(
        days=days,
        since=since,
        until=until,
        modality=modality,
        modalities=modalities,
        by_modality=tuple(_steps(name, by_modality[name]) for name in sorted(by_modality)),
        by_hour=tuple(_steps(f"{hour:02d}:00", by_hour[hour]) for hour in range(HOURS)),
        backlog=backlog_of(chosen, since, until),
        loads=_loads([one for one in chosen if one.read is not None and one.read >= since]),
    )


def _readings(since: datetime) -> list[Reading]:
    """Studies that came, were read, or still waited within the period."""
    within = Q(waiting_since__gte=since) | Q(read_at__gte=since) | ~Q(state=State.READ)
    wanted = ("study__modalities", "waiting_since", "first_opened_at", "preliminary_at", "read_at", "read_by")
    tasks = ReadingTask.objects.filter(within, study__instance_count__gt=0).order_by("-waiting_since")
    rows = tasks.values_list(*wanted)[:MOST_STUDIES]
    return [Reading(modalities.replace("\\", "/") or "none", *rest) for modalities, *rest in rows]


def _steps(heading: str, readings: Sequence[Reading]) -> Steps:
    return Steps(
        heading,
        len(readings),
        opened=spread((one.arrived, one.opened) for one in readings),
        preliminary=spread((one.arrived, one.preliminary) for one in readings),
        read=spread((one.arrived, one.read) for one in readings),
    )


def spread(pairs: Iterable[tuple[datetime, datetime | None]]) -> Spread:
    """Waiting times in minutes, of pairs of beginning and end; what has no end yet is left out.

    What was opened before its last image came has not waited: zero.
    """
    minutes = sorted(max(0.0, (end - begin).total_seconds() / 60) for begin, end in pairs if end is not None)
    if not minutes:
        return Spread()
    place = -(-9 * len(minutes) // 10) - 1
    return Spread(len(minutes), statistics.median(minutes), minutes[place])


def backlog_of(readings: Iterable[Reading], since: datetime, until: datetime) -> tuple[Waiting, ...]:
    """How many studies waited, at the end of every hour (of every sixth one in periods of over a week), and now."""
    step = timedelta(hours=1 if until - since <= timedelta(days=7) else 6)
    since = _whole_hour(since, step)
    steps = int((until - since) / step)
    moves: Counter[int] = Counter()
    for one in readings:
        moves[_place(one.arrived, since, step)] += 1
        if one.read is not None:
            moves[_place(max(one.read, one.arrived), since, step)] -= 1
    count, found = 0, []
    for place in range(steps + 1):
        count += moves[place]
        found.append(Waiting(since + place * step, count))
    if found[-1].at < until:
        found.append(Waiting(until, count + moves[steps + 1]))
    return tuple(found)


def _whole_hour(at: datetime, step: timedelta) -> datetime:
    """The site's clock at the beginning of an hour, or of a quarter of the day."""
    local = timezone.localtime(at).replace(minute=0, second=0, microsecond=0)
    every = max(1, int(step.total_seconds() // 3600))
    return local.replace(hour=local.hour // every * every).astimezone(UTC)


def _place(at: datetime, since: datetime, step: timedelta) -> int:
    """The first point of time that comes after a moment; 0 for whatever was before."""
    return max(0, -((since - at) // step)) if at > since else 0


def _loads(readings: Iterable[Reading]) -> tuple[Load, ...]:
    by_reader: defaultdict[int | None, list[Reading]] = defaultdict(list)
    for one in readings:
        by_reader[one.reader].append(one)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=[pk for pk in by_reader if pk is not None])}
    loads = [_load(names.get(reader or 0, "not known"), found) for reader, found in by_reader.items()]
    return tuple(sorted(loads, key=lambda load: (-load.count, load.reader)))


def _load(reader: str, readings: Sequence[Reading]) -> Load:
    hours = Counter(timezone.localtime(one.read).hour for one in readings if one.read is not None)
    kinds = Counter(one.modality for one in readings)
    frequent = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    return Load(reader, len(readings), tuple(frequent), tuple(hours[hour] for hour in range(HOURS)))
