"""The few facts of each frame that decide where it belongs and in which order; cheap enough for thousands.

They are read straight from the JSON that ``archive.pixels.describe.to_json`` wrote
when the instance was indexed, without building the full description.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from archive.models import Instance, Series
from archive.pixels.describe import from_json
from viewer.rendering.subtraction import SUBTRACTED_MODE, subtracted_frames


class SlideInstance:
    """What makes an instance a slide put together from others: ``viewer.stacks.slides.Slide``."""


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """One stored instance as drawing needs it; ``description`` is parsed again only for the frame that is drawn."""

    pk: int
    sop_instance_uid: str
    sop_class_uid: str
    instance_number: int | None
    acquisition_number: int | None
    rows: int
    columns: int
    frames: int
    description: str
    undrawable_reason: str
    key: str
    transfer_syntax_uid: str
    frame_index: bytes
    damage: str
    slide: SlideInstance | None = None
    """Of a whole slide: the instances that it is put together from."""
    subtracted: bool = False
    """The differences that mask subtraction leaves of it, and not the image as it was acquired."""

    @property
    def picture_key(self) -> str:
        """Name of what is drawn: the file, or its differences."""
        return f"{self.key} subtracted" if self.subtracted else self.key


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """One frame of an instance, counted from 1."""

    instance: InstanceFacts
    frame_number: int
    orientation: tuple[float, ...] | None
    position: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    image_type: tuple[str, ...]
    echo: str
    b_value: str
    temporal_position: str
    cardiac_phase: str
    slice_thickness: float | None


FIELDS = (
    "pk",
    "sop_instance_uid",
    "sop_class_uid",
    "instance_number",
    "acquisition_number",
    "rows",
    "columns",
    "frames",
    "description",
    "undrawable_reason",
    "stored_file__key",
    "stored_file__transfer_syntax_uid",
    "stored_file__frame_index",
    "stored_file__damage",
)


def instances_of(series: Series, *, revision: int) -> list[InstanceFacts]:
    """Shown instances of a series that the study had at a revision, in one query."""
    return facts_of(Instance.objects.shown().filter(series=series, added_revision__lte=revision))


def facts_of(instances: QuerySet[Instance]) -> list[InstanceFacts]:
    """Facts of these instances, in one query."""
    rows = instances.values_list(*FIELDS)
    return [InstanceFacts(*row[:-2], bytes(row[-2] or b""), row[-1] or "") for row in rows]  # type: ignore[call-arg]


def frames_of(instance: InstanceFacts) -> Iterable[FrameFacts]:
    """Facts of every frame of an instance that can be drawn; of its differences those that have a mask."""
    values: dict[str, Any] = json.loads(instance.description)
    shared: dict[str, Any] = values.get("shared") or {}
    per_frame: list[dict[str, Any]] = values.get("per_frame") or []
    numbers = subtracted_frames(from_json(values)) if instance.subtracted else range(1, instance.frames + 1)
    for number in numbers:
        own = per_frame[number - 1] if number <= len(per_frame) else shared
        yield FrameFacts(
            instance=instance,
            frame_number=number,
            orientation=_numbers(own.get("image_orientation_patient")),
            position=_numbers(own.get("image_position_patient")),
            spacing=_numbers(own.get("pixel_spacing")),
            image_type=tuple(own.get("image_type") or ()),
            echo=own.get("echo") or "",
            b_value=own.get("b_value") or "",
            temporal_position=own.get("temporal_position") or "",
            cardiac_phase=own.get("cardiac_phase") or "",
            slice_thickness=own.get("slice_thickness"),
        )


def differences_of(instance: InstanceFacts) -> InstanceFacts | None:
    """The same instance with its masks subtracted; None where the file asks for no subtraction."""
    if '"masks"' not in instance.description:
        return None
    found = replace(instance, subtracted=True)
    return found if any(True for _ in frames_of(found)) else None


def is_seen_subtracted(instance: InstanceFacts) -> bool:
    """Whether the sender wants the differences to be seen first (PS3.3 C.7.6.10, Recommended Viewing Mode)."""
    return bool(json.loads(instance.description).get("recommended_viewing_mode") == SUBTRACTED_MODE)


def _numbers(value: list[float] | None) -> tuple[float, ...] | None:
    return tuple(value) if value else None
