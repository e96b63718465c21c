"""The one window of a stack, found once: from headers where they say it, else from the values of the stack."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.errors import ArchiveError
from viewer.errors import ViewerError
from viewer.rendering.automatic import StackSample
from viewer.rendering.stack_window import (
    NamedWindow,
    StackFrame,
    StackWindow,
    WindowOrigin,
    named_windows,
    needs_values,
    stack_window,
)
from viewer.stacks.facts import FrameFacts
from viewer.stacks.lookup import Kept, SplitSeries
from viewer.stacks.splitting import Stack
from viewer.stacks.suv import suv_of_stack
from viewer.tiles.frames import drawable, frame_at_level, full_frame

logger = logging.getLogger(__name__)

KEPT = 512
HEADERS_LOOKED_AT = 31
"""Frames whose headers decide, spread evenly with the middle one among them."""
FRAMES_SAMPLED = 24
"""Frames whose values decide where headers are silent, spread evenly over the stack."""

_windows: Kept[tuple[str, int, int, bool], StackWindow] = Kept(KEPT)


def spread(frames: tuple[FrameFacts, ...], most: int) -> list[FrameFacts]:
    """At most so many frames, evenly spread, the middle one in the middle."""
    if len(frames) <= most:
        return list(frames)
    half = most // 2
    middle = len(frames) // 2
    before = [frames[round(index * middle / half)] for index in range(half)]
    after = [frames[middle + 1 + round(index * (len(frames) - 2 - middle) / max(1, half - 1))] for index in range(half)]
    return [*before, frames[middle], *after]


def window_of_stack(stack: Stack, split: SplitSeries, *, with_automatic: bool = False) -> StackWindow:
    """How a stack is first shown, as of its revision.

    The automatic window beside that of the headers takes the pixels of many frames:
    only who asks for it waits for it.
    """
    key = (stack.id, split.series.pk, split.revision)
    shown = _windows.get((*key, False), lambda: _find(stack, split, with_automatic=False))
    if not with_automatic or shown.automatic is not None or shown.origin is WindowOrigin.COLOR:
        return shown
    return _windows.get((*key, True), lambda: _find(stack, split, with_automatic=True))


def window_choices(stack: Stack, split: SplitSeries) -> list[NamedWindow]:
    """Windows to choose from, besides the site's presets."""
    return named_windows(_described(spread(stack.frames, HEADERS_LOOKED_AT)), window_of_stack(stack, split))


def _described(frames: list[FrameFacts]) -> list[StackFrame]:
    return [
        StackFrame(drawable(frame.instance).description, frame.frame_number) for frame in frames if _can_draw(frame)
    ]


def _can_draw(frame: FrameFacts) -> bool:
    return not (frame.instance.undrawable_reason or frame.instance.damage)


def _find(stack: Stack, split: SplitSeries, *, with_automatic: bool) -> StackWindow:
    frames = _described(spread(stack.frames, HEADERS_LOOKED_AT))
    if not frames:
        return StackWindow(WindowOrigin.UNKNOWN)
    if not (with_automatic or needs_values(frames)):
        return stack_window(frames)
    is_pet = frames[0].description.modality == "PT"
    suv_factor = suv_of_stack(stack, split).factor if is_pet else None
    return stack_window(frames, sample=_sample(stack), suv_factor=suv_factor)


def _sample(stack: Stack) -> StackSample:
    sample = StackSample()
    for frame in spread(stack.frames, FRAMES_SAMPLED):
        if not _can_draw(frame):
            continue
        try:
            values = _values(frame)
        except (ViewerError, ArchiveError) as error:
            logger.warning("a frame could not be sampled", extra={"why": str(error), "stack": stack.id})
            continue
        sample.add(values, drawable(frame.instance).description, frame.frame_number)
    return sample


def _values(frame: FrameFacts) -> NDArray[Any]:
    """Stored values of a frame; of a slide, at its smallest level."""
    if frame.instance.slide is None:
        return full_frame(frame.instance, frame.frame_number).values
    return np.asarray(frame_at_level(frame.instance, frame.frame_number, 0).values)
