"""Compound graphics of a presentation state's data set into values, within limits (PS3.3 table C.10-5)."""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from archive.dicom.values import first_item, integer, items, number, numbers, text
from archive.pixels.shutters import cielab
from viewer.rendering.cielab import srgb_of
from viewer.rendering.compound_graphics import POINTS_NEEDED
from viewer.rendering.graphic_objects import CompoundObject, CompoundType, Place, Tick, Units

MAXIMUM_TICKS: Final = 256
LONGEST_LABEL: Final = 16
"""Characters, as the VR allows (PS3.5 6.2, SH)."""
SIDES: Final = frozenset({"TOP", "CENTER", "BOTTOM"})


def read_compound(item: Dataset, units: Units | None, points: tuple[Place, ...]) -> CompoundObject | None:
    """Read one item; None for one that is drawn by its simple objects, or not at all.

    Parameters
    ----------
    units, points
        What the item says of both, already found usable.
    """
    kind = text(item, "CompoundGraphicType")
    if kind not in set(CompoundType) or units is None:
        return None
    found = CompoundType(kind)
    if len(points) != POINTS_NEEDED.get(found, len(points) & ~1) or not points:
        return None
    ticks = _ticks(item)
    if found is CompoundType.RULER and not ticks:
        # Major ticks are asked of an axis only: what this ruler counts, its simple objects alone say.
        return None
    pivot = numbers(item, "RotationPoint", 2)
    line, fill = first_item(item, "LineStyleSequence"), first_item(item, "FillStyleSequence")
    encoded = next(
        (value for style in (line, fill) if style and (value := cielab(style, "PatternOnColorCIELabValue"))), None
    )
    return CompoundObject(
        kind=found,
        units=units,
        points=points,
        rotation=(number(item, "RotationAngle") or 0.0) % 360,
        rotation_point=Place(pivot[0], pivot[1]) if pivot else None,
        gap=_share(item, "GapLength"),
        visibility=_share(item, "DiameterOfVisibility"),
        ticks=ticks,
        tick_alignment=_side(item, "TickAlignment", "CENTER"),
        label_alignment=_side(item, "TickLabelAlignment", "BOTTOM"),
        filled=text(item, "GraphicFilled") == "Y",
        color=None if encoded is None else srgb_of(encoded),
    )


def instance_id(item: Dataset) -> int | None:
    """What links a compound graphic and the simple objects that stand for it; None where there is no link."""
    return integer(item, "CompoundGraphicInstanceID", -1) if "CompoundGraphicInstanceID" in item else None


def _ticks(item: Dataset) -> tuple[Tick, ...]:
    is_labelled = text(item, "ShowTickLabel") != "N"
    found = []
    for one in items(item, "MajorTicksSequence")[:MAXIMUM_TICKS]:
        position = number(one, "TickPosition")
        if position is not None and 0 <= position <= 1:
            found.append(Tick(position, text(one, "TickLabel")[:LONGEST_LABEL] if is_labelled else ""))
    return tuple(found)


def _side(item: Dataset, keyword: str, default: str) -> str:
    side = text(item, keyword)
    return side if side in SIDES else default


def _share(item: Dataset, keyword: str) -> float:
    return min(max(number(item, keyword) or 0.0, 0.0), 2.0)
