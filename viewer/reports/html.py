"""A report as HTML: one fragment for the study's page, the report's page and the printer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string

from archive.models import Study
from viewer.annotations.saving import annotations_of
from viewer.models import Annotation
from viewer.reports.document import ReportDocument, Section, SignedPart, facts_of
from viewer.reports.measurements import Link, Since, since

SINCE_IN_WORDS = {
    Since.CHANGED: "this value has changed after the report was signed",
    Since.DELETED: "this measurement was deleted after the report was signed",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A stretch of text on a page: where it leads, and what is to be said beside it."""

    text: str
    address: str = ""
    note: str = ""


def as_html(document: ReportDocument, *, with_facts: bool = True, study: Study | None = None) -> str:
    """Everything of it escaped; ``with_facts`` leaves the head out where the page has one.

    With its study measurements lead to their images; without, as for a visitor of a link, they are plain text.
    """
    has_links = study is not None and any(section.links for part in document.parts for section in part.sections)
    now = annotations_of(study) if study is not None and has_links else []
    context = {
        "document": document,
        "facts": facts_of(document.about) if with_facts else [],
        "parts": [
            {
                "signature": part.signature,
                "sections": [
                    {"heading": section.heading, "pieces": _shown(section, part, study, now)}
                    for section in part.sections
                ],
            }
            for part in document.parts
        ],
    }
    return render_to_string("report/document.html", context)


def _shown(section: Section, part: SignedPart, study: Study | None, now: Sequence[Annotation]) -> list[Shown]:
    if study is None:
        return [Shown(section.text)]
    uid = study.study_instance_uid
    return [
        Shown(piece.text, piece.link.address(uid), _note(piece.link, part, now)) if piece.link else Shown(piece.text)
        for piece in section.pieces
    ]


def _note(link: Link, part: SignedPart, now: Sequence[Annotation]) -> str:
    kept = next(one for one in part.measurements if (one["id"], one["section"], one["words"]) == link.key)
    return SINCE_IN_WORDS.get(since(kept, now), "")
