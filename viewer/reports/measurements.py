"""Measurements in a report: words that a reader dropped into the text, each with the view that it was made on.

The text stays text. Beside it stands which of its words are a measurement, on which image, and how it
was drawn then, so that a later change of the measurement is told and never slips into what was signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.urls import reverse

from archive.models import Study
from viewer.annotations.saving import annotations_of
from viewer.annotations.shapes import Kind, Shape, geometry_of, read_shape
from viewer.errors import InvalidParameter
from viewer.models import Annotation
from viewer.reports.errors import InvalidText
from viewer.reports.sections import LABELS

MOST = 200
"""Measurements of one report."""
LONGEST_WORDS = 300
VIEW = re.compile(r"(?:(?:layout|active|prior|view)=[0-9A-Za-z.,~_-]{0,400}&?){1,20}")
"""A view as the viewer writes it into its address (static/js/pages/viewer_parts/view_link.js)."""


class Since(StrEnum):
    """What has become of a measurement since it was dropped into the text."""

    SAME = "same"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Link:
    """Words of a section that are a measurement."""

    section: str
    words: str
    view: str
    sop_instance_uid: str
    frame_number: int
    annotation: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others of a report."""
        return self.annotation, self.section, self.words

    def address(self, study_instance_uid: str) -> str:
        """The viewer, showing what the reader saw."""
        return f"{reverse('viewer', args=[study_instance_uid])}?{self.view}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; with a link where it is a measurement."""

    text: str
    link: Link | None = None


def links_of(measurements: Iterable[Mapping[str, Any]] | None, section: str) -> tuple[Link, ...]:
    """Measurements of one section, as they were kept."""
    return tuple(
        Link(one["section"], one["words"], one["view"], one["SOPInstanceUID"], one["FrameNumber"], one["id"])
        for one in measurements or ()
        if one["section"] == section
    )


def pieces_of(text: str, links: Sequence[Link]) -> tuple[Piece, ...]:
    """The text cut where measurements stand in it; each link is found once, the same words one after the other.

    >>> link = Link("findings", "8.0 mm", "view=1.2~1", "1.3", 1, "a")
    >>> [piece.text for piece in pieces_of("Nodule 8.0 mm, left.", [link])]
    ['Nodule ', '8.0 mm', ', left.']
    """
    places: list[tuple[int, int, Link]] = []
    for link in sorted(links, key=lambda one: -len(one.words)):
        at = text.find(link.words)
        while at >= 0 and any(begin < at + len(link.words) and at < end for begin, end, _ in places):
            at = text.find(link.words, at + 1)
        if at >= 0:
            places.append((at, at + len(link.words), link))
    pieces, reached = [], 0
    for begin, end, link in sorted(places, key=lambda place: place[0]):
        pieces += [Piece(text[reached:begin]), Piece(text[begin:end], link)]
        reached = end
    return tuple(piece for piece in (*pieces, Piece(text[reached:])) if piece.text)


def merged(kept: Sequence[dict[str, Any]], given: object, study: Study) -> list[dict[str, Any]]:
    """What is kept, and what a window has dropped since; nothing goes by a save, so that two windows lose nothing.

    Raises
    ------
    InvalidText
        It is no list of measurements of this study.
    """
    if not isinstance(given, list) or len(given) > MOST:
        raise InvalidText(f"measurements: a list of at most {MOST} is needed.")
    found = {(one["id"], one["section"], one["words"]): dict(one) for one in kept}
    new = [one for one in given if not (isinstance(one, dict) and _key(one) in found)]
    drawn = {str(one.pk): one for one in Annotation.objects.filter(study=study)} if new else {}
    for one in new:
        clean = _clean(one, drawn)
        found[_key(clean)] = clean
    if len(found) > MOST:
        raise InvalidText(f"measurements: {len(found)}; at most {MOST} can be kept in one report.")
    return list(found.values())


