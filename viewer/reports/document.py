"""The report that stands: the last version signed as preliminary or final, and the addenda after it, as one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from viewer.models import ReportVersion
from viewer.models.report import SECTIONS
from viewer.reports.measurements import Link, Piece, links_of, pieces_of
from viewer.reports.sections import ADDENDUM, LABELS

Kind = ReportVersion.Kind
STATE_WORDS = {
    Kind.PRELIMINARY: "Preliminary report",
    Kind.FINAL: "Final report",
    Kind.ADDENDUM: "Final report with addendum",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text under it, as typed."""

    name: str
    heading: str
    text: str
    links: tuple[Link, ...] = ()
    """Measurements in it."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return pieces_of(self.text, self.links)


@dataclass(frozen=True, slots=True)
class SignedPart:
    """What one person signed at one time."""

    kind: str
    number: int
    sections: tuple[Section, ...]
    author: str
    signed_at: datetime
    sha256: str
    measurements: tuple[dict[str, Any], ...] = ()
    """As they were kept with the version."""

    @property
    def signature(self) -> str:
        """``Signed as final by Rita Reader, 2026-11-24 10:42``."""
        verb = "Addendum signed" if self.kind == Kind.ADDENDUM else f"Signed as {self.kind}"
        return f"{verb} by {self.author}, {timezone.localtime(self.signed_at):%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """A signed report, for reading."""

    about: dict[str, str]
    title: str
    is_final: bool
    parts: tuple[SignedPart, ...]

    @property
    def last(self) -> SignedPart:
        return self.parts[-1]


def compose(versions: Sequence[ReportVersion]) -> ReportDocument | None:
    """Put together what stands of these versions, in their order; None where nothing was signed."""
    bases = [version for version in versions if version.kind != Kind.ADDENDUM]
    if not bases:
        return None
    base = bases[-1]
    addenda = [version for version in versions if version.kind == Kind.ADDENDUM and version.number > base.number]
    standing = [base, *addenda]
    return ReportDocument(
        about=base.about,
        title=STATE_WORDS[Kind(standing[-1].kind)],
        is_final=base.kind == Kind.FINAL,
        parts=tuple(part_of(version) for version in standing),
    )


def part_of(version: ReportVersion) -> SignedPart:
    """One version with its sections in reading order, empty ones left out."""
    names = [name for name in (*SECTIONS, ADDENDUM) if version.text.get(name, "").strip()]
    return SignedPart(
        kind=version.kind,
        number=version.number,
        sections=tuple(
            Section(name, LABELS[name], version.text[name].strip(), links_of(version.measurements, name))
            for name in names
        ),
        author=version.author_name,
        signed_at=version.signed_at,
        sha256=version.sha256,
        measurements=tuple(version.measurements or ()),
    )


def facts_of(about: dict[str, str]) -> list[tuple[str, str]]:
    """What stands above every report: patient, identifiers, examination; what is empty is left out."""
    issuer = f" ({about['issuer']})" if about.get("issuer") else ""
    facts = [
        ("Patient", about["patient"]),
        ("Patient ID", f"{about['patient_id']}{issuer}"),
        ("Born", about["birth_date"]),
        ("Sex, age", ", ".join(part for part in (about["sex"], about["age"]) if part)),
        ("Examination", about["examination"]),
        ("Date", about["date"]),
        ("Accession", about["accession"]),
        ("Referrer", about["referrer"]),
        ("Institution", about["institution"]),
    ]
    return [(label, value) for label, value in facts if value]
