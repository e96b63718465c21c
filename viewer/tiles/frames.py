"""Decoded frames at every level of their pyramid, kept so that nothing is decoded twice.

Small frames stay in memory. Of large ones (radiographs, mammograms) all levels are
also kept on disk, made from one decode, from which a tile of any window is one read:
a 4000 x 3000 image is decoded once, whoever looks at it. Who asks first does not wait
for the disk.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from archive.errors import CannotDecode
from archive.pixels.decode import DecodedFrame, decode_frame
from archive.pixels.describe import from_json
from archive.pixels.description import ImageDescription
from archive.pixels.frames import FrameIndex
from archive.storage.frames import read_stored_frame
from viewer.errors import NothingToDraw
from viewer.rendering.pipeline import Decoded, ReducedFrame, frame_levels, reduce_frame
from viewer.rendering.regions import RegionValues
from viewer.rendering.subtraction import mask_plan, subtract, subtracted_description
from viewer.rendering.tiles import Region, levels
from viewer.stacks.facts import InstanceFacts
from viewer.stacks.lookup import Kept
from viewer.tiles.level_cache import cost_of, keep_levels, kept_levels, kept_small_levels, mark_small_used, writer
from viewer.tiles.level_files import LevelDamaged, LevelFile, LevelGone
from viewer.tiles.slide_levels import SlideLevel, slide_levels

logger = logging.getLogger(__name__)

KEPT_BYTES = 192 * 2**20
"""Decoded pixels in memory for each process."""
KEPT_FRAMES = 4096
"""Frames known to a process, also those whose levels are on disk and take next to no memory."""
LARGE_AT_ONCE = 2
"""Large frames that are decoded and made smaller at a time: each takes several times its own memory meanwhile."""
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


FrameKey = tuple[str, int]
"""Name of the picture, frame from 1."""
Levels = tuple[ReducedFrame, ...]
"""A frame at every level, the smallest first, the last 1:1."""


class FrameMemory:
    """Least recently used frames up to a number of bytes; threads that ask for one at once make it once."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._frames: OrderedDict[FrameKey, Levels] = OrderedDict()
        self._lock = threading.Lock()
        self._under_way: Kept[tuple[FrameKey, bool], Levels] = Kept(1)
        self._renewing = threading.Lock()

    def get(self, instance: InstanceFacts, frame_number: int) -> Levels:
        key = (instance.picture_key, frame_number)
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
                return self._frames[key]
        found = self._under_way.get((key, False), lambda: _levels_of(instance, frame_number))
        self._put(key, found)
        return found

    def whole(self, instance: InstanceFacts, frame_number: int) -> Levels:
        """All levels of a frame, also where only the small ones were kept until now."""
        key = (instance.picture_key, frame_number)
        with self._lock:
            known = self._frames.get(key, ())
        if known and not _some_are_lost(known):
            return known
        found = self._under_way.get((key, True), lambda: _all_levels_of(instance, frame_number))
        self._put(key, found)
        return found

    def renew(self, instance: InstanceFacts, frame_number: int, *, is_gone: bool) -> Levels:
        """Decode a frame again, since what was kept of it is damaged; where it is gone, maybe its small levels do."""
        key = (instance.picture_key, frame_number)
        with self._renewing:
            with self._lock:
                known = self._frames.get(key, ())
            if known and not any(isinstance(one.values, RegionValues) for one in known):
                return known
            made = _levels_of(instance, frame_number) if is_gone else _made_levels(instance, frame_number)
            with self._lock:
                self._size -= bytes_of(self._frames.pop(key, ()))
            self._put(key, made)
            return made

    def _put(self, key: FrameKey, found: Levels) -> None:
        with self._lock:
            if key not in self._frames or _some_are_lost(self._frames[key]):
                self._size += bytes_of(found) - bytes_of(self._frames.pop(key, ()))
                self._frames[key] = found
            while (self._size > self._limit or len(self._frames) > KEPT_FRAMES) and len(self._frames) > 1:
                self._size -= bytes_of(self._frames.popitem(last=False)[1])


def bytes_of(found: Levels) -> int:
    return sum(one.values.nbytes for one in found)


class KeptLevel(RegionValues):
    """A level on disk; where the file turns out to be damaged or gone, the frame is decoded again."""

    def __init__(self, file: LevelFile, level: int, renew: Callable[[bool], Levels]) -> None:
        super().__init__(file.levels[level].shape, file.levels[level].dtype)
        self._file = file
        self._level = level
        self._renew = renew

    def read(self, region: Region) -> NDArray[Any]:
        try:
            return self._file.read(self._level, region)
        except LevelGone:
            is_gone = True
        except LevelDamaged as error:
            is_gone = False
            logger.warning("kept levels are damaged and are made again: %s", error)
        values = self._renew(is_gone)[self._level].values
        return values[region.row : region.row + region.rows, region.column : region.column + region.columns]


