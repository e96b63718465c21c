"""A file with the levels of one frame, from which one tile is one read.

    "PORTLEV1", length and CRC-32 of what follows up to the tiles
    what the levels are, as JSON; CRC-32 of every tile
    the tiles: level by level, row by row, each of them plain values in one piece

A file that is cut short, half written or changed is found out by its sums, and read as
if it were not there.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from viewer.rendering.pipeline import Decoded
from viewer.rendering.regions import overlaps
from viewer.rendering.tiles import TILE_SIZE, Region

MAGIC: Final = b"PORTLEV1"
_HEAD: Final = struct.Struct("<8sII")
MAXIMUM_HEADER_BYTES: Final = 1 << 24


class LevelDamaged(Exception):
    """The file is not what was written, or is gone."""


class LevelGone(LevelDamaged):
    """The file is gone: it went to make room, or somebody removed it."""


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """One level of a file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    photometric_interpretation: str

    @property
    def tile_columns(self) -> int:
        return -(-self.shape[1] // TILE_SIZE)

    def regions(self) -> Iterator[Region]:
        """Its tiles, in the order of the file."""
        for place in overlaps(Region(0, 0, *self.shape[:2]), TILE_SIZE, TILE_SIZE):
            down, across = place.in_region
            yield Region(down.start, across.start, down.stop - down.start, across.stop - across.start)

    def bytes_of(self, region: Region) -> int:
        samples = self.shape[2] if len(self.shape) == 3 else 1
        return region.rows * region.columns * samples * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class LevelFile:
    """A file of levels whose head has been read and found whole."""

    path: Path
    levels: tuple[LevelPlan, ...]
    offsets: tuple[tuple[int, ...], ...]
    """First byte of each tile, by level, and the end of the last."""
    sums: tuple[tuple[int, ...], ...]

    def read(self, level: int, region: Region) -> NDArray[Any]:
        """Values of a region of a level.

        Raises
        ------
        LevelGone
            There is no such file any more.
        LevelDamaged
            A tile of it is not what was written, or it cannot be read.
        """
        plan = self.levels[level]
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise LevelGone(str(error.strerror)) from error
        except OSError as error:
            raise LevelDamaged(str(error.strerror)) from error
        try:
            found = list(overlaps(region, TILE_SIZE, TILE_SIZE))
            parts = [(self._tile(descriptor, level, one.row, one.column)[one.in_tile], one) for one in found]
        finally:
            os.close(descriptor)
        if len(parts) == 1:
            return parts[0][0]
        whole = np.empty((region.rows, region.columns, *plan.shape[2:]), plan.dtype)
        for values, place in parts:
            whole[place.in_region] = values
        return whole

    def _tile(self, descriptor: int, level: int, row: int, column: int) -> NDArray[Any]:
        plan, offsets = self.levels[level], self.offsets[level]
        number = row * plan.tile_columns + column
        data = os.pread(descriptor, offsets[number + 1] - offsets[number], offsets[number])
        if isal_zlib.crc32(data) != self.sums[level][number]:
            raise LevelDamaged(f"A tile of {self.path.name} is damaged.")
        rows = min(TILE_SIZE, plan.shape[0] - row * TILE_SIZE)
        columns = min(TILE_SIZE, plan.shape[1] - column * TILE_SIZE)
        return np.frombuffer(data, plan.dtype).reshape(rows, columns, *plan.shape[2:])


def write_levels(file: BinaryIO, levels: Sequence[Decoded]) -> int:
    """Write a file of levels, the smallest first; returns its size.

    Raises
    ------
    OSError
        The disk is full, or cannot be written.
    """
    plans = [LevelPlan(one.values.shape, one.values.dtype, one.photometric_interpretation) for one in levels]
    size = sum(1 for plan in plans for _ in plan.regions())
    file.write(bytes(_HEAD.size + len(_described(plans)) + 4 * size))
    sums = []
    for plan, level in zip(plans, levels, strict=True):
        for region in plan.regions():
            part = level.values[region.row : region.row + region.rows, region.column : region.column + region.columns]
            data = np.ascontiguousarray(part).data
            sums.append(isal_zlib.crc32(data))
            file.write(data)
    end = file.tell()
    body = _described(plans) + struct.pack(f"<{size}I", *sums)
    file.seek(0)
    file.write(_HEAD.pack(MAGIC, len(body), isal_zlib.crc32(body)) + body)
    return end


def _described(plans: Sequence[LevelPlan]) -> bytes:
    values = [[list(plan.shape), plan.dtype.str, plan.photometric_interpretation] for plan in plans]
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def open_levels(path: Path) -> LevelFile | None:
    """Read the head of a file; None where there is no such file.

    Raises
    ------
    LevelDamaged
        It is not what was written.
    """
    try:
        with path.open("rb") as file:
            magic, length, total = _HEAD.unpack(file.read(_HEAD.size))
            body = file.read(length) if magic == MAGIC and length <= MAXIMUM_HEADER_BYTES else b""
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None
    except (OSError, struct.error) as error:
        raise LevelDamaged(f"{path.name} cannot be read.") from error
    if not body or isal_zlib.crc32(body) != total:
        raise LevelDamaged(f"{path.name} is damaged.")
    described, _, packed = body.partition(b"\n")
    plans = tuple(LevelPlan(tuple(shape), np.dtype(kind), name) for shape, kind, name in json.loads(described))
    sums = iter(struct.unpack(f"<{len(packed) // 4}I", packed))
    offsets, counted, position = [], [], _HEAD.size + length
    for plan in plans:
        sizes = [plan.bytes_of(region) for region in plan.regions()]
        offsets.append(tuple(accumulate(sizes, initial=position)))
        counted.append(tuple(next(sums) for _ in sizes))
        position = offsets[-1][-1]
    if position != size:
        raise LevelDamaged(f"{path.name} is cut short.")
    return LevelFile(path, plans, tuple(offsets), tuple(counted))
