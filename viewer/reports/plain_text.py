"""A report as plain text."""

from __future__ import annotations

from viewer.reports.document import ReportDocument, facts_of


def as_plain_text(document: ReportDocument) -> str:
    """Facts, sections and signatures, one below the other; lines end with line feeds."""
    lines = [document.title.upper(), ""]
    lines += [f"{label}: {value}" for label, value in facts_of(document.about)]
    for part in document.parts:
        for section in part.sections:
            lines += ["", section.heading.upper(), section.text]
        lines += ["", part.signature]
    return "\n".join(lines) + "\n"