class LostLevel(RegionValues):
    """A level that is no longer kept, beside smaller ones that are: made again when it is looked at."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], level: int, make: Callable[[], Levels]) -> None:
        super().__init__(shape, dtype)
        self._level = level
        self._make = make

    def read(self, region: Region) -> NDArray[Any]:
        values = self._make()[self._level].values
        return values[region.row : region.row + region.rows, region.column : region.column + region.columns]


def _some_are_lost(levels: Levels) -> bool:
    return isinstance(levels[-1].values, LostLevel)


def _levels_of(instance: InstanceFacts, frame_number: int) -> Levels:
    """Levels as they are kept; of a large frame the small ones do, the others are made when they are looked at."""
    known = drawable(instance)
    if instance.slide is not None:
        return slide_levels(instance, known.description, lambda source, number: frame_at_level(source, number, -1))
    if not known.is_large:
        return _made_levels(instance, frame_number)
    return (
        _all_kept(instance, frame_number) or _small_kept(instance, frame_number) or _made_levels(instance, frame_number)
    )


def _all_levels_of(instance: InstanceFacts, frame_number: int) -> Levels:
    # Another process may have made them meanwhile.
    return _all_kept(instance, frame_number) or _made_levels(instance, frame_number)


def _all_kept(instance: InstanceFacts, frame_number: int) -> Levels | None:
    name, cost = _name(instance, frame_number), cost_of(instance.transfer_syntax_uid)
    file = kept_levels(name, cost)
    if file is None or _shapes_of(file) != _planned_shapes(instance):
        return None
    mark_small_used(name, cost)
    return _read_from(file, instance, frame_number)


def _small_kept(instance: InstanceFacts, frame_number: int) -> Levels | None:
    """The small levels as they are kept, the others to be made; None where none are kept, or in colour.

    The whole image may have its colours in another form than its smaller levels.
    """
    file = kept_small_levels(_name(instance, frame_number), cost_of(instance.transfer_syntax_uid))
    planned = _planned_shapes(instance)
    if file is None or [one.shape for one in file.levels] != planned[: len(file.levels)]:
        return None

    def make() -> Levels:
        return _memory.whole(instance, frame_number)

    small, plan = _read_from(file, instance, frame_number), file.levels[-1]
    lost = [LostLevel(planned[level], plan.dtype, level, make) for level in range(len(small), len(planned))]
    beyond = [
        ReducedFrame(cast("NDArray[Any]", values), plan.photometric_interpretation, level)
        for level, values in enumerate(lost, len(small))
    ]
    return (*small, *beyond)


def _read_from(file: LevelFile, instance: InstanceFacts, frame_number: int) -> Levels:
    def renew(is_gone: bool) -> Levels:
        return _memory.renew(instance, frame_number, is_gone=is_gone)

    return tuple(
        ReducedFrame(cast("NDArray[Any]", KeptLevel(file, level, renew)), plan.photometric_interpretation, level)
        for level, plan in enumerate(file.levels)
    )


def _shapes_of(file: LevelFile) -> list[tuple[int, ...]]:
    return [one.shape[:2] for one in file.levels]


def _planned_shapes(instance: InstanceFacts) -> list[tuple[int, ...]]:
    description = drawable(instance).description
    return [(one.rows, one.columns) for one in levels(description.rows, description.columns)]


def _made_levels(instance: InstanceFacts, frame_number: int) -> Levels:
    """Decode a frame and reduce it to all its levels; those of a large one are kept on disk later."""
    made = _decoded_levels(instance, frame_number)
    if _is_kept_on_disk(instance, made):
        writer.put(_name(instance, frame_number), made, cost_of(instance.transfer_syntax_uid))
    return made


def _decoded_levels(instance: InstanceFacts, frame_number: int) -> Levels:
    known = drawable(instance)
    if instance.subtracted:
        # Its parts take their own places below.
        return frame_levels(_differences(instance, frame_number), known.description, frame_number)
    # Whoever holds a place here waits for nobody.
    with _large if known.is_large else nullcontext():
        decoded = _decode(instance, known, frame_number)
        if known.description.tiling is not None and known.description.frames > 1:
            # A tile of a slide is never looked at on its own.
            return (reduce_frame(decoded, known.description, frame_number, known.last_level),)
        return frame_levels(decoded, known.description, frame_number)


def _is_kept_on_disk(instance: InstanceFacts, made: Levels) -> bool:
    return drawable(instance).is_large and made[-1].cells is None


def _name(instance: InstanceFacts, frame_number: int) -> str:
    return f"{instance.picture_key} {frame_number}"


def prepare_levels(instance: InstanceFacts, frame_number: int) -> None:
    """Make the levels of a large frame or slide and keep them, unless they are kept already; for jobs."""
    if instance.slide is not None:
        for level in _memory.get(instance, frame_number):
            cast("SlideLevel", level.values).prepare()
        return
    name, cost = _name(instance, frame_number), cost_of(instance.transfer_syntax_uid)
    if drawable(instance).is_large and kept_levels(name, cost) is None:
        made = _decoded_levels(instance, frame_number)
        if _is_kept_on_disk(instance, made):
            keep_levels(name, made, cost)


_drawables: Kept[str, Drawable] = Kept(KEPT_DESCRIPTIONS)
_memory = FrameMemory()
_large = threading.BoundedSemaphore(LARGE_AT_ONCE)


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


def frame_at_level(instance: InstanceFacts, frame_number: int, level: int) -> ReducedFrame:
    """Stored values of one frame, counted from 1, at one level of its pyramid; maybe ``RegionValues``."""
    return _memory.get(instance, frame_number)[level]


def full_frame(instance: InstanceFacts, frame_number: int) -> Decoded:
    """Stored values of one frame at 1:1, all of them in memory.

    Raises
    ------
    NothingToDraw
        It cannot be drawn, or is a slide that is too large for that.
    """
    frame = frame_at_level(instance, frame_number, -1)
    return frame._replace(values=np.asarray(frame.values))


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


def _decode(instance: InstanceFacts, known: Drawable, frame_number: int) -> DecodedFrame:
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
