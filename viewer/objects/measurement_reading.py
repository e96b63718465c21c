"""Read measurements out of structured reports of others: TID 1500 (PS3.16) and what resembles it. No Django.

A measurement group gives one finding: its name, its numbers, and its graphics, on an image (SCOORD) or in
the patient (SCOORD3D). Reports without groups give one finding for each number that has graphics.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from archive.dicom import values

MEASUREMENT_GROUP = ("125007", "DCM")
SHORT_LABEL = "Short label"
SITES = frozenset({"363698007", "G-C0E3"})
"""Finding site in SCT and SRT."""
DERIVATIONS = frozenset({"121401", "121402"})
MOST_FINDINGS, MOST_POINTS, DEEPEST = 2000, 20_000, 32
RIM_POINTS = 72
UNITS = {
    "[hnsf'U]": "HU",
    "{SUVbw}g/ml": "SUVbw",
    "g/ml{SUVbw}": "SUVbw",
    "mm2": "mm²",
    "cm2": "cm²",
    "mm3": "mm³",
    "cm3": "cm³",
    "deg": "°",
    "{pixels}": "px",
    "1": "",
    "[arb'U]": "",
}


@dataclass(frozen=True, slots=True)
class Region:
    """One graphic of a finding: a line or points, flattened to its corners."""

    points: NDArray[np.float64]
    """(n, 2) in pixels of the image, column first; (n, 3) in mm in the patient."""
    is_line: bool
    """Whether the points are joined; single places are not."""
    sop_instance_uid: str = ""
    """Of the image; may be empty in the patient."""
    frame_number: int = 1
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report says of one place."""

    name: str
    tracking_uid: str
    site: str
    numbers: tuple[str, ...]
    """"Length 4.03 mm"."""
    regions: tuple[Region, ...]


def findings_of(ds: Dataset) -> list[Finding]:
    """Findings of a report in its order; groups without any graphic are left out: the report's text tells them."""
    groups = list(_groups(ds, 0))
    if not groups:
        groups = list(_numbers_with_graphics(ds, 0))
    found = (finding_of(group) for group in groups[:MOST_FINDINGS])
    return [one for one in found if one.regions]


def _children(item: Dataset) -> list[Dataset]:
    return values.items(item, "ContentSequence")


def _code(item: Dataset, keyword: str = "ConceptNameCodeSequence") -> tuple[str, str, str]:
    code = values.first_item(item, keyword)
    if code is None:
        return "", "", ""
    return values.text(code, "CodeValue"), values.text(code, "CodingSchemeDesignator"), values.text(code, "CodeMeaning")


def _groups(item: Dataset, depth: int) -> Iterator[Dataset]:
    if _code(item)[:2] == MEASUREMENT_GROUP:
        yield item
    elif depth < DEEPEST:
        for child in _children(item):
            yield from _groups(child, depth + 1)


def _numbers_with_graphics(item: Dataset, depth: int) -> Iterator[Dataset]:
    if values.text(item, "ValueType") == "NUM" and any(True for _ in _graphics(item, 0)):
        yield item
    elif depth < DEEPEST:
        for child in _children(item):
            yield from _numbers_with_graphics(child, depth + 1)


def finding_of(group: Dataset) -> Finding:
    """One finding of a group, or of a number with its graphics."""
    items = list(_inside(group, 0))
    images = [one for one in items if values.text(one, "ValueType") == "IMAGE"]
    regions = [region for one in _graphics(group, 0) if (region := _region(one, images)) is not None]
    return Finding(
        name=_name(group, items),
        tracking_uid=next((values.text(one, "UID") for one in items if _code(one)[0] == "112040"), ""),
        site=next((_code(one, "ConceptCodeSequence")[2] for one in items if _code(one)[0] in SITES), ""),
        numbers=tuple(_number(one, measured) for one in items if (measured := _measured(one)) is not None),
        regions=tuple(regions),
    )


def _inside(item: Dataset, depth: int) -> Iterator[Dataset]:
    """A content item and all below it."""
    yield item
    if depth < DEEPEST:
        for child in _children(item):
            yield from _inside(child, depth + 1)


