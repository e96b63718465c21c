"""Structured reports as HTML and plain text, and documents that lie in an object (PS3.18 table 8.7.4-1).

A report is a tree of content items (PS3.3 C.17.3). Every item is written: its concept
name, then its value by its value type; children below it in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from pydicom import Dataset

from archive.dicom import values
from archive.dicom.dates import format_date, format_time
from archive.dicom.person_name import format_for_people
from archive.dicom.sop_classes import name_of
from viewer.errors import NothingToDraw, TooLarge

MOST_ITEMS = 20_000
DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Line:
    """One content item with its depth; a heading where it is a container."""

    depth: int
    name: str
    value: str
    is_heading: bool = False
    sop_instance_uid: str = ""
    """Of the object that the item refers to."""
    frame_number: int = 1


def report_lines(ds: Dataset) -> list[Line]:
    """Content items of a report in reading order.

    Raises
    ------
    NothingToDraw
        It has no content.
    TooLarge
        It has more than ``MOST_ITEMS`` items.
    """
    lines: list[Line] = []
    for line in _walk(ds, 0):
        lines.append(line)
        if len(lines) > MOST_ITEMS:
            raise TooLarge(f"The report has more than {MOST_ITEMS} content items.")
    if not lines:
        raise NothingToDraw("The report has no content.")
    return lines


def _walk(item: Dataset, depth: int) -> Iterator[Line]:
    value_type = values.text(item, "ValueType")
    name = _meaning(values.first_item(item, "ConceptNameCodeSequence"))
    value = _value(item, value_type)
    if name or value:
        reference = values.first_item(item, "ReferencedSOPSequence")
        yield Line(
            depth,
            name,
            value,
            is_heading=value_type in ("CONTAINER", ""),
            sop_instance_uid=values.text(reference, "ReferencedSOPInstanceUID") if reference is not None else "",
            frame_number=values.integer(reference, "ReferencedFrameNumber", 1) if reference is not None else 1,
        )
    if depth < DEEPEST:
        for child in values.items(item, "ContentSequence"):
            yield from _walk(child, depth + 1)


def _value(item: Dataset, value_type: str) -> str:
    """The value of a content item by its type (PS3.3 C.17.3.2.1)."""
    keyword = {"TEXT": "TextValue", "UIDREF": "UID", "DATETIME": "DateTime"}.get(value_type)
    if keyword:
        return values.text(item, keyword)
    if value_type == "PNAME":
        return format_for_people(values.text(item, "PersonName"))
    if value_type == "DATE":
        return format_date(values.text(item, "Date"))
    if value_type == "TIME":
        return format_time(values.text(item, "Time"))
    if value_type == "CODE":
        return _meaning(values.first_item(item, "ConceptCodeSequence"))
    if value_type == "NUM":
        return _measured(item)
    if value_type in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        return _reference(item)
    if value_type in ("SCOORD", "SCOORD3D"):
        points = ", ".join(f"{number:g}" for number in values.numbers(item, "GraphicData"))
        return f"{values.text(item, 'GraphicType')} {points}".strip()
    if value_type == "TCOORD":
        return values.text(item, "TemporalRangeType")
    return ""


def _measured(item: Dataset) -> str:
    measured = values.first_item(item, "MeasuredValueSequence")
    if measured is None:
        return _meaning(values.first_item(item, "NumericValueQualifierCodeSequence")) or "no value"
    unit = values.first_item(measured, "MeasurementUnitsCodeSequence")
    code = values.text(unit, "CodeValue") if unit is not None else ""
    # UCUM code 1 is "no units".
    return f"{values.text(measured, 'NumericValue')} {'' if code == '1' else code}".strip()


def _reference(item: Dataset) -> str:
    reference = values.first_item(item, "ReferencedSOPSequence")
    if reference is None:
        return ""
    frames = ", ".join(values.texts(reference, "ReferencedFrameNumber"))
    text = f"{name_of(values.text(reference, 'ReferencedSOPClassUID'))} {values.text(reference, 'ReferencedSOPInstanceUID')}"
    return f"{text}, frame {frames}" if frames else text


def _meaning(code: Dataset | None) -> str:
    return "" if code is None else values.text(code, "CodeMeaning") or values.text(code, "CodeValue")


def report_head(ds: Dataset) -> list[tuple[str, str]]:
    """Who and when, and how far the report is to be trusted (PS3.3 C.17.2)."""
    found = [
        ("Patient", format_for_people(values.text(ds, "PatientName"))),
        ("Patient ID", values.text(ds, "PatientID")),
        ("Birth date", format_date(values.text(ds, "PatientBirthDate"))),
        ("Study date", format_date(values.text(ds, "StudyDate"))),
        ("Accession number", values.text(ds, "AccessionNumber")),
        ("Content date", format_date(values.text(ds, "ContentDate"))),
        ("Completion", values.text(ds, "CompletionFlag").lower()),
        ("Verification", values.text(ds, "VerificationFlag").lower()),
    ]
    for observer in values.items(ds, "VerifyingObserverSequence"):
        found.append(("Verified by", format_for_people(values.text(observer, "VerifyingObserverName"))))
    return [(name, value) for name, value in found if value]


def report_as_text(ds: Dataset) -> str:
    """Plain text, UTF-8, two spaces a level."""
    head = [f"{name}: {value}" for name, value in report_head(ds)]
    body = [_indented(line) for line in report_lines(ds)]
    return "\n".join([*head, "", *body, ""])


def _indented(line: Line) -> str:
    indent = "  " * line.depth
    said = ": ".join(part for part in (line.name, line.value) if part)
    return indent + said.replace("\r\n", "\n").replace("\n", f"\n{indent}")


def report_as_html(ds: Dataset) -> str:
    """A page without script or style of its own; every text of the report is escaped."""
    lines = report_lines(ds)
    head = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in report_head(ds))
    title = escape(lines[0].name or "Structured report")
    top = f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>'
    return "\n".join([top, f"<table>{head}</table>", *_nested(lines), "</body></html>", ""])


def _nested(lines: list[Line]) -> Iterator[str]:
    """Lists within list items."""
    open_items: list[int] = []
    for line in lines:
        if not open_items or line.depth > open_items[-1]:
            yield "<ul>"
        else:
            open_items.pop()
            yield "</li>"
            while open_items and open_items[-1] >= line.depth:
                open_items.pop()
                yield "</ul></li>"
        open_items.append(line.depth)
        name = f"<strong>{escape(line.name)}</strong>" if line.is_heading else escape(line.name)
        value = escape(line.value).replace("\n", "<br>")
        yield f"<li>{': '.join(part for part in (name, value) if part)}"
    yield "</li></ul>" * len(open_items)


def encapsulated_document(ds: Dataset) -> bytes:
    """The bytes of an encapsulated document without its padding (PS3.3 C.24.2).

    Raises
    ------
    NothingToDraw
        The object holds none.
    """
    data = values.value_of(ds, "EncapsulatedDocument")
    if not isinstance(data, bytes) or not data:
        raise NothingToDraw("The object holds no document.")
    length = values.integer(ds, "EncapsulatedDocumentLength")
    if 0 < length <= len(data):
        return data[:length]
    return data[:-1] if data.endswith(b"\n\0") else data
