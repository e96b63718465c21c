"""A hanging protocol as values: read from its JSON and checked, so that a wrong row is refused when it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viewer.errors import ViewerError

MOST_ROWS = 4
"""Rows, and columns, of the largest layout."""
ONE_LARGE = {"1+2": 3, "1+3": 4}
"""Layouts of one large viewport with smaller ones beside it, and how many viewports each has."""
PLANES = frozenset({"", "axial", "coronal", "sagittal"})
PRIORS = frozenset({"any", "needed", "none"})
LINKS = ("scroll", "zoom", "window")
EDGES = ("top", "right")


class WrongRule(ViewerError):
    """A hanging protocol that says nothing sensible; the sentence says where."""


@dataclass(frozen=True, slots=True)
class Find:
    """Which stack a cell takes; what is empty does not matter. Words only prefer, the rest must fit."""

    modality: str = ""
    plane: str = ""
    laterality: str = ""
    view: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One viewport of a protocol."""

    find: Find = field(default_factory=Find)
    prior: bool = False
    """Of the prior, not of the study that is read."""
    empty: bool = False
    """Shows nothing."""
    optional: bool = False
    """May stay empty; without any other cell's stack the protocol does not fit."""
    orient: tuple[tuple[str, str], ...] = ()
    """Letters that the edges of the picture must begin with, ``(("right", "P"), ("top", "H"))``."""
    align: str = ""
    """The side of the viewport at which the picture stands: left, right, or its middle."""
    window: tuple[float, float] | None = None
    """Centre and width; None: as the stack is first shown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a protocol is for and how it hangs."""

    modalities: frozenset[str]
    layout: str
    cells: tuple[Cell, ...]
    body_parts: frozenset[str] = frozenset()
    words: str = ""
    """Of which one must be in the study's description."""
    least_views: int = 1
    most_views: int = 10_000
    priors: str = "any"
    links: frozenset[str] = frozenset()
    one_scale: bool = False
    """All viewports show the same number of millimetres."""


def rule_of(value: Any) -> Rule:
    """Read a protocol's JSON.

    Raises
    ------
    WrongRule
        With a sentence for the person who wrote it.
    """
    value = _mapping(value, "A protocol", {"match", "layout", "cells", "links", "one_scale"})
    match = _mapping(
        value.get("match", {}),
        "match",
        {"modalities", "body_parts", "words", "least_views", "most_views", "priors"},
    )
    layout, places = _layout(value.get("layout"))
    cells = value.get("cells")
    if not isinstance(cells, list) or not 1 <= len(cells) <= places:
        raise WrongRule(f"A layout of {layout.replace('x', ' x ')} has 1 to {places} cells.")
    return Rule(
        modalities=_codes(match.get("modalities"), "modalities"),
        body_parts=_codes(match.get("body_parts"), "body_parts"),
        words=_text(match.get("words"), "words"),
        least_views=_count(match.get("least_views", 1), "least_views"),
        most_views=_count(match.get("most_views", 10_000), "most_views"),
        priors=_one_of(match.get("priors", "any"), "priors", PRIORS),
        layout=layout,
        cells=tuple(_cell(one) for one in cells),
        links=frozenset(_one_of(one, "links", frozenset(LINKS)) for one in _list(value.get("links"), "links")),
        one_scale=bool(value.get("one_scale", False)),
    )


def _cell(value: Any) -> Cell:
    value = _mapping(value, "A cell", {"find", "prior", "empty", "optional", "orient", "align", "window"})
    find = _mapping(value.get("find", {}), "find", {"modality", "plane", "laterality", "view", "words"})
    orient = _mapping(value.get("orient", {}), "orient", set(EDGES))
    texts = {name: _text(text, name) for name, text in find.items()}
    _one_of(texts.get("plane", ""), "plane", PLANES)
    return Cell(
        find=Find(**texts),
        prior=bool(value.get("prior", False)),
        empty=bool(value.get("empty", False)),
        optional=bool(value.get("optional", False)),
        orient=tuple((edge, _text(orient[edge], edge)) for edge in EDGES if edge in orient),
        align=_one_of(value.get("align", ""), "align", frozenset({"", "left", "right"})),
        window=_window(value.get("window")),
    )


def _layout(value: Any) -> tuple[str, int]:
    """Name of a layout and how many viewports it has."""
    name = value if isinstance(value, str) else ""
    if name in ONE_LARGE:
        return name, ONE_LARGE[name]
    found = re.fullmatch(rf"([1-{MOST_ROWS}])x([1-{MOST_ROWS}])", name)
    if found is None:
        raise WrongRule(f"A layout is rows x columns, 1x1 to {MOST_ROWS}x{MOST_ROWS}, or {' or '.join(ONE_LARGE)}.")
    return name, int(found[1]) * int(found[2])


def _window(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    value = _mapping(value, "window", {"center", "width"})
    center, width = value.get("center"), value.get("width")
    if not isinstance(center, int | float) or not isinstance(width, int | float) or width < 1:
        raise WrongRule("A window has a center and a width of at least 1.")
    return float(center), float(width)


def _mapping(value: Any, name: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WrongRule(f"{name} is no JSON object.")
    if unknown := set(value) - known:
        raise WrongRule(f"{name} knows no {', '.join(sorted(unknown))}.")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise WrongRule(f"{name} is no list.")
    return value


def _codes(value: Any, name: str) -> frozenset[str]:
    return frozenset(_text(one, name).upper() for one in _list(value, name)) - {""}


def _text(value: Any, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 255:
        raise WrongRule(f"{name} is no short text.")
    return value.strip()


def _count(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise WrongRule(f"{name} is no number of views.")
    return value


def _one_of(value: Any, name: str, known: frozenset[str]) -> str:
    if value not in known:
        raise WrongRule(f"{name} is one of {', '.join(sorted(one or 'nothing' for one in known))}.")
    return str(value)
