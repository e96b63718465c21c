"""The audit trail as CSV, row by row, in which no cell is taken for a formula."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Final

from django.db.models import QuerySet

from archive.models import AuditEvent

COLUMNS: Final = (
    "happened_at",
    "event",
    "outcome",
    "actor",
    "address",
    "study_instance_uid",
    "subject",
    "details",
    "sealed_as",
    "digest",
)
MOST_EXPORTED: Final = 100_000
FORMULA_STARTS: Final = frozenset("=+-@|%")


class _Line:
    """What the CSV writer writes into: keeps one line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def as_csv(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """Lines of the export, the oldest event first; at most ``MOST_EXPORTED`` of them."""
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    yield "\ufeff" + line.text  # Spreadsheets take a file without the mark for Latin-1.
    for event in events.order_by("pk")[:MOST_EXPORTED].iterator(chunk_size=1000):
        writer.writerow([harmless(getattr(event, column)) for column in COLUMNS])
        yield line.text


def harmless(value: object) -> str:
    """A cell that no spreadsheet takes for a formula, on one line.

    >>> harmless("=1+1"), harmless(" @SUM(A1)"), harmless("-"), harmless("1.2.3"), harmless(None)
    ("'=1+1", "' @SUM(A1)", "'-", '1.2.3', '')
    """
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return f"'{text}" if text.lstrip()[:1] in FORMULA_STARTS else text