def _key(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(str(one.get(name)) for name in ("id", "section", "words"))


def _clean(given: object, drawn: Mapping[str, Annotation]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidText("measurements: each is an object.")
    section, words, view = (given.get(name) for name in ("section", "words", "view"))
    annotation = drawn.get(_uuid(given.get("id")))
    if annotation is None:
        raise InvalidText("measurements: one is not of this study. Save the measurement first, then drop it again.")
    if not isinstance(section, str) or section not in LABELS:
        raise InvalidText(f"measurements: {str(section)[:40]!r} is no section of a report.")
    if not isinstance(words, str) or not words.strip() or len(words) > LONGEST_WORDS or not words.isprintable():
        raise InvalidText(f"measurements: one line of 1 to {LONGEST_WORDS} characters is needed.")
    if not isinstance(view, str) or not VIEW.fullmatch(view):
        raise InvalidText("measurements: the view is none that the viewer writes.")
    return {
        "id": str(annotation.pk),
        "section": section,
        "words": words,
        "view": view,
        "SOPInstanceUID": annotation.sop_instance_uid,
        "FrameNumber": annotation.frame_number,
        "drawn": _read_drawn(given.get("drawn"), annotation),
    }


def _uuid(given: object) -> str:
    try:
        return str(UUID(str(given)))
    except ValueError:
        return ""


def _read_drawn(given: object, annotation: Annotation) -> dict[str, Any]:
    """The shape, and the calibration of its image, that the words were made from."""
    values = given if isinstance(given, dict) else {}
    try:
        drawn: dict[str, Any] = {"geometry": geometry_of(read_shape(annotation.kind, values.get("geometry")))}
        if values.get("calibration") is not None:
            drawn["calibration"] = geometry_of(read_shape(Kind.CALIBRATION.value, values["calibration"]))
    except InvalidParameter as error:
        raise InvalidText(f"measurements: {error}") from None
    return drawn


def in_text(measurements: Iterable[dict[str, Any]], text: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those whose words still stand in their section."""
    kept = list(measurements)
    found = []
    for name, words in text.items():
        standing = {piece.link.key for piece in pieces_of(words, links_of(kept, name)) if piece.link}
        found += [one for one in kept if (one["id"], one["section"], one["words"]) in standing]
    return found


def told(measurements: Iterable[dict[str, Any]] | None, study: Study) -> list[dict[str, Any]]:
    """Measurements for the browser: the address of each, and what has become of it since."""
    kept = list(measurements or ())
    now = annotations_of(study) if kept else []
    return [
        {name: one[name] for name in ("id", "section", "words", "view", "drawn")}
        | {"address": link_of(one).address(study.study_instance_uid), "since": str(since(one, now))}
        for one in kept
    ]


def link_of(one: Mapping[str, Any]) -> Link:
    return links_of([one], one["section"])[0]


def since(one: Mapping[str, Any], now: Sequence[Annotation]) -> Since:
    """Whether a measurement, or the calibration that it was read by, is another than when it was dropped.

    ``now`` is what is drawn on the study, the oldest first.
    """
    found = next((known for known in now if str(known.pk) == one["id"]), None)
    if found is None:
        return Since.DELETED
    on_image = [known for known in now if known.sop_instance_uid == found.sop_instance_uid]
    calibrations = [known for known in on_image if known.kind == Kind.CALIBRATION.value]
    is_same = _shape(found.kind, found.geometry) == _shape(found.kind, one["drawn"]["geometry"]) and _calibration(
        calibrations[-1].geometry if calibrations else None
    ) == _calibration(one["drawn"].get("calibration"))
    return Since.SAME if is_same else Since.CHANGED


def _shape(kind: str, geometry: object) -> Shape:
    return read_shape(kind, geometry)


def _calibration(geometry: object) -> Shape | None:
    return None if geometry is None else read_shape(Kind.CALIBRATION.value, geometry)
