"""Graphics and texts of a presentation state as values (PS3.3 C.10.5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from viewer.rendering.cielab import Rgb


class Units(StrEnum):
    """What coordinates of annotations count (PS3.3 C.10.5)."""

    PIXEL = "PIXEL"
    """Image pixels; 0\\0 is the outer corner of the first pixel, 1\\1 the opposite corner of the same pixel."""
    MATRIX = "MATRIX"
    """The same in the total pixel matrix of a tiled image."""
    DISPLAY = "DISPLAY"
    """Fractions of the displayed area as it is shown: 0\\0 upper left, 1\\1 lower right."""


class GraphicType(StrEnum):
    """Graphic Type (0070,0023), PS3.3 C.10.5.1.2."""

    POINT = "POINT"
    POLYLINE = "POLYLINE"
    INTERPOLATED = "INTERPOLATED"
    CIRCLE = "CIRCLE"
    """Center, then a point on the circumference."""
    ELLIPSE = "ELLIPSE"
    """Ends of the major axis, then of the minor axis."""


class Place(NamedTuple):
    """A place in the units that stand beside it: column first, as annotations have it."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class GraphicObject:
    """One item of the Graphic Object Sequence (PS3.3 C.10.5)."""

    kind: GraphicType
    units: Units
    points: tuple[Place, ...]
    filled: bool = False
    color: Rgb | None = None
    """Of its own line style, over the layer's."""


@dataclass(frozen=True, slots=True)
class TextObject:
    """One item of the Text Object Sequence (PS3.3 C.10.5); it has a box, an anchor, or both."""

    text: str
    box: tuple[Place, Place] | None = None
    """Corners between which the text runs: from the first to the second, also when turned (C.10.5.1.1)."""
    box_units: Units = Units.PIXEL
    anchor: Place | None = None
    anchor_units: Units = Units.PIXEL
    anchor_visible: bool = False
    justification: str = "LEFT"
    """LEFT, RIGHT or CENTER."""
    color: Rgb | None = None


class CompoundType(StrEnum):
    """Compound Graphic Type (0070,0294), PS3.3 table C.10-5."""

    MULTILINE = "MULTILINE"
    INFINITELINE = "INFINITELINE"
    CUTLINE = "CUTLINE"
    RANGELINE = "RANGELINE"
    RULER = "RULER"
    AXIS = "AXIS"
    CROSSHAIR = "CROSSHAIR"
    ARROW = "ARROW"
    RECTANGLE = "RECTANGLE"
    ELLIPSE = "ELLIPSE"


class Tick(NamedTuple):
    """One item of the Major Ticks Sequence."""

    position: float
    """0 at the first point of the line, 1 at the second."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class CompoundObject:
    """One item of the Compound Graphic Sequence."""

    kind: CompoundType
    units: Units
    points: tuple[Place, ...]
    rotation: float = 0.0
    """Degrees counterclockwise around the rotation point (C.10.5.1.3.2)."""
    rotation_point: Place | None = None
    """In the units of the points; None: the middle of them."""
    gap: float = 0.0
    """Diameter around the rotation point that stays free, in parts of the displayed area's width."""
    visibility: float = 0.0
    """Diameter that a crosshair is seen in, in the same parts; 0: up to the border."""
    ticks: tuple[Tick, ...] = ()
    tick_alignment: str = "CENTER"
    """TOP, CENTER or BOTTOM, of a line that runs from left to right."""
    label_alignment: str = "BOTTOM"
    filled: bool = False
    color: Rgb | None = None
