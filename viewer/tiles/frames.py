"""Decoded frames at any level of their pyramid, kept so that nothing is decoded twice.

Small frames stay in memory. Of large ones (radiographs, mammograms) every level is
also kept on disk as plain stored values, from which a tile of any window is one
read: a 4000 x 3000 image is decoded once, whoever looks at it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from django.conf import settings

from archive.errors import CannotDecode
from archive.pixels.decode import decode_frame
from archive.pixels.describe import from_json
from archive.pixels.description import ImageDescription
from archive.pixels.frames import FrameIndex
from archive.storage import layout
from archive.storage.frames import read_stored_frame
from viewer.errors import NothingToDraw
from viewer.rendering.pipeline import Decoded, ReducedFrame, reduce_frame
from viewer.rendering.subtraction import mask_plan, subtract, subtracted_description
from viewer.rendering.tiles import levels
from viewer.stacks.facts import InstanceFacts
from viewer.stacks.lookup import Kept

logger = logging.getLogger(__name__)

KEPT_BYTES = 192 * 2**20
"""Decoded pixels in memory for each process."""
KEPT_DESCRIPTIONS = 2048
LARGE_PIXELS = 1 << 20
"""Images of more pixels than this are kept on disk level by level."""


@dataclass(frozen=True, slots=True)
class Drawable:
    """What drawing a frame of an instance needs, parsed once."""

    description: ImageDescription
    index: FrameIndex

    @property
    def is_large(self) -> bool:
        return self.description.rows * self.description.columns > LARGE_PIXELS

    @property
    def last_level(self) -> int:
        return levels(self.description.rows, self.description.columns)[-1].level


FrameKey = tuple[str, int, int]
"""Stored key, frame from 1, level."""


class FrameMemory:
    """Least recently used frames up to a number of bytes; threads that ask for one at once make it once."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._frames: OrderedDict[FrameKey, Decoded] = OrderedDict()
        self._lock = threading.Lock()
        self._under_way: Kept[FrameKey, Decoded] = Kept(1)

    def get(self, instance: InstanceFacts, frame_number: int, level: int) -> Decoded:
        key = (instance.picture_key, frame_number, level)
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
                return self._frames[key]
        frame = self._under_way.get(key, lambda: self._make(instance, frame_number, level))
        self._put(key, frame)
        return frame

    def _make(self, instance: InstanceFacts, frame_number: int, level: int) -> Decoded:
        known = drawable(instance)
        if known.is_large and (kept := read_level(instance.picture_key, frame_number, level)) is not None:
            return kept
        if level == known.last_level:
            frame = (
                _differences(instance, frame_number) if instance.subtracted else _decode(instance, known, frame_number)
            )
        else:
            above = self.get(instance, frame_number, known.last_level)
            frame = reduce_frame(above, known.description, frame_number, level)
        if known.is_large and getattr(frame, "cells", None) is None:
            write_level(instance.picture_key, frame_number, level, frame)
        return frame

    def _put(self, key: FrameKey, frame: Decoded) -> None:
        with self._lock:
            if key not in self._frames:
                self._frames[key] = frame
                self._size += _bytes_of(frame)
            while self._size > self._limit and len(self._frames) > 1:
                self._size -= _bytes_of(self._frames.popitem(last=False)[1])


def _bytes_of(frame: Decoded) -> int:
    return 0 if isinstance(frame.values, np.memmap) else frame.values.nbytes


_drawables: Kept[str, Drawable] = Kept(KEPT_DESCRIPTIONS)
_memory = FrameMemory()


def drawable(instance: InstanceFacts) -> Drawable:
    """Description and frame index of an instance.

    Raises
    ------
    NothingToDraw
        The instance has no picture, cannot be drawn, or its file is damaged.
    """
    if instance.damage:
        raise NothingToDraw(f"{instance.damage} The image is not shown; an alarm has been raised.")
    if instance.undrawable_reason:
        raise NothingToDraw(instance.undrawable_reason)
    if not instance.description:
        raise NothingToDraw("This object holds no picture.")
    return _drawables.get(instance.picture_key, lambda: _drawable(instance))


