"""From a stack, an address and parameters to the bytes of a PNG."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from viewer.errors import NotFound
from viewer.rendering.parameters import RenderParameters, WindowSource
from viewer.rendering.pipeline import render_thumbnail, render_tile, thumbnail_level
from viewer.rendering.png import encode_png
from viewer.rendering.redaction import NOTHING, Redaction, redact
from viewer.rendering.stack_window import StackWindow
from viewer.rendering.tiles import find_level, tile_region
from viewer.stacks.facts import FrameFacts, InstanceFacts
from viewer.stacks.lookup import Kept, SplitSeries
from viewer.stacks.presentation_states import state_instance, state_of_frame
from viewer.stacks.splitting import Stack
from viewer.stacks.windows import window_of_stack
from viewer.tiles.frames import drawable, frame_at_level

KEPT_TILES_BYTES = 64 * 2**20
"""Finished tiles in memory for each process; other windows push older ones out, so nothing can fill up."""


@dataclass(frozen=True, slots=True)
class TileAddress:
    """Frame from 1; level, row and column of tiles from 0."""

    frame: int
    level: int
    row: int
    column: int


DRAWN_AS = 1
"""Counts up where the same request is drawn otherwise than before, so that no browser keeps the old picture."""


class TileMemory:
    """Least recently used PNGs up to a number of bytes."""

    def __init__(self, limit: int = KEPT_TILES_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._tiles: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            tile = self._tiles.get(key)
            if tile is not None:
                self._tiles.move_to_end(key)
            return tile

    def put(self, key: str, tile: bytes) -> None:
        with self._lock:
            self._size += len(tile) - len(self._tiles.pop(key, b""))
            self._tiles[key] = tile
            while self._size > self._limit:
                self._size -= len(self._tiles.popitem(last=False)[1])


_tiles = TileMemory()
_under_way: Kept[str, bytes] = Kept(1)


def frame_of(stack: Stack, number: int) -> FrameFacts:
    """A frame of a stack, counted from 1 in viewing order."""
    if not 1 <= number <= len(stack.frames):
        raise NotFound(f"Frame {number} does not exist: the stack has {len(stack.frames)} (1 to {len(stack.frames)}).")
    return stack.frames[number - 1]


@dataclass(frozen=True)
class PlannedTile:
    """Everything that a tile is made from, found before a pixel is read."""

    frame: FrameFacts
    address: TileAddress
    parameters: RenderParameters
    window: StackWindow | None
    state: InstanceFacts | None
    redaction: Redaction = NOTHING
    """What is laid over it; of a value tile nothing can be, so those who get one laid over get none."""

    @cached_property
    def key(self) -> str:
        """Equal for equal pictures, and for no others."""
        place = self.address.level, self.address.row, self.address.column
        state = self.state.key if self.state else ""
        picture = self.frame.instance.picture_key, self.frame.frame_number, *place
        return f"{DRAWN_AS} {(*picture, self.parameters, self.window, state, self.redaction)}"

    @property
    def etag(self) -> str:
        """Entity tag (RFC 9110 8.8.3): tells nothing of what is shown."""
        return f'"{hashlib.sha256(self.key.encode()).hexdigest()[:24]}"'

    @property
    def is_kept(self) -> bool:
        """Whether its picture lies in this process's memory."""
        return _tiles.get(self.key) is not None


def plan_tile(
    stack: Stack,
    split: SplitSeries,
    address: TileAddress,
    parameters: RenderParameters,
    redaction: Redaction = NOTHING,
) -> PlannedTile:
    """Find what a tile is made from.

    Raises
    ------
    NotFound
        There is no such frame, or no such presentation state.
    """
    frame = frame_of(stack, address.frame)
    window, state = window_for(stack, split, parameters), state_for(split, parameters)
    return PlannedTile(frame, address, parameters, window, state, redaction)


def draw_tile(tile: PlannedTile) -> bytes:
    """Draw one tile, or take it from memory; asked fifty times at once it is drawn once.

    Raises
    ------
    TileMissing
        There is no such level or tile.
    NothingToDraw
        The frame cannot be drawn; the message is for people.
    InvalidParameter
        A VOI LUT was asked for that the image does not have.
    """
    key = tile.key
    picture = _tiles.get(key)
    if picture is None:
        picture = _under_way.get(key, lambda: _draw(tile))
        _tiles.put(key, picture)
    return picture


def state_for(split: SplitSeries, parameters: RenderParameters) -> InstanceFacts | None:
    """The presentation state that was asked for; stored values have none."""
    if parameters.values or not parameters.presentation_state:
        return None
    return state_instance(split.study, parameters.presentation_state, revision=split.revision)


def window_for(stack: Stack, split: SplitSeries, parameters: RenderParameters) -> StackWindow | None:
    """The stack's window, found only where the picture depends on it: not with a window that was asked for."""
    if parameters.values or not (parameters.window is None or isinstance(parameters.window, WindowSource)):
        return None
    if parameters.presentation_state and parameters.window is None:
        return None
    return window_of_stack(stack, split, with_automatic=parameters.window is WindowSource.AUTOMATIC)


def _draw(tile: PlannedTile) -> bytes:
    frame, address = tile.frame, tile.address
    known = drawable(frame.instance)
    level = address.level if 0 <= address.level <= known.last_level else known.last_level
    image = render_tile(
        frame_at_level(frame.instance, frame.frame_number, level),
        known.description,
        frame.frame_number,
        tile.parameters,
        level=address.level,
        row=address.row,
        column=address.column,
        stack_window=tile.window,
        state=state_of_frame(tile.state, frame) if tile.state else None,
    )
    if not tile.redaction.is_empty:
        image = _redacted(image, tile, known.description)
    return encode_png(image, filtered=not tile.parameters.values)


def _redacted(image: NDArray[np.uint8], tile: PlannedTile, description: ImageDescription) -> NDArray[np.uint8]:
    """Covered, or refused: stored values have no place for a cover."""
    if tile.parameters.values:
        raise NotFound("There is no such tile.")
    level = find_level(description.rows, description.columns, tile.address.level)
    part = tile_region(level, tile.address.row, tile.address.column)
    return redact(image, tile.redaction, part=part, scale=level.scale)


def draw_thumbnail(stack: Stack, split: SplitSeries, size: int) -> bytes:
    """The middle frame of a stack as it is first shown, in true proportions."""
    frame = stack.middle
    description = drawable(frame.instance).description
    level = thumbnail_level(description, frame.frame_number, size)
    image = render_thumbnail(
        frame_at_level(frame.instance, frame.frame_number, level),
        description,
        frame.frame_number,
        stack_window=window_of_stack(stack, split),
        size=size,
    )
    return encode_png(image)
