"""Values of a picture that are read region by region, because the whole is kept elsewhere or is too large.

The pipeline takes them where it takes an array: it asks for ``values[rows, columns]``
and has an array. ``numpy.asarray`` reads the whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.tiles import Region


class RegionValues(ABC):
    """Shape, type and regions of a picture, (rows, columns) or (rows, columns, samples)."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Memory that the object itself holds: none to speak of."""
        return 0

    @abstractmethod
    def read(self, region: Region) -> NDArray[Any]:
        """Values of a region that lies inside the picture; may be read-only."""

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[Any]:
        (top, bottom, _), (left, right, _) = (
            part.indices(size) for part, size in zip(key, self.shape[:2], strict=True)
        )
        return self.read(Region(top, left, max(bottom - top, 0), max(right - left, 0)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self.read(Region(0, 0, *self.shape[:2]))
        return whole if dtype is None else whole.astype(dtype)


class Overlap(NamedTuple):
    """Where a tile of a grid and a region meet: in the tile, and in the region."""

    row: int
    """Of the tile in its grid, from 0."""
    column: int
    in_tile: tuple[slice, slice]
    in_region: tuple[slice, slice]


def overlaps(region: Region, tile_rows: int, tile_columns: int) -> Iterator[Overlap]:
    """Tiles of a grid that a region touches, row by row."""
    for row in _touched(region.row, region.rows, tile_rows):
        down = _meeting(region.row, region.rows, row * tile_rows, tile_rows)
        for column in _touched(region.column, region.columns, tile_columns):
            across = _meeting(region.column, region.columns, column * tile_columns, tile_columns)
            yield Overlap(row, column, (down[0], across[0]), (down[1], across[1]))


def _touched(start: int, size: int, tile: int) -> range:
    return range(start // tile, -(-(start + size) // tile) if size else start // tile)


def _meeting(start: int, size: int, tile_start: int, tile: int) -> tuple[slice, slice]:
    low, high = max(start, tile_start), min(start + size, tile_start + tile)
    return slice(low - tile_start, high - tile_start), slice(low - start, high - start)
