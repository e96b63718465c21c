"""The levels of a whole slide, put together region by region from the frames that a region touches.

A level comes from the coarsest resolution of the slide that is at least as fine. Where
that is much finer, the level is made from another level of ours, and its tiles are
kept on disk. Where there is no frame, the slide has its background (PS3.3 C.8.12.4).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from viewer.errors import NothingToDraw
from viewer.rendering.cielab import srgb_of
from viewer.rendering.color import RGB, is_color, to_rgb
from viewer.rendering.pipeline import ReducedFrame
from viewer.rendering.regions import RegionValues, overlaps
from viewer.rendering.resample import reduce_by
from viewer.rendering.tiles import TILE_SIZE, Level, Region, levels
from viewer.stacks.facts import InstanceFacts
from viewer.stacks.lookup import Kept
from viewer.stacks.slides import Resolution, Slide
from viewer.tiles.level_cache import keep_levels, kept_levels
from viewer.tiles.level_files import LevelDamaged

STEP = 4
"""A level is made from a resolution or another level that is at most so many times finer."""
SMALL_LEVEL_PIXELS = 1 << 24
"""Levels up to this size are kept on disk even where they are only reduced by 2."""
SCALE_TOLERANCE = 0.005
"""How far the ratio of two resolutions may be from a power of two, besides a pixel of rounding."""
MOST_PIXELS = 1 << 26
"""Pixels of a region that may be put together at once."""
TILE_COST = 4
"""Of a tile that is kept: it is made from all the finer tiles that it covers."""
MOST_PREPARED_PIXELS = 1 << 32
"""Resolutions up to this size are read through ahead of time, to make levels of them; larger ones when they are opened."""
WHITE = (255, 255, 255)

ReadFrame = Callable[[InstanceFacts, int], ReducedFrame]
"""Gives one decoded frame of an instance."""


class Scaled(Protocol):
    """A picture of the slide at some scale."""

    @property
    def scale(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def read(self, region: Region) -> NDArray[Any]: ...

    def is_empty(self, region: Region) -> bool:
        """Whether there is only background."""
        ...


class SourceLevel:
    """One resolution of the slide as its instances hold it."""

    def __init__(self, resolution: Resolution, scale: int, background: NDArray[Any], read_frame: ReadFrame) -> None:
        self.scale = scale
        self.shape = (resolution.rows, resolution.columns)
        self._layers = resolution.layers
        self._background = background
        self._read_frame = read_frame

    def is_empty(self, region: Region) -> bool:
        return not any(layer.touching(region) for layer in self._layers)

    def read(self, region: Region) -> NDArray[Any]:
        touched = [(layer.instance, *place) for layer in self._layers for place in layer.touching(region)]
        whole = np.empty((region.rows, region.columns, *self._background.shape), self._background.dtype)
        if not _covers(touched, region):
            whole[:] = self._background
        frames = _in_parallel(lambda one: self._read_frame(one[0], one[3]), touched)
        for (_, row, column, _), frame in zip(touched, frames, strict=True):
            _place(frame.values, row - region.row, column - region.column, whole)
        return whole


def _covers(touched: Sequence[tuple[InstanceFacts, int, int, int]], region: Region) -> bool:
    """Whether a single frame holds the whole region."""
    if len(touched) != 1:
        return False
    instance, row, column, _ = touched[0]
    down, across = region.row + region.rows - row, region.column + region.columns - column
    return row <= region.row and column <= region.column and down <= instance.rows and across <= instance.columns


def _place(values: NDArray[Any], row: int, column: int, whole: NDArray[Any]) -> None:
    """Put the part of a frame that lies inside into its place; ``row`` and ``column`` may be negative."""
    top, left = max(row, 0), max(column, 0)
    bottom = min(row + values.shape[0], whole.shape[0])
    right = min(column + values.shape[1], whole.shape[1])
    whole[top:bottom, left:right] = values[top - row : bottom - row, left - column : right - column]


class SlideLevel(RegionValues):
    """A level of the pyramid, reduced from something finer."""

    def __init__(self, level: Level, finer: Scaled, background: NDArray[Any], kept_as: str) -> None:
        super().__init__((level.rows, level.columns, *background.shape), background.dtype)
        self.scale = level.scale
        self._finer = finer
        self._background = background
        self._kept_as = kept_as

    def __repr__(self) -> str:
        return f"SlideLevel(1:{self.scale}, {'kept' if self.is_kept else 'not kept'})"

    @property
    def is_kept(self) -> bool:
        """Whether tiles of the level are kept on disk."""
        return bool(self._kept_as)

    @property
    def decoded_pixels(self) -> int:
        """Pixels of the resolution that the level is made from, by way of others or not."""
        finer = self._finer
        return finer.decoded_pixels if isinstance(finer, SlideLevel) else finer.shape[0] * finer.shape[1]

    @cached_property
    def _factor(self) -> int:
        return self.scale // self._finer.scale

    def is_empty(self, region: Region) -> bool:
        return self._finer.is_empty(self._in_finer(region))

    def read(self, region: Region) -> NDArray[Any]:
        if region.rows * region.columns > MOST_PIXELS:
            raise NothingToDraw("The slide is too large to be drawn as one picture at this size.")
        if not self.is_kept:
            return self._made(region)
        whole = np.empty((region.rows, region.columns, *self.shape[2:]), self.dtype)
        for place in overlaps(region, TILE_SIZE, TILE_SIZE):
            whole[place.in_region] = self._kept_tile(place.row, place.column)[place.in_tile]
        return whole

    def prepare(self) -> None:
        """Make every tile that is kept and is not there yet, unless too much would have to be decoded for it."""
        if self.is_kept and self.decoded_pixels <= MOST_PREPARED_PIXELS:
            for place in overlaps(Region(0, 0, *self.shape[:2]), TILE_SIZE, TILE_SIZE):
                self._kept_tile(place.row, place.column)

    def _kept_tile(self, row: int, column: int) -> NDArray[Any]:
        name = f"{self._kept_as} 1:{self.scale} {row} {column}"
        return _tiles_under_way.get(name, lambda: self._find_tile(name, row, column))

    def _find_tile(self, name: str, row: int, column: int) -> NDArray[Any]:
        top, left = row * TILE_SIZE, column * TILE_SIZE
        region = Region(top, left, min(TILE_SIZE, self.shape[0] - top), min(TILE_SIZE, self.shape[1] - left))
        shape = (region.rows, region.columns, *self.shape[2:])
        if self.is_empty(region):
            return np.broadcast_to(self._background, shape)
        file = kept_levels(name, TILE_COST)
        if file is not None and (file.levels[0].shape, file.levels[0].dtype) == (shape, self.dtype):
            try:
                return file.read(0, region._replace(row=0, column=0))
            except LevelDamaged:
                # It is written anew below.
                pass
        values = self._made(region)
        keep_levels(name, [ReducedFrame(values, RGB if values.ndim == 3 else "MONOCHROME2", 0)], TILE_COST)
        return values

    def _in_finer(self, region: Region) -> Region:
        """What a region covers in the finer picture, whose last row or column may be missing by rounding."""
        factor, (rows, columns) = self._factor, self._finer.shape[:2]
        top, left = min(region.row * factor, rows - 1), min(region.column * factor, columns - 1)
        bottom = min((region.row + region.rows) * factor, rows)
        right = min((region.column + region.columns) * factor, columns)
        return Region(top, left, max(bottom - top, 1), max(right - left, 1))

    def _made(self, region: Region) -> NDArray[Any]:
        values = reduce_by(self._finer.read(self._in_finer(region)), self._factor)
        missing = [max(size - have, 0) for size, have in zip((region.rows, region.columns), values.shape, strict=False)]
        if any(missing):
            values = np.pad(values, [(0, missing[0]), (0, missing[1]), *[(0, 0)] * (values.ndim - 2)], mode="edge")
        return values[: region.rows, : region.columns]


_tiles_under_way: Kept[str, NDArray[Any]] = Kept(8)


def slide_levels(
    instance: InstanceFacts, description: ImageDescription, read_frame: ReadFrame
) -> tuple[ReducedFrame, ...]:
    """Every level of a slide, the smallest first, each read region by region when it is looked at.

    Parameters
    ----------
    description
        Of the slide: rows and columns are those of the total pixel matrix.
    """
    slide = cast("Slide", instance.slide)
    background = background_of(slide, description)
    photometric = RGB if is_color(description.photometric_interpretation) else description.photometric_interpretation

    def read(source: InstanceFacts, frame_number: int) -> ReducedFrame:
        frame = read_frame(source, frame_number)
        if not is_color(frame.photometric_interpretation):
            return frame
        values = to_rgb(np.asarray(frame.values), frame.photometric_interpretation, description)
        return ReducedFrame(values, RGB, frame.level)

    sources = [
        SourceLevel(resolution, scale, background, read)
        for resolution in slide.resolutions
        if (scale := scale_of(resolution, description)) is not None
    ]
    made: list[SlideLevel] = []
    for level in reversed(levels(description.rows, description.columns)):
        source: Scaled = next(one for one in reversed(sources) if one.scale <= level.scale)
        factor = level.scale // source.scale
        if factor > STEP:
            source = next(one for one in made if one.scale * STEP == level.scale)
        is_kept = factor >= STEP or (factor > 1 and level.rows * level.columns <= SMALL_LEVEL_PIXELS)
        made.append(SlideLevel(level, source, background, instance.key if is_kept else ""))
    pairs = enumerate(reversed(made))
    return tuple(ReducedFrame(cast("NDArray[Any]", one), photometric, level) for level, one in pairs)


def scale_of(resolution: Resolution, description: ImageDescription) -> int | None:
    """Pixels of the finest resolution that one of this covers along a side; None where that is no power of two."""
    ratios = (description.rows / resolution.rows, description.columns / resolution.columns)
    scale = 1 << max(round(np.log2(max(ratios))), 0)
    for ratio, size in zip(ratios, (resolution.rows, resolution.columns), strict=True):
        if abs(ratio / scale - 1) > SCALE_TOLERANCE + 1 / size:
            return None
    return scale


def background_of(slide: Slide, description: ImageDescription) -> NDArray[Any]:
    """What is shown where there is no frame: what the file recommends, else white; black where light is emitted."""
    if not is_color(description.photometric_interpretation):
        size = 8 if description.bits_allocated <= 8 else description.bits_allocated
        kind = f"{'i' if description.pixel_representation else 'u'}{size // 8}"
        return np.array(0 if description.padding is None else description.padding[0], kind)
    return np.array(WHITE if slide.absent_lab is None else srgb_of(slide.absent_lab), np.uint8)


# --- Decoding side by side: codecs let other threads run ---------------------------------------------------------------


@lru_cache(maxsize=1)
def _pool(_process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="slide")


def _in_parallel(work: Callable[[Any], ReducedFrame], items: Sequence[Any]) -> list[ReducedFrame]:
    if len(items) < 2:
        return [work(item) for item in items]
    return list(_pool(os.getpid()).map(work, items))
