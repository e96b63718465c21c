"""A report as PDF, for paper and for Encapsulated PDF: A4, identity on every page, any script that a font is there for.

The same report gives the same bytes: the file says no time but that of the signature.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from viewer.reports.document import ReportDocument, Section, facts_of
from viewer.reports.pdf_fonts import runs_of, scripts_not_printed, width_of
from viewer.reports.pdf_lines import Line, lines_of

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 56.7
"""20 mm in points."""
LABEL_WIDTH = 85.0
TEXT_SIZE, SMALL_SIZE, HEADING_SIZE, TITLE_SIZE = 10.0, 8.0, 11.0, 15.0
LEADING = 1.4


class _Pages:
    """A cursor that goes down a page and on to the next."""

    def __init__(self, document: ReportDocument) -> None:
        self.buffer = io.BytesIO()
        self.canvas = Canvas(self.buffer, pagesize=A4, invariant=1)
        self.canvas.setTitle(document.title)
        self.canvas.setAuthor(document.last.author)
        about = document.about
        self.identity = " · ".join((about["patient"], about["patient_id"], about["birth_date"]))
        self.number = 0
        self._begin()

    def _begin(self) -> None:
        self.number += 1
        self.y = PAGE_HEIGHT - MARGIN
        self._draw(Line(str(self.number), True), MARGIN / 2, SMALL_SIZE)
        foot = lines_of(self.identity, PAGE_WIDTH - 2 * MARGIN - 40, SMALL_SIZE)[0]
        self._draw(Line(foot.text, False), MARGIN / 2, SMALL_SIZE)

    def room_for(self, points: float) -> None:
        """Go on to the next page where less than this is left."""
        if self.y - points < MARGIN:
            self.canvas.showPage()
            self._begin()

    def _draw(self, line: Line, y: float, size: float, *, left: float = MARGIN, is_bold: bool = False) -> None:
        x = PAGE_WIDTH - MARGIN - width_of(line.text, size, is_bold=is_bold) if line.is_right_to_left else left
        text = self.canvas.beginText(x, y)
        for run in runs_of(line.text, is_bold=is_bold):
            text.setFont(run.font, size)
            text.textOut(run.text)
        self.canvas.drawText(text)

    def write(
        self,
        text: str,
        size: float = TEXT_SIZE,
        *,
        left: float = MARGIN,
        is_bold: bool = False,
        links: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Words of ``links``, which are never broken, lead to their address."""
        for line in lines_of(text, PAGE_WIDTH - MARGIN - left, size, is_bold=is_bold, whole=tuple(links)):
            self.room_for(size * LEADING)
            self.y -= size * LEADING
            self._draw(line, self.y, size, left=left, is_bold=is_bold)
            self._link(line, size, links)

    def _link(self, line: Line, size: float, links: Mapping[str, str]) -> None:
        """Underline what leads somewhere; in a line that was turned round all of it does."""
        for words, address in links.items():
            if words not in line.source:
                continue
            at = line.text.find(words)
            before, shown = (line.text[:at], words) if at >= 0 else ("", line.text)
            start = PAGE_WIDTH - MARGIN - width_of(line.text, size) if line.is_right_to_left else MARGIN
            x = start + width_of(before, size)
            end = x + width_of(shown, size)
            self.canvas.setLineWidth(0.3)
            self.canvas.line(x, self.y - 1.5, end, self.y - 1.5)
            self.canvas.linkURL(address, (x, self.y - 2.5, end, self.y + size))

    def space(self, points: float) -> None:
        self.y -= points

    def fact(self, label: str, value: str) -> None:
        """A label, and its value beside it."""
        self.room_for(TEXT_SIZE * LEADING)
        top = self.y
        self._draw(Line(label, False), top - TEXT_SIZE * LEADING, TEXT_SIZE)
        for line in lines_of(value, PAGE_WIDTH - 2 * MARGIN - LABEL_WIDTH, TEXT_SIZE):
            self.room_for(TEXT_SIZE * LEADING)
            self.y -= TEXT_SIZE * LEADING
            self._draw(Line(line.text, False), self.y, TEXT_SIZE, left=MARGIN + LABEL_WIDTH)

    def rule(self) -> None:
        self.y -= 6
        self.canvas.setLineWidth(0.5)
        self.canvas.line(MARGIN, self.y, PAGE_WIDTH - MARGIN, self.y)

    def finish(self) -> bytes:
        self.canvas.showPage()
        self.canvas.save()
        return self.buffer.getvalue()


def as_pdf(document: ReportDocument) -> bytes:
    """Set the report; what no font can draw is named in words at its end."""
    pages = _Pages(document)
    pages.write(document.title, TITLE_SIZE, is_bold=True)
    pages.space(6)
    for label, value in facts_of(document.about):
        pages.fact(label, value)
    pages.rule()
    for part in document.parts:
        for section in part.sections:
            pages.space(8)
            pages.room_for(HEADING_SIZE * LEADING + TEXT_SIZE * LEADING)
            pages.write(section.heading, HEADING_SIZE, is_bold=True)
            pages.write(section.text, links=_addresses(section, document))
        pages.space(8)
        pages.write(part.signature)
        pages.rule()
    missing = scripts_not_printed(_texts(document))
    if missing:
        pages.space(8)
        pages.write(
            f"Not everything could be printed: this server has no font for {', '.join(missing)}. "
            "What is missing is shown as a question mark; read this report on the screen."
        )
    return pages.finish()


def _addresses(section: Section, document: ReportDocument) -> dict[str, str]:
    """Words -> the portal's address of the view that they were measured on."""
    uid = document.about.get("study_instance_uid", "")
    return {link.words: f"{settings.PORTAL_PUBLIC_URL.rstrip('/')}{link.address(uid)}" for link in section.links}


def _texts(document: ReportDocument) -> list[str]:
    return [*document.about.values(), *(section.text for part in document.parts for section in part.sections)]
