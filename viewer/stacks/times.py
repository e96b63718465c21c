"""The same place of a patient at other times: frames of a cine, or of the phases that a series was split into."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.errors import ViewerError
from viewer.stacks.facts import FrameFacts
from viewer.stacks.lookup import SplitSeries
from viewer.stacks.splitting import SAME_POSITION_MM, Stack, distance_along, normal_of
from viewer.tiles.frames import drawable


@dataclass(frozen=True, slots=True)
class TimePoints:
    """Frames of one place in the order of time."""

    frames: tuple[FrameFacts, ...]
    times: tuple[float, ...]
    unit: str
    """"s" where the file says how fast its frames follow each other, else what is counted: "frame" or "phase"."""


def time_points(stack: Stack, split: SplitSeries, frame: FrameFacts) -> TimePoints:
    """Where a frame's place is seen over time; the frame alone where it is seen once.

    A multi-frame instance without positions is a cine. Otherwise it is the images of the
    series of the same matrix and plane: by temporal position or phase, then by number.
    """
    if frame.instance.frames > 1 and not _has_places(stack):
        frames = stack.frames
        rate = _rate(frame)
        if rate:
            return TimePoints(frames, tuple((one.frame_number - 1) / rate for one in frames), "s")
        return TimePoints(frames, tuple(float(one.frame_number) for one in frames), "frame")
    alike = [one for other in split.stacks for one in other.frames if is_same_place(one, frame)]
    alike.sort(key=_in_time)
    return TimePoints(tuple(alike), tuple(float(number) for number in range(1, len(alike) + 1)), "phase")


def is_same_place(one: FrameFacts, other: FrameFacts) -> bool:
    """Same matrix, plane, echo and kind of image, at the same distance along the normal."""
    same = (one.instance.rows, one.instance.columns, one.image_type, one.echo, one.b_value)
    if same != (other.instance.rows, other.instance.columns, other.image_type, other.echo, other.b_value):
        return False
    if not (one.orientation and other.orientation and one.position and other.position):
        return one == other
    if max(abs(a - b) for a, b in zip(one.orientation, other.orientation, strict=True)) > 1e-3:
        return False
    normal = normal_of(other.orientation)
    return abs(distance_along(normal, one.position) - distance_along(normal, other.position)) < SAME_POSITION_MM


def _has_places(stack: Stack) -> bool:
    """Whether frames lie at more than one place of the patient."""
    return len({frame.position for frame in stack.frames}) > 1


def _rate(frame: FrameFacts) -> float | None:
    try:
        return drawable(frame.instance).description.frame_rate
    except ViewerError:
        return None


def _in_time(frame: FrameFacts) -> tuple[float, float, float, int, int]:
    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return 0.0

    instance = frame.instance
    order = (instance.acquisition_number or 0, instance.instance_number or 0)
    return (number(frame.temporal_position), number(frame.cardiac_phase), float(order[0]), order[1], frame.frame_number)
