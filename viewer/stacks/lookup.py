"""Find a stack by its id, as of a revision of its study; kept in the process, for everything a tile asks twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from archive.models import Instance, Series, Study
from viewer.errors import NotFound, StackChanged
from viewer.stacks.facts import InstanceFacts, instances_of
from viewer.stacks.splitting import SUBTRACTED_SUFFIX, Stack, split_series

Key = TypeVar("Key")
Value = TypeVar("Value")

KEPT_SERIES = 48
"""Split series that a process keeps."""


class Kept(Generic[Key, Value]):
    """The last few results of a function; two threads that ask at once wait for one answer."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()
        self._under_way: dict[Key, threading.Event] = {}

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        while True:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
                waiting = self._under_way.get(key)
                if waiting is None:
                    self._under_way[key] = threading.Event()
                    break
            waiting.wait()
        try:
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._size:
                    self._values.popitem(last=False)
            return value
        finally:
            with self._lock:
                self._under_way.pop(key).set()

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


@dataclass(frozen=True, slots=True)
class SplitSeries:
    """A series, its stacks, and the instances that are no pictures."""

    series: Series
    study: Study
    stacks: tuple[Stack, ...]
    instances: tuple[InstanceFacts, ...]
    revision: int

    @property
    def without_picture(self) -> list[InstanceFacts]:
        return [one for one in self.instances if not (one.description and one.frames)]


_series: Kept[tuple[int, int], SplitSeries] = Kept(KEPT_SERIES)


def split_series_of(series: Series, *, revision: int) -> SplitSeries:
    """Stacks of a series as of a revision; ``series.study`` must be loaded."""
    return _series.get((series.pk, revision), lambda: _split(series, revision))


def _split(series: Series, revision: int) -> SplitSeries:
    instances = instances_of(series, revision=revision)
    uid = series.series_instance_uid
    others = Series.objects.filter(series_instance_uid__startswith=f"{uid}.").values_list(
        "series_instance_uid", flat=True
    )
    stacks = split_series(uid, series.modality, instances, taken=frozenset(others))
    return SplitSeries(series, series.study, tuple(stacks), tuple(instances), revision)


def series_of_stack(stack_id: str) -> Series:
    """The series that a stack id belongs to: its own UID or one of its instances', either with a suffix."""
    stack_id = stack_id.removesuffix(SUBTRACTED_SUFFIX)
    series = Series.objects.select_related("study__patient").filter(series_instance_uid=stack_id).first()
    if series is None:
        instance = (
            Instance.objects.shown().select_related("series__study__patient").filter(sop_instance_uid=stack_id).first()
        )
        series = instance.series if instance else None
    if series is None:
        base, _, suffix = stack_id.rpartition(".")
        if suffix.isdigit():
            series = Series.objects.select_related("study__patient").filter(series_instance_uid=base).first()
    if series is None:
        raise NotFound("There is no such stack.")
    return series


def stack_at(stack_id: str, *, revision: int | None = None, series: Series | None = None) -> tuple[Stack, SplitSeries]:
    """A stack as of a revision (by default the present one).

    Raises
    ------
    NotFound
        There is no such stack.
    StackChanged
        Images were hidden or restored since that revision; the manifest must be read again.
    """
    series = series or series_of_stack(stack_id)
    study = series.study
    wanted = study.revision if revision is None else revision
    if wanted > study.revision:
        raise NotFound("The study has no such revision.")
    if wanted < study.rearranged_revision:
        raise StackChanged("Images of this study were hidden or restored since; open it again.")
    split = split_series_of(series, revision=wanted)
    for stack in split.stacks:
        if stack.id == stack_id:
            return stack, split
    raise NotFound("There is no such stack.")


def forget_kept() -> None:
    """Drop what is kept, where it has turned out to be old."""
    _series.clear()
