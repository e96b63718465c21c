"""Which protocol fits a study, and which stack goes where: a function of facts, without a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from viewer.hanging.rules import Cell, Find, Rule

LOCALIZER_WORDS = re.compile(r"\b(loc|localizer|localiser|scout|survey|topogram|plan|3.?plane)\b", re.IGNORECASE)
"""Descriptions of series that are made for planning; they are hung only where nothing else fits."""


@dataclass(frozen=True, slots=True)
class StackFacts:
    """What decides whether a stack is hung, and where."""

    stack: str
    modality: str
    description: str = ""
    plane: str = ""
    laterality: str = ""
    view: str = ""
    is_localizer: bool = False
    is_hung: bool = True
    """Derived, FOR PROCESSING and undrawable ones are not."""

    @property
    def is_for_planning(self) -> bool:
        return self.is_localizer or bool(LOCALIZER_WORDS.search(self.description))


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """A study as a protocol sees it; stacks in the order of the strip."""

    study_instance_uid: str
    modalities: frozenset[str]
    body_parts: frozenset[str]
    description: str
    stacks: tuple[StackFacts, ...]

    @property
    def hung(self) -> list[StackFacts]:
        return [stack for stack in self.stacks if stack.is_hung]


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol with its name and whose it is: 0 the reader's own, 1 of a group, 2 of the site."""

    name: str
    rule: Rule
    closeness: int = 2
    position: int = 0

    @property
    def rank(self) -> tuple[int, int, int]:
        """Lower is asked first."""
        rule = self.rule
        conditions = (
            bool(rule.body_parts),
            bool(rule.words),
            rule.priors != "any",
            rule.least_views > 1,
            len(rule.modalities) > 1,
        )
        return self.closeness, self.position, -sum(conditions)


@dataclass(frozen=True, slots=True)
class HungCell:
    """A cell with the stack that it takes; None where it stays empty."""

    cell: Cell
    stack: StackFacts | None
    study_instance_uid: str


@dataclass(frozen=True, slots=True)
class Hanging:
    """A study as it is hung."""

    name: str
    rule: Rule
    cells: tuple[HungCell, ...]


def choose(protocols: Iterable[Protocol], study: StudyFacts, prior: StudyFacts | None) -> Hanging | None:
    """The first protocol that fits, the reader's own before those of groups and of the site; None: none does."""
    for protocol in sorted(protocols, key=lambda one: one.rank):
        if not fits(protocol.rule, study, prior):
            continue
        cells = arrange(protocol.rule, study, prior)
        if cells is not None:
            return Hanging(protocol.name, protocol.rule, cells)
    return None


def fits(rule: Rule, study: StudyFacts, prior: StudyFacts | None) -> bool:
    """Whether a protocol is meant for a study. Of several modalities a study must have all."""
    if not rule.modalities <= study.modalities or (rule.body_parts and not rule.body_parts & study.body_parts):
        return False
    if rule.words and not has_any_word(study.description, rule.words):
        return False
    if (rule.priors == "needed" and prior is None) or (rule.priors == "none" and prior is not None):
        return False
    return rule.least_views <= len(study.hung) <= rule.most_views


def arrange(rule: Rule, study: StudyFacts, prior: StudyFacts | None) -> tuple[HungCell, ...] | None:
    """Give each cell its stack, no stack twice; None where a cell that must be filled cannot be."""
    used: set[str] = set()
    cells = []
    for cell in rule.cells:
        source = None if cell.empty else prior if cell.prior else study
        stack = best(cell.find, [one for one in source.hung if one.stack not in used]) if source else None
        if stack is None and not (cell.optional or cell.empty):
            return None
        if stack is not None:
            used.add(stack.stack)
        cells.append(HungCell(cell, stack, source.study_instance_uid if source and stack else ""))
    return tuple(cells) if used else None


def best(find: Find, stacks: Sequence[StackFacts]) -> StackFacts | None:
    """The stack that a cell asks for: those with its words first, those for planning last, else in order."""
    fitting = [stack for stack in stacks if _is_meant(find, stack)]
    return min(
        fitting,
        key=lambda one: (bool(find.words) and not has_any_word(one.description, find.words), one.is_for_planning),
        default=None,
    )


def _is_meant(find: Find, stack: StackFacts) -> bool:
    wanted = (find.modality, find.plane, find.laterality, find.view)
    found = (stack.modality, stack.plane, stack.laterality, stack.view)
    return all(not one or one.upper() == other.upper() for one, other in zip(wanted, found, strict=True))


def has_any_word(text: str, words: str) -> bool:
    """Whether one of some comma separated words or phrases is in a text, whatever the case.

    >>> has_any_word("MR Knee left", "hip, knee"), has_any_word("Head", "knee")
    (True, False)
    """
    parts = [word.strip().casefold() for word in words.split(",")]
    return any(part and part in text.casefold() for part in parts)
