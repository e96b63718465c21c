"""The pyramid of an image: which levels and tiles there are.

Level 0 fits into one tile, each next one is twice as large, the last is 1:1. Rows
and columns of a level are the image's halved and rounded up as often as needed.
"""

from __future__ import annotations

from typing import NamedTuple

from viewer.errors import TileMissing

TILE_SIZE = 512


class Region(NamedTuple):
    """A rectangle in pixels, rows first, from 0."""

    row: int
    column: int
    rows: int
    columns: int


class Level(NamedTuple):
    """One storey of the pyramid."""

    level: int
    rows: int
    """Rows of the level's image, in pixels."""
    columns: int
    tile_rows: int
    """Number of tiles, top to bottom."""
    tile_columns: int
    scale: int
    """Image pixels that one pixel of the level covers, along each side."""


def levels(rows: int, columns: int, tile_size: int = TILE_SIZE) -> tuple[Level, ...]:
    """Return every level, the smallest first.

    >>> [(level.rows, level.columns, level.scale) for level in levels(3000, 4000)]
    [(375, 500, 8), (750, 1000, 4), (1500, 2000, 2), (3000, 4000, 1)]
    """
    if rows < 1 or columns < 1:
        raise TileMissing(f"An image of {rows} x {columns} pixels has no levels.")
    halvings = max(0, (-(-max(rows, columns) // tile_size) - 1).bit_length())
    return tuple(_level(index, rows, columns, 1 << (halvings - index), tile_size) for index in range(halvings + 1))


def _level(index: int, rows: int, columns: int, scale: int, tile_size: int) -> Level:
    height, width = -(-rows // scale), -(-columns // scale)
    return Level(index, height, width, -(-height // tile_size), -(-width // tile_size), scale)


def find_level(rows: int, columns: int, level: int, tile_size: int = TILE_SIZE) -> Level:
    """Return one level by number.

    Raises
    ------
    TileMissing
        The image has no such level.
    """
    pyramid = levels(rows, columns, tile_size)
    if not 0 <= level < len(pyramid):
        raise TileMissing(f"Level {level} does not exist: an image of {rows} x {columns} has 0 to {len(pyramid) - 1}.")
    return pyramid[level]


def tile_region(level: Level, row: int, column: int, tile_size: int = TILE_SIZE) -> Region:
    """Return the part of a level's image that a tile shows, smaller at the right and bottom edge.

    Raises
    ------
    TileMissing
        The level has no such tile.
    """
    if not (0 <= row < level.tile_rows and 0 <= column < level.tile_columns):
        raise TileMissing(
            f"Tile {row}, {column} does not exist: level {level.level} has "
            f"{level.tile_rows} x {level.tile_columns} tiles, counted from 0."
        )
    top, left = row * tile_size, column * tile_size
    return Region(top, left, min(tile_size, level.rows - top), min(tile_size, level.columns - left))
