"""Whole-slide images with known pixels: small ones cut by the rules of the standard, and a large one of 20,000 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from archive.dicom.uids import new_uid
from archive.pixels.tiling import WHOLE_SLIDE_MICROSCOPY
from tests.phantoms import FRAME_OF_REFERENCE_UID, _item, image, with_encapsulated

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
OUTSIDE = 77
"""Sample of what an edge tile holds beyond the total pixel matrix: it must never be seen."""


@dataclass(frozen=True)
class Tile:
    """One frame and where it lies, from 0."""

    values: NDArray[np.uint8]
    row: int
    column: int
    path: int = 0
    plane: int = 0


def cut(picture: NDArray[Any], rows: int, columns: int, *, path: int = 0, plane: int = 0) -> list[Tile]:
    """Tiles of a picture, along each row from left to right, then down."""
    down, across = -(-picture.shape[0] // rows), -(-picture.shape[1] // columns)
    padded = np.full((down * rows, across * columns, *picture.shape[2:]), OUTSIDE, picture.dtype)
    padded[: picture.shape[0], : picture.shape[1]] = picture
    return [
        Tile(padded[row : row + rows, column : column + columns], row, column, path, plane)
        for row in range(0, down * rows, rows)
        for column in range(0, across * columns, columns)
    ]


def slide(
    tiles: Sequence[Tile],
    total: tuple[int, int],
    *,
    sparse: bool = False,
    paths: Sequence[str] = ("1",),
    depths: Sequence[float] = (0.0,),
    spacing_mm: float = 0.0005,
    kind: str = "VOLUME",
    number: int = 1,
    **attributes: Any,
) -> Dataset:
    """A slide of tiles in the order given; TILED_FULL, or TILED_SPARSE with the place of each."""
    values = np.stack([tile.values for tile in tiles])
    samples = 3 if values.ndim == 4 else 1
    ds = image(
        values,
        sop_class_uid=WHOLE_SLIDE_MICROSCOPY,
        **{
            "SamplesPerPixel": samples,
            "NumberOfFrames": len(tiles),
            "BitsAllocated": 8 * values.dtype.itemsize,
            "Modality": "SM",
            "ImageType": ["ORIGINAL", "PRIMARY", kind, "NONE"],
            "InstanceNumber": number,
            "FrameOfReferenceUID": FRAME_OF_REFERENCE_UID,
            "TotalPixelMatrixRows": total[0],
            "TotalPixelMatrixColumns": total[1],
            "TotalPixelMatrixFocalPlanes": len(depths),
            "NumberOfOpticalPaths": len(paths),
            "DimensionOrganizationType": "TILED_SPARSE" if sparse else "TILED_FULL",
            "OpticalPathSequence": [_item(OpticalPathIdentifier=path) for path in paths],
            **attributes,
        },
    )
    shared = Dataset()
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[spacing_mm, spacing_mm], SliceThickness=0.001)]
    ds.SharedFunctionalGroupsSequence = [shared]
    if sparse:
        ds.PerFrameFunctionalGroupsSequence = [_place(tile, paths, depths) for tile in tiles]
    return ds


def _place(tile: Tile, paths: Sequence[str], depths: Sequence[float]) -> Dataset:
    position = _item(
        RowPositionInTotalImagePixelMatrix=tile.row + 1,
        ColumnPositionInTotalImagePixelMatrix=tile.column + 1,
        XOffsetInSlideCoordinateSystem=0,
        YOffsetInSlideCoordinateSystem=0,
        ZOffsetInSlideCoordinateSystem=depths[tile.plane],
    )
    path = _item(OpticalPathIdentifier=paths[tile.path])
    return _item(PlanePositionSlideSequence=[position], OpticalPathIdentificationSequence=[path])


def concatenated(ds: Dataset, tiles: Sequence[Tile], sizes: Sequence[int]) -> list[Dataset]:
    """The instance cut into a concatenation of so many frames each (PS3.3 C.7.6.16.2.2.4)."""
    uid, start, parts = new_uid(), 0, []
    for number, size in enumerate(sizes, 1):
        own = list(tiles[start : start + size])
        part = slide(
            own,
            (ds.TotalPixelMatrixRows, ds.TotalPixelMatrixColumns),
            sparse=ds.DimensionOrganizationType == "TILED_SPARSE",
            number=ds.InstanceNumber,
            ConcatenationUID=uid,
            InConcatenationNumber=number,
            InConcatenationTotalNumber=len(sizes),
            ConcatenationFrameOffsetNumber=start,
            SOPInstanceUIDOfConcatenationSource=ds.SOPInstanceUID,
        )
        parts.append(part)
        start += size
    return parts


# --- A large one ------------------------------------------------------------------------------------------------------

LARGE_ROWS, LARGE_COLUMNS, LARGE_TILE = 16_000, 20_000, 512
_STAINS = ((243, 240, 244), (236, 180, 205), (150, 90, 165))
"""Glass, eosin, haematoxylin."""
_CELLS = 4
"""Kinds of tile of each stain."""


def stain_of(row: int, column: int) -> int:
    """What the tile of the finest level at a place shows: three islands of tissue on glass."""
    y, x = (row + 0.5) * LARGE_TILE / LARGE_ROWS, (column + 0.5) * LARGE_TILE / LARGE_COLUMNS
    distances = [np.hypot((x - a) / 0.16, (y - b) / 0.3) for a, b in ((0.25, 0.35), (0.7, 0.6), (0.5, 0.15))]
    nearest = min(distances)
    return 0 if nearest > 1 else 1 if nearest > 0.45 else 2


@lru_cache(maxsize=1)
def _kinds() -> dict[tuple[int, int], NDArray[np.uint8]]:
    """Tiles of the finest level by stain and kind; nuclei are dark discs."""
    chance = np.random.default_rng(5)
    down, across = np.mgrid[0:LARGE_TILE, 0:LARGE_TILE]
    kinds = {}
    for stain, color in enumerate(_STAINS):
        for kind in range(_CELLS):
            tile = np.full((LARGE_TILE, LARGE_TILE, 3), color, np.float64)
            for _ in range((0, 8, 30)[stain]):
                y, x, radius = chance.integers((20, 20, 6), (LARGE_TILE - 20, LARGE_TILE - 20, 16))
                tile[np.hypot(down - y, across - x) < radius] = (90, 50, 130)
            kinds[stain, kind] = tile.astype(np.uint8)
    return kinds


def large_tile(row: int, column: int) -> tuple[int, int]:
    """Stain and kind of a tile of the finest level."""
    return stain_of(row, column), (row * 7 + column * 3) % _CELLS


@lru_cache(maxsize=64)
def kind_of_tile(kind: tuple[int, int], scale: int) -> NDArray[np.uint8]:
    """A tile of the finest level at a lower resolution."""
    tile = _kinds()[kind]
    size = LARGE_TILE // scale
    return tile.reshape(size, scale, size, scale, 3).mean(axis=(1, 3)).astype(np.uint8)


def _frames(scale: int) -> Iterator[bytes]:
    """JPEG frames of a resolution, in the order of TILED_FULL."""
    known: dict[Any, bytes] = {}
    rows, columns = LARGE_ROWS // scale, LARGE_COLUMNS // scale
    size = LARGE_TILE // scale
    for top in range(0, -(-rows // LARGE_TILE) * scale, scale):
        for left in range(0, -(-columns // LARGE_TILE) * scale, scale):
            kinds = tuple(large_tile(top + row, left + column) for row in range(scale) for column in range(scale))
            if kinds not in known:
                tile = np.empty((LARGE_TILE, LARGE_TILE, 3), np.uint8)
                for number, kind in enumerate(kinds):
                    row, column = number // scale * size, number % scale * size
                    tile[row : row + size, column : column + size] = kind_of_tile(kind, scale)
                known[kinds] = imagecodecs.jpeg8_encode(tile, level=85)
            yield known[kinds]


def large_slide(scales: Sequence[int] = (1, 4, 16)) -> Iterator[Dataset]:
    """A slide of 20,000 x 16,000 pixels in JPEG baseline, one instance for each scale."""
    for number, scale in enumerate(scales, 1):
        frames = list(_frames(scale))
        blank = [Tile(np.zeros((LARGE_TILE, LARGE_TILE, 3), np.uint8), 0, 0)]
        ds = slide(
            blank,
            (LARGE_ROWS // scale, LARGE_COLUMNS // scale),
            spacing_mm=0.0005 * scale,
            number=number,
            NumberOfFrames=len(frames),
            PhotometricInterpretation="YBR_FULL_422",
            LossyImageCompression="01",
            LossyImageCompressionRatio="20",
        )
        yield with_encapsulated(ds, [[frame] for frame in frames])
