"""Split a series into stacks, and order each.

A stack holds images of one SOP class, orientation, matrix, spacing and image type,
then of one echo, b-value, cardiac or temporal phase. Multi-frame instances and each
DX, CR or MG image are stacks of their own; whole slides are put together first. Within a stack frames go by position
along the normal, then by Instance Number. What is odd is said in words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import acos, degrees, sqrt

from viewer.stacks.facts import FrameFacts, InstanceFacts, differences_of, frames_of, is_seen_subtracted
from viewer.stacks.slides import is_slide_volume, slide_flavour, slide_stacks

SINGLE_IMAGE_MODALITIES = frozenset({"DX", "CR", "MG", "IO", "PX", "RG", "XC", "OP", "SM"})
"""Each image of these is looked at on its own."""
ORIENTATION_TOLERANCE = 1e-3
"""Largest difference of a direction cosine within a stack."""
SUBTRACTED_SUFFIX = ".sub"
"""After the SOP Instance UID: the stack of the image's differences."""
SPACING_TOLERANCE = 1e-3
"""Largest relative difference of pixel spacing within a stack."""
GAP_TOLERANCE = 0.02
"""Relative difference of slice distances from which on they count as uneven."""
SAME_POSITION_MM = 0.01
PLANES = ("sagittal", "coronal", "axial")
"""By the axis of the patient that a plane crosses most."""
TILT_DEGREES = 0.5
"""Angle between the normal and the line of positions from which on a stack counts as tilted."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames in viewing order."""

    id: str
    label: str
    frames: tuple[FrameFacts, ...]
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> FrameFacts:
        return self.frames[0]

    @property
    def middle(self) -> FrameFacts:
        return self.frames[len(self.frames) // 2]


def split_series(
    series_instance_uid: str, modality: str, instances: Iterable[InstanceFacts], *, taken: Collection[str] = ()
) -> list[Stack]:
    """Return the stacks of a series in order; instances without a picture are in none.

    ``taken`` are UIDs of other series, which no suffixed stack id may equal.
    """
    drawable = [instance for instance in instances if instance.description and instance.frames]
    tiled = [one for one in drawable if is_slide_volume(one)]
    drawable = [one for one in drawable if one not in tiled]
    alone = [one for one in drawable if one.frames > 1 or modality in SINGLE_IMAGE_MODALITIES]
    together = [one for one in drawable if one.frames == 1 and modality not in SINGLE_IMAGE_MODALITIES]
    groups = _groups(frame for instance in together for frame in frames_of(instance))
    ids = _ids(series_instance_uid, {*taken, *(one.sop_instance_uid for one in alone)})
    stacks = [
        Stack(
            id=next(ids),
            label=_label(group, groups),
            frames=tuple(_in_order(group)),
            notes=tuple(_notes(group, len(groups))),
        )
        for group in groups
    ]
    stacks += [
        Stack(id=next(ids), label=one.label, frames=(one.frame,), notes=one.notes)
        for area in slide_stacks(tiled)
        for one in area
    ]
    for instance in sorted(alone, key=_by_number):
        stacks += _stacks_of_one(instance)
    return stacks


def _stacks_of_one(instance: InstanceFacts) -> list[Stack]:
    """The stack of an instance that is looked at alone, and beside it that of its differences where it has masks."""
    uid = instance.sop_instance_uid
    native = Stack(id=uid, label=slide_flavour(instance), frames=tuple(frames_of(instance)))
    differences = differences_of(instance)
    if differences is None:
        return [native]
    frames = tuple(frames_of(differences))
    left_out = len(native.frames) - len(frames)
    notes = (f"{left_out} of {len(native.frames)} frames have no mask and are not shown here.",) if left_out else ()
    subtracted = Stack(id=f"{uid}{SUBTRACTED_SUFFIX}", label="Subtracted", frames=frames, notes=notes)
    return [subtracted, native] if is_seen_subtracted(instance) else [native, subtracted]


def _ids(series_instance_uid: str, taken: Collection[str]) -> Iterator[str]:
    yield series_instance_uid
    for number in count(2):
        if f"{series_instance_uid}.{number}" not in taken:
            yield f"{series_instance_uid}.{number}"


def _by_number(instance: InstanceFacts) -> tuple[int, int, str]:
    number = instance.instance_number
    return (number is None, number or 0, instance.sop_instance_uid)


# --- Which belong together ------------------------------------------------------------------------------------------


def _groups(frames: Iterable[FrameFacts]) -> list[list[FrameFacts]]:
    """Frames that may share a stack, groups ordered by their first image."""
    coarse: dict[tuple[object, ...], list[list[FrameFacts]]] = defaultdict(list)
    for frame in sorted(frames, key=lambda one: _by_number(one.instance)):
        key = (
            frame.instance.sop_class_uid,
            frame.instance.rows,
            frame.instance.columns,
            frame.image_type,
            frame.echo,
            frame.b_value,
            frame.cardiac_phase,
            frame.temporal_position,
        )
        for group in coarse[key]:
            if _same_plane(group[0], frame):
                group.append(frame)
                break
        else:
            coarse[key].append([frame])
    groups = [group for alternatives in coarse.values() for group in alternatives]
    return sorted(groups, key=lambda group: _by_number(group[0].instance))


def _same_plane(one: FrameFacts, other: FrameFacts) -> bool:
    return _close(one.orientation, other.orientation, ORIENTATION_TOLERANCE) and _close(
        one.spacing, other.spacing, SPACING_TOLERANCE * max(one.spacing or (1.0,))
    )


def _close(one: Sequence[float] | None, other: Sequence[float] | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return len(one) == len(other) and all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


# --- In which order -------------------------------------------------------------------------------------------------


def normal_of(orientation: Sequence[float]) -> tuple[float, float, float]:
    """Cross product of the row and column directions (PS3.3 C.7.6.2.1.1)."""
    a, b, c, d, e, f = orientation
    return (b * f - c * e, c * d - a * f, a * e - b * d)


def plane_of(orientation: Sequence[float] | None) -> str:
    """The plane that an image lies nearest to; empty where its orientation is unknown.

    >>> plane_of((1, 0, 0, 0, 1, 0)), plane_of((1, 0, 0, 0, 0, -1)), plane_of(None)
    ('axial', 'coronal', '')
    """
    if not orientation or len(orientation) != 6:
        return ""
    sizes = [abs(part) for part in normal_of(orientation)]
    return PLANES[sizes.index(max(sizes))]


def distance_along(normal: Sequence[float], position: Sequence[float]) -> float:
    """Position of a plane along a normal, mm."""
    return sum(n * p for n, p in zip(normal, position, strict=True))


def _in_order(group: list[FrameFacts]) -> list[FrameFacts]:
    """By position along the normal, then Instance Number; by number alone where a position is missing.

    The direction is that of the instance numbers, so that the first image acquired
    tends to be the first one shown.
    """
    distances = _distances(group)
    if distances is None:
        return group
    order = sorted(range(len(group)), key=lambda index: (round(distances[index], 3), index))
    if len(order) > 1 and distances[0] > distances[-1]:
        order.sort(key=lambda index: (-round(distances[index], 3), index))
    return [group[index] for index in order]


def _distances(group: list[FrameFacts]) -> list[float] | None:
    if not all(frame.orientation and frame.position and len(frame.position) == 3 for frame in group):
        return None
    normal = normal_of(group[0].orientation or ())
    return [distance_along(normal, frame.position or ()) for frame in group]


# --- What to say ----------------------------------------------------------------------------------------------------


def _notes(group: list[FrameFacts], groups: int) -> Iterable[str]:
    if groups > 1:
        yield f"This series was split into {groups} stacks: its images differ in orientation, size, spacing or kind."
    distances = _distances(group)
    if distances is None or len(group) < 2:
        return
    steps = sorted(set(distances))
    gaps = [
        after - before for before, after in zip(steps, steps[1:], strict=False) if after - before > SAME_POSITION_MM
    ]
    duplicates = len(group) - 1 - len(gaps)
    if duplicates > 0:
        yield f"{duplicates} images lie at the position of another: reformats would mix them."
    if gaps:
        usual = sorted(gaps)[len(gaps) // 2]
        if max(gaps) - min(gaps) > GAP_TOLERANCE * usual:
            yield f"Distances between images vary from {min(gaps):.1f} to {max(gaps):.1f} mm: reformats are not to scale."
        tilt = tilt_degrees(group)
        if tilt is not None and tilt > TILT_DEGREES:
            yield f"The stack is tilted by {tilt:.1f} degrees (gantry tilt): reformats would be sheared."


def tilt_degrees(group: Sequence[FrameFacts]) -> float | None:
    """Angle between the normal and the line from the first position to the last."""
    ordered = sorted(
        group, key=lambda frame: distance_along(normal_of(group[0].orientation or ()), frame.position or ())
    )
    first, last = ordered[0].position or (), ordered[-1].position or ()
    line = [b - a for a, b in zip(first, last, strict=True)]
    length = sqrt(sum(value * value for value in line))
    if length < SAME_POSITION_MM:
        return None
    along = abs(distance_along(normal_of(group[0].orientation or ()), line)) / length
    return degrees(acos(min(1.0, along)))


def _label(group: list[FrameFacts], groups: list[list[FrameFacts]]) -> str:
    """What tells this stack from its siblings: plane, then echo, b-value, phase or image type."""
    if len(groups) == 1:
        return ""
    first = group[0]
    parts = [plane_name(first.orientation)]
    for name, attribute in (
        ("echo", "echo"),
        ("b", "b_value"),
        ("phase", "cardiac_phase"),
        ("time", "temporal_position"),
    ):
        if len({getattr(other[0], attribute) for other in groups}) > 1 and getattr(first, attribute):
            parts.append(f"{name} {getattr(first, attribute)}")
    if len({other[0].image_type for other in groups}) > 1 and len(first.image_type) > 2:
        parts.append(" ".join(first.image_type[2:]).lower())
    return ", ".join(part for part in parts if part)


def plane_name(orientation: Sequence[float] | None) -> str:
    """Axial, coronal or sagittal where the normal is nearest to that axis, with "oblique" from 5 degrees on."""
    if not orientation:
        return ""
    normal = [abs(value) for value in normal_of(orientation)]
    largest = max(range(3), key=lambda axis: normal[axis])
    name = ("sagittal", "coronal", "axial")[largest]
    return name if normal[largest] > 0.9962 else f"oblique {name}"
