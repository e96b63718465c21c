"""The sections of a report: their names for people, and what text they take."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from viewer.models import Report
from viewer.models.report import SECTIONS
from viewer.reports.errors import InvalidText

ADDENDUM = "addendum"
LABELS = {
    "indication": "Indication",
    "technique": "Technique",
    "comparison": "Comparison",
    "findings": "Findings",
    "impression": "Impression",
    ADDENDUM: "Addendum",
}
LONGEST_SECTION = 20_000
"""Characters of one section: some ten printed pages."""


def clean_text(text: object, name: str) -> str:
    """A section's text in normal form C, without control characters but line feed and tab.

    Raises
    ------
    InvalidText
        It is no text, or is too long.
    """
    if not isinstance(text, str):
        raise InvalidText(f"{name}: a text is needed.")
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    cleaned = "".join(char for char in lines if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    if len(cleaned) > LONGEST_SECTION:
        raise InvalidText(f"{LABELS[name]}: {len(cleaned)} characters; at most {LONGEST_SECTION} can be kept.")
    return cleaned


def clean_sections(given: Mapping[str, Any]) -> dict[str, str]:
    """Sections by name, each known and cleaned.

    Raises
    ------
    InvalidText
    """
    unknown = [name for name in given if name not in LABELS]
    if unknown:
        raise InvalidText(f"{unknown[0][:40]!r} is no section of a report. Accepted: {', '.join(LABELS)}.")
    return {name: clean_text(text, name) for name, text in given.items()}


def sections_of(report: Report) -> dict[str, str]:
    """The draft's text by section, the addendum apart."""
    return {name: getattr(report, name) for name in SECTIONS}


def draft_text(report: Report | None) -> dict[str, str]:
    """Everything of a draft that can be typed."""
    if report is None:
        return dict.fromkeys(LABELS, "")
    return sections_of(report) | {ADDENDUM: report.addendum}