def _drawable(instance: InstanceFacts) -> Drawable:
    description = from_json(json.loads(instance.description))
    if instance.subtracted:
        description = subtracted_description(description)
    return Drawable(description, FrameIndex.from_bytes(instance.frame_index))


def frame_at_level(instance: InstanceFacts, frame_number: int, level: int) -> Decoded:
    """Stored values of one frame, counted from 1, at one level of its pyramid."""
    return _memory.get(instance, frame_number, level)


def full_frame(instance: InstanceFacts, frame_number: int) -> Decoded:
    """Stored values of one frame at 1:1."""
    return frame_at_level(instance, frame_number, drawable(instance).last_level)


def _differences(instance: InstanceFacts, frame_number: int) -> ReducedFrame:
    """A frame less its masks; what it is made of stays in memory, so that each mask is decoded once for a whole run."""
    acquired = replace(instance, subtracted=False)
    description = drawable(acquired).description
    plan = mask_plan(description, frame_number)
    if plan is None:
        raise NothingToDraw(f"Frame {frame_number} has no mask that could be subtracted.")
    contrast, masks = (
        [full_frame(acquired, number).values for number in numbers] for numbers in (plan.contrast, plan.masks)
    )
    found = subtract(contrast, masks, description, shift=plan.shift)
    return ReducedFrame(found, description.photometric_interpretation, drawable(instance).last_level)


def _decode(instance: InstanceFacts, known: Drawable, frame_number: int) -> Decoded:
    data = read_stored_frame(instance.key, known.index, frame_number)
    try:
        return decode_frame(
            data,
            transfer_syntax_uid=instance.transfer_syntax_uid,
            description=known.description,
            frame_number=frame_number,
        )
    except CannotDecode as error:
        raise NothingToDraw(str(error)) from error


# --- Levels on disk -------------------------------------------------------------------------------------------------


def levels_folder() -> Path:
    return Path(settings.PORTAL_DATA) / "cache" / "levels"


def _level_path(key: str, frame_number: int, level: int) -> Path:
    name = layout.digest_of(key)
    return levels_folder() / name[:2] / f"{name}-{frame_number}-{level}.npy"


def read_level(key: str, frame_number: int, level: int) -> ReducedFrame | None:
    """A kept level, mapped and not read; None where there is none or the file is damaged."""
    path = _level_path(key, frame_number, level)
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        photometric = path.with_suffix(".txt").read_text("ascii")
        os.utime(path)
    except FileNotFoundError:
        return None
    except (ValueError, OSError, EOFError):
        logger.warning("a kept level is damaged and is made again", extra={"file": path.name})
        path.unlink(missing_ok=True)
        return None
    return ReducedFrame(values, photometric, level)


def write_level(key: str, frame_number: int, level: int, frame: Decoded) -> None:
    """Keep a level; a full disk only makes the next reader wait longer."""
    path = _level_path(key, frame_number, level)
    hidden = path.with_name(f".{secrets.token_hex(8)}.npy")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".txt").write_text(frame.photometric_interpretation, "ascii")
        with hidden.open("xb") as file:
            np.save(file, np.ascontiguousarray(frame.values), allow_pickle=False)
        hidden.rename(path)
    except OSError as error:
        hidden.unlink(missing_ok=True)
        logger.warning("a level could not be kept: %s", error.strerror)


def trim_levels(limit_bytes: int) -> int:
    """Remove the levels that were not used for longest until they fit; returns how many went."""
    found = []
    for path in levels_folder().glob("*/*.npy"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.name.startswith(".") and time.time() - status.st_mtime > 600:
            path.unlink(missing_ok=True)
            continue
        found.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in found)
    removed = 0
    for _, size, path in sorted(found):
        if total <= limit_bytes:
            break
        path.unlink(missing_ok=True)
        path.with_suffix(".txt").unlink(missing_ok=True)
        total -= size
        removed += 1
    return removed
