"""The figures of reading as tables for a spreadsheet and as series for a plot; no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from archive.audit.export import harmless
from viewer.worklist.figures import HOURS, Figures, Spread, Steps

TABLES = ("modality", "hour", "backlog", "readers")
STEP_COLUMNS = (
    "received",
    "opened",
    "opened, median minutes",
    "opened, ninth decile",
    "preliminary",
    "preliminary, median minutes",
    "preliminary, ninth decile",
    "read",
    "read, median minutes",
    "read, ninth decile",
)


def table_of(figures: Figures, name: str) -> list[list[object]]:
    """One table with its head."""
    if name == "backlog":
        rows = ([timezone.localtime(one.at).isoformat(timespec="minutes"), one.count] for one in figures.backlog)
        head: list[object] = ["at", "waiting"]
        return [head, *rows]
    if name == "readers":
        head = ["reader", "read", "modalities", *(f"{hour:02d}:00" for hour in range(HOURS))]
        return [head, *([one.reader, one.count, _kinds(one.modalities), *one.hours] for one in figures.loads)]
    steps = figures.by_modality if name == "modality" else figures.by_hour
    return [[name, *STEP_COLUMNS], *(_steps_row(one) for one in steps)]


def _steps_row(steps: Steps) -> list[object]:
    spreads = (steps.opened, steps.preliminary, steps.read)
    return [steps.heading, steps.received, *(cell for one in spreads for cell in _cells(one))]


def _cells(spread: Spread) -> tuple[object, ...]:
    return (spread.count, _rounded(spread.median), _rounded(spread.ninth_decile))


def _rounded(minutes: float | None) -> object:
    return "" if minutes is None else round(minutes, 1)


def _kinds(modalities: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in modalities)


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV; with the mark by which spreadsheets know the encoding."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def plots_of(figures: Figures) -> list[dict[str, Any]]:
    """What the page draws: a title, a unit, the places on the axis, and one line or row of bars for each series."""
    return [
        _steps_plot("plot-modality", figures.by_modality, "bars"),
        _steps_plot("plot-hour", figures.by_hour, "lines"),
        {
            "id": "plot-backlog",
            "kind": "time",
            "unit": "studies",
            "x": [f"{timezone.localtime(one.at):%Y-%m-%d %H:%M}" for one in figures.backlog],
            "series": [{"label": "waiting", "values": [one.count for one in figures.backlog]}],
        },
        {
            "id": "plot-readers",
            "kind": "bars",
            "unit": "studies",
            "x": [one.reader for one in figures.loads],
            "series": [{"label": "read", "values": [one.count for one in figures.loads]}],
        },
        {
            "id": "plot-reading-hours",
            "kind": "bars",
            "unit": "studies",
            "x": [f"{hour:02d}" for hour in range(HOURS)],
            "series": [
                {
                    "label": "read",
                    "values": [sum(one.hours[hour] for one in figures.loads) for hour in range(HOURS)],
                }
            ],
        },
    ]


def _steps_plot(plot: str, steps: Sequence[Steps], kind: str) -> dict[str, Any]:
    lines = (
        ("opened, median", [one.opened.median for one in steps]),
        ("preliminary, median", [one.preliminary.median for one in steps]),
        ("read, median", [one.read.median for one in steps]),
        ("read, ninth decile", [one.read.ninth_decile for one in steps]),
    )
    return {
        "id": plot,
        "kind": kind,
        "unit": "minutes",
        "x": [one.heading.removesuffix(":00") for one in steps],
        "series": [{"label": label, "values": values} for label, values in lines],
    }
