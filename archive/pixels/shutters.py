"""Display shutters as files hold them (PS3.3 C.7.6.11, C.7.6.15), made clean."""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from archive.dicom.values import integer, numbers, texts, value_of
from archive.pixels.description import Shutter

MAXIMUM_VERTICES: Final = 4096
"""Of a polygonal shutter; one with more is left out."""


def shutter(ds: Dataset) -> Shutter | None:
    """Read the shutter of a data set or of a functional group; None where no shape is complete."""
    shapes = {shape.upper() for shape in texts(ds, "ShutterShape")}
    rectangle = _rectangle(ds) if "RECTANGULAR" in shapes else None
    circle = _circle(ds) if "CIRCULAR" in shapes else None
    polygon = _polygon(ds) if "POLYGONAL" in shapes else ()
    group = integer(ds, "ShutterOverlayGroup") if "BITMAP" in shapes else 0
    if not (rectangle or circle or polygon or group):
        return None
    return Shutter(
        rectangle=rectangle,
        circle=circle,
        polygon=polygon,
        overlay_group=group,
        presentation_value=min(max(integer(ds, "ShutterPresentationValue"), 0), 0xFFFF),
        color=cielab(ds, "ShutterPresentationColorCIELabValue"),
    )


def cielab(ds: Dataset, keyword: str) -> tuple[int, int, int] | None:
    """A color of three words (PS3.3 C.10.7.1.1); None where it is absent or broken."""
    values = numbers(ds, keyword, 3)
    if not values or not all(0 <= value <= 0xFFFF for value in values):
        return None
    return int(values[0]), int(values[1]), int(values[2])


def _rectangle(ds: Dataset) -> tuple[int, int, int, int] | None:
    keywords = (
        "ShutterLeftVerticalEdge",
        "ShutterRightVerticalEdge",
        "ShutterUpperHorizontalEdge",
        "ShutterLowerHorizontalEdge",
    )
    if any(value_of(ds, keyword) is None for keyword in keywords):
        return None
    left, right, upper, lower = (integer(ds, keyword) for keyword in keywords)
    # Edges in the wrong order would cover the whole picture: nobody has meant that.
    return (left, right, upper, lower) if left <= right and upper <= lower else None


def _circle(ds: Dataset) -> tuple[int, int, int] | None:
    center, radius = numbers(ds, "CenterOfCircularShutter", 2), integer(ds, "RadiusOfCircularShutter", -1)
    return (int(center[0]), int(center[1]), radius) if center and radius >= 0 else None


def _polygon(ds: Dataset) -> tuple[tuple[int, int], ...]:
    values = numbers(ds, "VerticesOfThePolygonalShutter")
    if len(values) % 2 or not 6 <= len(values) <= 2 * MAXIMUM_VERTICES:
        return ()
    return tuple((int(row), int(column)) for row, column in zip(values[::2], values[1::2], strict=True))
