"""Graphic annotations of a presentation state's data set into values (PS3.3 C.10.5), within limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from pydicom import Dataset

from archive.dicom.values import first_item, integer, items, numbers, text, value_of
from archive.pixels.shutters import cielab
from viewer.errors import NothingToDraw
from viewer.rendering.cielab import Rgb, srgb_of
from viewer.rendering.compound_graphics import CompoundObject
from viewer.rendering.compound_reading import instance_id, read_compound
from viewer.rendering.graphic_objects import GraphicObject, GraphicType, Place, TextObject, Units
from viewer.rendering.presentation_state import Annotation, References

MAXIMUM_ITEMS: Final = 1024
"""Objects of a state; further ones are left out."""
MAXIMUM_POINTS: Final = 1 << 14
"""Points of all graphic objects of a state together."""
MAXIMUM_REFERENCES: Final = 1 << 16
"""Images and frames that all items of a state name together."""
MAXIMUM_CHARACTERS: Final = 1024
"""Of one text, as its VR allows (PS3.5 6.2, ST)."""
FARTHEST: Final = {Units.PIXEL: 2.0**17, Units.MATRIX: 2.0**22, Units.DISPLAY: 4.0}
"""Largest coordinate to either side; nothing beyond can be meant, and drawing it would cost."""
JUSTIFICATIONS: Final = frozenset({"LEFT", "RIGHT", "CENTER"})
POINTS_NEEDED: Final = {
    # PS3.3 C.10.5.1.2
    GraphicType.POINT: 1,
    GraphicType.POLYLINE: 2,
    GraphicType.INTERPOLATED: 2,
    GraphicType.CIRCLE: 2,
    GraphicType.ELLIPSE: 4,
}


class Budget:
    """How much of a hostile or careless state is taken, and what was left out."""

    def __init__(self) -> None:
        self._items = MAXIMUM_ITEMS
        self._points = MAXIMUM_POINTS
        self._references = MAXIMUM_REFERENCES
        self._left_out = 0

    def take(self, points: int) -> bool:
        """Whether one more object with so many points is taken."""
        if self._items < 1 or points > self._points:
            self._left_out += 1
            return False
        self._items -= 1
        self._points -= points
        return True

    def refer(self, item: Dataset) -> References:
        """Images and frames of a Referenced Image Sequence.

        Raises
        ------
        NothingToDraw
            The state names more than can be meant: which image it is about could not be told.
        """
        found: dict[str, frozenset[int]] = {}
        for one in items(item, "ReferencedImageSequence"):
            uid = text(one, "ReferencedSOPInstanceUID")
            frames = frozenset(int(frame) for frame in numbers(one, "ReferencedFrameNumber"))
            self._references -= 1 + len(frames)
            if self._references < 0:
                raise NothingToDraw("The presentation state names more images than can be shown.")
            if uid:
                known = found.get(uid)
                # Named without frames it is all of them.
                found[uid] = frames if known is None else frames | known if frames and known else frozenset()
        return found

    def leave_out(self) -> None:
        """One object cannot be drawn."""
        self._left_out += 1

    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        if not self._left_out:
            return ()
        count = "1 annotation" if self._left_out == 1 else f"{self._left_out} annotations"
        return (f"{count} of this presentation state cannot be shown.",)


def read_annotations(ds: Dataset, budget: Budget) -> tuple[Annotation, ...]:
    """Read the Graphic Annotation Sequence."""
    found = []
    for item in items(ds, "GraphicAnnotationSequence")[:MAXIMUM_ITEMS]:
        compounds, drawn = _compounds(item, budget)
        graphics = _taken(item, "GraphicObjectSequence", _graphic, budget, drawn)
        texts = _taken(item, "TextObjectSequence", _text, budget, drawn)
        found.append(Annotation(budget.refer(item), text(item, "GraphicLayer"), graphics, texts, compounds))
    return tuple(found)


def _compounds(item: Dataset, budget: Budget) -> tuple[tuple[CompoundObject, ...], frozenset[int]]:
    """Compound graphics that are drawn as such, and the numbers of the simple objects that they stand for.

    Those that are not have their simple objects; only where these are missing too is something left out.
    """
    simple = {
        instance_id(one)
        for sequence in ("GraphicObjectSequence", "TextObjectSequence")
        for one in items(item, sequence)
    }
    found, drawn = [], set()
    for one in items(item, "CompoundGraphicSequence"):
        units = _units(one, "CompoundGraphicUnits")
        value = read_compound(one, units, _points(one, units) or ())
        number = instance_id(one)
        if value is not None and budget.take(len(value.points) + len(value.ticks)):
            found.append(value)
            drawn |= {number} - {None}
        elif value is None and (number is None or number not in simple):
            budget.leave_out()
    return tuple(found), frozenset(one for one in drawn if one is not None)


Read = TypeVar("Read", GraphicObject, TextObject)


def _taken(
    item: Dataset,
    sequence: str,
    read: Callable[[Dataset], Read | None],
    budget: Budget,
    drawn_otherwise: frozenset[int],
) -> tuple[Read, ...]:
    found = []
    for one in items(item, sequence):
        if instance_id(one) in drawn_otherwise:
            continue
        value = read(one)
        if value is None:
            budget.leave_out()
        elif budget.take(len(value.points) if isinstance(value, GraphicObject) else 1):
            found.append(value)
    return tuple(found)


def _graphic(item: Dataset) -> GraphicObject | None:
    kind, units = text(item, "GraphicType"), _units(item, "GraphicAnnotationUnits")
    points = _points(item, units)
    if kind not in set(GraphicType) or units is None or points is None:
        return None
    if len(points) < POINTS_NEEDED[GraphicType(kind)]:
        return None
    line, fill = first_item(item, "LineStyleSequence"), first_item(item, "FillStyleSequence")
    return GraphicObject(
        kind=GraphicType(kind),
        units=units,
        points=points,
        filled=text(item, "GraphicFilled") == "Y",
        color=_color(line, "PatternOnColorCIELabValue") or _color(fill, "PatternOnColorCIELabValue"),
    )


def _points(item: Dataset, units: Units | None) -> tuple[Place, ...] | None:
    """Graphic Data; None where it is too much, has another number of dimensions, or lies beyond all that can be meant."""
    values = value_of(item, "GraphicData")
    if units is None or values is None or integer(item, "GraphicDimensions", 2) != 2:
        return None
    data = numbers(item, "GraphicData") if not hasattr(values, "__len__") or len(values) <= 2 * MAXIMUM_POINTS else ()
    points = tuple(Place(x, y) for x, y in zip(data[::2], data[1::2], strict=False))
    return points if all(_is_near(point, units) for point in points) else None


def _text(item: Dataset) -> TextObject | None:
    written = text(item, "UnformattedTextValue")[:MAXIMUM_CHARACTERS]
    box_units, anchor_units = _units(item, "BoundingBoxAnnotationUnits"), _units(item, "AnchorPointAnnotationUnits")
    first = _place(item, "BoundingBoxTopLeftHandCorner", box_units)
    last = _place(item, "BoundingBoxBottomRightHandCorner", box_units)
    box = (first, last) if first is not None and last is not None else None
    anchor = _place(item, "AnchorPoint", anchor_units)
    if not written or (box is None and anchor is None):
        return None
    justification = text(item, "BoundingBoxTextHorizontalJustification")
    return TextObject(
        text=written.replace("\r\n", "\n").replace("\r", "\n"),
        box=box,
        box_units=box_units or Units.PIXEL,
        anchor=anchor,
        anchor_units=anchor_units or Units.PIXEL,
        anchor_visible=text(item, "AnchorPointVisibility") == "Y",
        justification=justification if justification in JUSTIFICATIONS else "LEFT",
        color=_color(first_item(item, "TextStyleSequence"), "TextColorCIELabValue"),
    )


def _is_near(place: Place, units: Units) -> bool:
    return max(abs(place.x), abs(place.y)) <= FARTHEST[units]


def _units(item: Dataset, keyword: str) -> Units | None:
    name = text(item, keyword)
    return Units(name) if name in set(Units) else None


def _place(item: Dataset, keyword: str, units: Units | None) -> Place | None:
    values = numbers(item, keyword, 2)
    if units is None or not values:
        return None
    place = Place(values[0], values[1])
    return place if _is_near(place, units) else None


def _color(style: Dataset | None, keyword: str) -> Rgb | None:
    encoded = cielab(style, keyword) if style is not None else None
    return srgb_of(encoded) if encoded is not None else None