def _name(group: Dataset, items: list[Dataset]) -> str:
    """The words of the finding: what it is, else how it is tracked."""
    finding = next((_code(one, "ConceptCodeSequence")[2] for one in items if _code(one)[0] == "121071"), "")
    tracked = next((values.text(one, "TextValue") for one in items if _code(one)[0] == "112039"), "")
    if "@" in tracked:
        # Cornerstone writes its version before the name of the tool: "Cornerstone3DTools@^0.1.0:Length".
        tracked = tracked.rpartition(":")[2]
    return " · ".join(dict.fromkeys(part for part in (finding, tracked) if part)) or _code(group)[2]


def _measured(item: Dataset) -> Dataset | None:
    is_number = values.text(item, "ValueType") == "NUM"
    return values.first_item(item, "MeasuredValueSequence") if is_number else None


def _number(item: Dataset, measured: Dataset) -> str:
    """Name with its derivation, value and unit."""
    derived = [_code(one, "ConceptCodeSequence")[2] for one in _children(item) if _code(one)[0] in DERIVATIONS]
    name = " ".join(part for part in (_code(item)[2], *derived) if part)
    code = _code(measured, "MeasurementUnitsCodeSequence")[0]
    value = values.number(measured, "NumericValue")
    text = "—" if value is None else f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    unit = UNITS.get(code, code)
    return f"{name} {text}{'' if unit == '°' else ' '}{unit}".strip()


def _graphics(item: Dataset, depth: int) -> Iterator[Dataset]:
    """Spatial coordinates; not those that only say where a label stands."""
    if _code(item)[2] == SHORT_LABEL:
        return
    if values.text(item, "ValueType") in ("SCOORD", "SCOORD3D"):
        yield item
    if depth < DEEPEST:
        for child in _children(item):
            yield from _graphics(child, depth + 1)


def _region(item: Dataset, images: list[Dataset]) -> Region | None:
    kind = values.text(item, "GraphicType").upper()
    is_3d = values.text(item, "ValueType") == "SCOORD3D"
    numbers = values.numbers(item, "GraphicData")
    axes = 3 if is_3d else 2
    if not numbers or len(numbers) % axes or len(numbers) > MOST_POINTS * axes:
        return None
    points = flattened(kind, np.array(numbers).reshape(-1, axes))
    own = [one for one in _children(item) if values.text(one, "ValueType") == "IMAGE"]
    uid, frame = _reference((own or (images if is_3d else []))[:1])
    if points is None or not (uid or is_3d):
        return None
    return Region(
        points,
        is_line=kind not in ("POINT", "MULTIPOINT"),
        sop_instance_uid=uid,
        frame_number=frame,
        frame_of_reference_uid=values.text(item, "ReferencedFrameOfReferenceUID"),
    )


def _reference(images: list[Dataset]) -> tuple[str, int]:
    reference = values.first_item(images[0], "ReferencedSOPSequence") if images else None
    if reference is None:
        return "", 1
    return values.text(reference, "ReferencedSOPInstanceUID"), values.integer(reference, "ReferencedFrameNumber", 1)


def flattened(kind: str, points: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Corners of a graphic (PS3.3 C.18.6.1.2, C.18.9.1.2); None where it has not the points of its type.

    A circle is its middle and a point of the rim (in 3D it has no plane: only its middle and radius are
    known, and it is drawn by ``ELLIPSE`` or not at all); an ellipse the ends of its two axes.
    """
    turns = np.linspace(0, 2 * math.pi, RIM_POINTS + 1)[:, None]
    if kind == "CIRCLE":
        if points.shape != (2, 2):
            return None
        radius = math.hypot(*(points[1] - points[0]))
        circle: NDArray[np.float64] = points[0] + radius * np.hstack([np.cos(turns), np.sin(turns)])
        return circle
    if kind == "ELLIPSE":
        if len(points) != 4:
            return None
        one, other = (points[1] - points[0]) / 2, (points[3] - points[2]) / 2
        ellipse: NDArray[np.float64] = points.mean(axis=0) + np.cos(turns) * one + np.sin(turns) * other
        return ellipse
    if kind == "POLYGON" and len(points) and not np.array_equal(points[0], points[-1]):
        return np.vstack([points, points[:1]])
    return points if kind in ("POINT", "MULTIPOINT", "POLYLINE", "POLYGON") else None
