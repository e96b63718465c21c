"""Kinds of jobs: a name, the function that does it, and what to call it on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job."""

    name: str
    label: str
    function: str
    """Dotted path, imported when the first such job runs: processes that run no jobs load no codecs.

    It takes the row and its progress, and returns the sentence that says how it ended.
    """
    is_quick: bool = False
    """Pictures and the like, which go before long work."""

    def run(self, job: Job, progress: Progress) -> str:
        return str(import_string(self.function)(job, progress))


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind | None:
    return _kinds.get(name)


def quick_kinds() -> list[str]:
    return [kind.name for kind in _kinds.values() if kind.is_quick]
