"""The few facts of each frame that decide where it belongs and in which order; cheap enough for thousands.

They are read straight from the JSON that ``archive.pixels.describe.to_json`` wrote
when the instance was indexed, without building the full description.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from archive.models import Instance, Series


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
    """Facts of every frame of an instance that can be drawn."""
    values: dict[str, Any] = json.loads(instance.description)
    shared: dict[str, Any] = values.get("shared") or {}
    per_frame: list[dict[str, Any]] = values.get("per_frame") or []
    for number in range(1, instance.frames + 1):
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


def _numbers(value: list[float] | None) -> tuple[float, ...] | None:
    return tuple(value) if value else None
