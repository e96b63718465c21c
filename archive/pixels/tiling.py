"""Where the tiles of a whole-slide image lie (PS3.3 C.7.6.17.3, C.8.12.4, C.8.12.6).

A slide is one large picture, the total pixel matrix, cut into frames. TILED_FULL says
the places of the frames by their order; else each frame says its own. A slide of
100,000 frames must not make a description of 100,000 objects: what is kept of the
places is four rows of numbers, each as the difference to the one before, which
deflates to next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from archive.dicom.values import first_item, integer, items, number, text, texts
from archive.pixels.description import Tiling
from archive.pixels.shutters import cielab

WHOLE_SLIDE_MICROSCOPY: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"
TILED_FULL: Final = "TILED_FULL"
MAXIMUM_SIDE: Final = 1 << 30
"""Rows or columns of a total pixel matrix; more are junk."""
_MAXIMUM_PLANES: Final = 4096


@dataclass(frozen=True, slots=True)
class TilePlaces:
    """Place of each frame of one instance, in the order of the frames."""

    row: NDArray[np.int64]
    """First row of the frame in the total pixel matrix, from 0."""
    column: NDArray[np.int64]
    path: NDArray[np.int64]
    """Index of its optical path, from 0."""
    plane: NDArray[np.int64]
    """Index of its focal plane, from 0."""


def tiling(ds: Dataset, frames: int) -> Tiling | None:
    """Return how a data set is tiled; None where it is no whole-slide image.

    Parameters
    ----------
    frames
        Number of Frames.
    """
    total_rows, total_columns = integer(ds, "TotalPixelMatrixRows"), integer(ds, "TotalPixelMatrixColumns")
    is_slide = text(ds, "SOPClassUID") == WHOLE_SLIDE_MICROSCOPY
    if not is_slide or not (0 < total_rows <= MAXIMUM_SIDE and 0 < total_columns <= MAXIMUM_SIDE):
        return None
    paths = items(ds, "OpticalPathSequence")
    identifiers = tuple(text(path, "OpticalPathIdentifier") for path in paths)
    places = None if text(ds, "DimensionOrganizationType") == TILED_FULL else _stated_places(ds, frames, identifiers)
    origin = first_item(ds, "TotalPixelMatrixOriginSequence")
    depth = number(origin, "ZOffsetInSlideCoordinateSystem") if origin is not None else None
    image_type = texts(ds, "ImageType")
    return Tiling(
        total_rows=total_rows,
        total_columns=total_columns,
        kind=image_type[2] if len(image_type) > 2 else "",
        focal_planes=min(max(integer(ds, "TotalPixelMatrixFocalPlanes", 1), 1), _MAXIMUM_PLANES),
        optical_paths=identifiers,
        optical_path_names=tuple(text(path, "OpticalPathDescription") for path in paths),
        depths=places[1] if places else () if depth is None else (depth,),
        places=places[0] if places else b"",
        concatenation=text(ds, "ConcatenationUID"),
        first_frame=max(integer(ds, "ConcatenationFrameOffsetNumber"), 0),
        pyramid=text(ds, "PyramidUID"),
        absent_lab=cielab(ds, "RecommendedAbsentPixelCIELabValue"),
    )


def _stated_places(ds: Dataset, frames: int, identifiers: Sequence[str]) -> tuple[bytes, tuple[float, ...]] | None:
    """Places by the per-frame functional groups, packed, and the depths of focal planes; None where there are none."""
    groups = items(ds, "PerFrameFunctionalGroupsSequence")[:frames]
    shared = first_item(ds, "SharedFunctionalGroupsSequence")
    shared_path = _path_identifier(shared) if shared is not None else ""
    known = {identifier: index for index, identifier in enumerate(identifiers)}
    found, depths = [], []
    for group in groups:
        position = first_item(group, "PlanePositionSlideSequence")
        if position is None:
            return None
        row = integer(position, "RowPositionInTotalImagePixelMatrix", 1) - 1
        column = integer(position, "ColumnPositionInTotalImagePixelMatrix", 1) - 1
        if abs(row) > MAXIMUM_SIDE or abs(column) > MAXIMUM_SIDE:
            return None
        found.append((row, column, known.get(_path_identifier(group) or shared_path, 0)))
        depths.append(number(position, "ZOffsetInSlideCoordinateSystem") or 0.0)
    if not found:
        return None
    planes, plane = np.unique(np.array(depths), return_inverse=True)
    return pack_places(np.column_stack([np.array(found, np.int64), plane])), tuple(planes.tolist())


def _path_identifier(group: Dataset) -> str:
    item = first_item(group, "OpticalPathIdentificationSequence")
    return text(item, "OpticalPathIdentifier") if item is not None else ""


def pack_places(places: NDArray[Any]) -> bytes:
    """Pack (frames, 4) integers, as row, column, path and plane, into differences column by column."""
    return np.diff(places.astype(np.int64).T, axis=1, prepend=0).astype("<i4").tobytes()


def tile_places(tiling: Tiling, rows: int, columns: int, frames: int) -> TilePlaces:
    """Return where each frame of an instance lies.

    Parameters
    ----------
    rows, columns
        Of one frame.
    frames
        Of the instance; in a concatenation it has a part of all frames.

    Source
    ------
    PS3.3 C.7.6.17.3: frames of TILED_FULL follow each other along a row of tiles from left to
    right, then from top to bottom, then by focal plane from the glass upwards, then by optical path.
    """
    if tiling.places:
        differences = np.frombuffer(tiling.places, "<i4").reshape(4, -1)[:, :frames]
        return TilePlaces(*np.cumsum(differences, axis=1, dtype=np.int64))
    across, down = -(-tiling.total_columns // columns), -(-tiling.total_rows // rows)
    number_of_all = tiling.first_frame + np.arange(frames, dtype=np.int64)
    place, layer = number_of_all % (across * down), number_of_all // (across * down)
    return TilePlaces(
        row=place // across * rows,
        column=place % across * columns,
        path=layer // tiling.focal_planes,
        plane=layer % tiling.focal_planes,
    )
