"""Segmentations and structure sets over the stacks of their frame of reference: which there are, what of them lies on
a frame, and what the values under them are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.errors import ArchiveError
from archive.models import Instance, Study
from viewer.errors import NotFound, NothingToDraw, ViewerError
from viewer.objects.masks import Affine, Tally, affine_between, are_parallel, area_of, inside_contours, on_grid, runs_of
from viewer.objects.placing import Plane, plane_of_frame, slice_reach
from viewer.objects.reading import read_object
from viewer.objects.segment_reading import Kind, Segmentation, read_segmentation, read_structure_set
from viewer.rendering.display_table import padding_mask
from viewer.rendering.quantities import Quantity, apply_quantity
from viewer.stacks.facts import FrameFacts, InstanceFacts, facts_of, frames_of
from viewer.stacks.lookup import Kept, SplitSeries
from viewer.stacks.manifest import split_study
from viewer.stacks.quantities import quantities_of_frames
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable, frame_at_level, full_frame

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
MOST_OF_A_STUDY = 64
MM3_IN_ML = 1000.0
SAME_PLANE_SHARE = 0.5
"""A mask lies on a frame when its plane is nearer than this share of the distance of the masks' own planes."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """An object that can be laid over images, with the planes of its frames."""

    instance: InstanceFacts
    content: Segmentation
    planes: tuple[Plane | None, ...]
    thickness: float
    """Distance of its planes, mm; 0 where it has only one and says none."""


_overlays: Kept[str, Overlay | None] = Kept(32)


def forget_overlays() -> None:
    """Drop what is kept, where it has turned out to be old."""
    _overlays.clear()


def overlays_of(study: Study) -> list[Overlay]:
    """Segmentations and structure sets of a study that can be read, in the order in which they came."""
    rows = Instance.objects.shown().filter(series__study=study, sop_class_uid__in=[*SEGMENTATIONS, STRUCTURE_SET])
    found = [overlay_of(one) for one in facts_of(rows.order_by("pk")[:MOST_OF_A_STUDY])]
    return [one for one in found if one is not None]


def overlay_of(instance: InstanceFacts) -> Overlay | None:
    """An object read once; None where it cannot be read."""
    return _overlays.get(instance.key, lambda: _read(instance))


def overlay_at(study: Study, sop_instance_uid: str) -> Overlay:
    """One object of a study.

    Raises
    ------
    NotFound
        There is none of that UID that can be laid over images.
    """
    found = next((one for one in overlays_of(study) if one.instance.sop_instance_uid == sop_instance_uid), None)
    if found is None:
        raise NotFound("There is no such segmentation.")
    return found


def _read(instance: InstanceFacts) -> Overlay | None:
    ds = read_object(instance)
    if ds is None:
        return None
    if instance.sop_class_uid == STRUCTURE_SET:
        content = read_structure_set(ds)
        return Overlay(instance, content, (), _distance_of_contours(content))
    if not (instance.description and instance.frames) or instance.undrawable_reason:
        return None
    frames = list(frames_of(instance))
    planes = tuple(plane_of_frame(frame) for frame in frames)
    thickness = _thickness(planes, frames[0].slice_thickness)
    return Overlay(instance, read_segmentation(ds), planes, thickness)


def _thickness(planes: tuple[Plane | None, ...], stated: float | None) -> float:
    known = [plane for plane in planes if plane is not None]
    places = sorted({round(float(plane.position @ known[0].normal), 3) for plane in known}) if known else []
    return float(np.median(np.diff(places))) if len(places) > 1 else stated or 0.0


def _distance_of_contours(content: Segmentation) -> float:
    """Distance of neighbouring contour planes along the axis that they are flat in; 0 where it cannot be told."""
    spans = [np.ptp(one.points, axis=0) for one in content.contours]
    flat = [int(np.argmin(span)) for span in spans if span.min() < 0.01]
    if not flat:
        return 0.0
    axis = max(set(flat), key=flat.count)
    places = sorted({round(float(one.points[0, axis]), 2) for one in content.contours})
    return float(np.median(np.diff(places))) if len(places) > 1 else 0.0


# --- Lists ----------------------------------------------------------------------------------------------------------


def listed(study: Study) -> list[dict[str, Any]]:
    """Every object with its legend and the stacks that it can be laid over, as values for JSON."""
    found = overlays_of(study)
    if not found:
        return []
    splits = split_study(study)
    return [
        {
            "SOPInstanceUID": one.instance.sop_instance_uid,
            "label": one.content.label,
            "kind": one.content.kind.value,
            "segments": [
                {
                    "number": segment.number,
                    "label": segment.label,
                    "color": list(segment.color),
                    "kind": segment.kind,
                    "algorithm": segment.algorithm,
                }
                for segment in one.content.segments
            ],
            "stacks": [stack.id for stack in _stacks_under(one, splits)],
        }
        for one in found
    ]


def _stacks_under(overlay: Overlay, splits: Iterable[SplitSeries]) -> Iterator[Stack]:
    uid = overlay.content.frame_of_reference_uid
    for split in splits:
        is_same = bool(uid) and split.series.frame_of_reference_uid == uid
        for stack in split.stacks if is_same else ():
            is_own = (
                stack.first.instance.pk == overlay.instance.pk or stack.first.instance.sop_class_uid in SEGMENTATIONS
            )
            plane = plane_of_frame(stack.first)
            if not is_own and plane is not None and _crosses_evenly(overlay, plane):
                yield stack


def _crosses_evenly(overlay: Overlay, plane: Plane) -> bool:
    """Whether the object's planes are parallel to a stack's: across them it is not drawn."""
    first = next((one for one in overlay.planes if one is not None), None)
    if first is not None:
        return are_parallel(first, plane)
    return any(float(np.ptp(plane.distances(one.points))) < 0.1 for one in overlay.content.contours[:8])


# --- One frame ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mask:
    """What one segment covers in one plane: values of its own grid, and where that lies on the image."""

    segment: int
    values: NDArray[np.integer]
    affine: Affine


def reach_of(overlay: Overlay, stack: Stack) -> float:
    """How far a plane of the object may lie from a frame of the stack and still be drawn on it, mm."""
    planes = [plane_of_frame(frame) for frame in stack.frames]
    own = slice_reach(planes, stack.first.slice_thickness)
    return max(own, overlay.thickness * SAME_PLANE_SHARE)


def masks_on(overlay: Overlay, frame: FrameFacts, reach: float) -> list[Mask]:
    """Masks of the object's nearest plane to a frame, one for each segment that has pixels there."""
    target = plane_of_frame(frame)
    if target is None:
        return []
    away = [
        abs(float(plane.distances(target.position[None])[0])) if plane is not None else np.inf
        for plane in overlay.planes
    ]
    nearest = min(away, default=np.inf)
    if nearest > reach:
        return []
    found = []
    for index, distance in enumerate(away):
        plane = overlay.planes[index]
        if plane is not None and distance <= nearest + 1e-2:
            affine = affine_between(plane, target)
            found += [Mask(segment, values, affine) for segment, values in _segments_of_frame(overlay, index)]
    return found


def _segments_of_frame(overlay: Overlay, index: int) -> Iterator[tuple[int, NDArray[np.integer]]]:
    """Segments of one frame of the object with their values, those without pixels left out."""
    stored = np.asarray(full_frame(overlay.instance, index + 1).values)
    if stored.ndim != 2:
        return
    if overlay.content.kind is not Kind.LABELMAP:
        if index < len(overlay.content.frame_segments) and stored.any():
            yield overlay.content.frame_segments[index], stored
        return
    known = {segment.number for segment in overlay.content.segments}
    for number in np.unique(stored):
        if int(number) in known:
            yield int(number), (stored == number).astype(np.uint8)


def contours_on(overlay: Overlay, frame: FrameFacts, reach: float) -> dict[int, list[NDArray[np.float64]]]:
    """Outlines of each region on a frame, in pixels of the image."""
    target = plane_of_frame(frame)
    found: dict[int, list[NDArray[np.float64]]] = {}
    if target is None:
        return found
    for contour in overlay.content.contours:
        if float(np.abs(target.distances(contour.points)).max()) <= reach:
            found.setdefault(contour.segment, []).append(target.to_pixels(contour.points))
    return found


def on_frame(overlay: Overlay, stack: Stack, frame: FrameFacts) -> dict[str, Any]:
    """What of an object lies on a frame, as values for JSON: masks as runs, regions as outlines."""
    reach = reach_of(overlay, stack)
    if overlay.content.kind is Kind.CONTOURS:
        outlines = contours_on(overlay, frame, reach)
        return {
            "masks": [],
            "outlines": [
                {"segment": segment, "points": np.round(points, 3).tolist()}
                for segment, contours in outlines.items()
                for points in contours
            ],
        }
    masks = [
        {
            "segment": one.segment,
            "rows": one.values.shape[0],
            "columns": one.values.shape[1],
            "affine": list(one.affine),
            "maximum": overlay.content.maximum,
            "runs": runs_of(one.values),
        }
        for one in masks_on(overlay, frame, reach)
    ]
    return {"masks": masks, "outlines": []}


# --- Statistics -----------------------------------------------------------------------------------------------------


def statistics_of(overlay: Overlay, stack: Stack, split: SplitSeries) -> dict[str, Any]:
    """Volume of each segment and the values of the stack's pixels under it, as values for JSON.

    A volume is that of the object itself: its voxels (fractions counted as such), or the area of its contours
    times their distance. A pixel counts when its middle lies in the segment, of fractional ones in half of it.
    """
    tallies = {segment.number: Tally() for segment in overlay.content.segments}
    _add_volumes(overlay, stack, tallies)
    reach = reach_of(overlay, stack)
    frames = [frame for frame in stack.frames if _can_draw(frame)]
    quantities = quantities_of_frames(stack, split, frames)
    for frame, quantity in zip(frames, quantities, strict=True):
        covered = list(_covered(overlay, frame, reach))
        if not covered:
            continue
        values, has_value = _values(frame, quantity)
        for segment, mask in covered:
            if segment in tallies and mask.shape == values.shape:
                tallies[segment].add(values[mask & has_value])
    return {
        "unit": quantities[0].unit if quantities else "",
        "segments": [{"number": number, **_told(tally)} for number, tally in tallies.items()],
    }


def _told(tally: Tally) -> dict[str, Any]:
    return {
        "volume_ml": tally.volume_ml,
        "count": tally.count,
        "mean": tally.mean,
        "sd": tally.sd,
        "minimum": tally.minimum if tally.count else None,
        "maximum": tally.maximum if tally.count else None,
    }


def _add_volumes(overlay: Overlay, stack: Stack, tallies: dict[int, Tally]) -> None:
    if overlay.content.kind is Kind.CONTOURS:
        _add_contour_volumes(overlay, stack, tallies)
        return
    for index, plane in enumerate(overlay.planes):
        if plane is None:
            continue
        voxel = plane.spacing[0] * plane.spacing[1] * overlay.thickness / MM3_IN_ML
        for segment, stored in _segments_of_frame(overlay, index):
            if segment in tallies:
                tallies[segment].volume_ml += float(stored.sum()) / overlay.content.maximum * voxel


def _add_contour_volumes(overlay: Overlay, stack: Stack, tallies: dict[int, Tally]) -> None:
    """Areas of the contours of each plane times the distance of the planes."""
    base = plane_of_frame(stack.first)
    if base is None:
        return
    planes: dict[tuple[int, float], list[NDArray[np.float64]]] = {}
    for contour in overlay.content.contours:
        place = round(float(base.distances(contour.points).mean()), 1)
        planes.setdefault((contour.segment, place), []).append(base.to_pixels(contour.points))
    pixel = base.spacing[0] * base.spacing[1]
    for (segment, _), contours in planes.items():
        if segment in tallies:
            tallies[segment].volume_ml += area_of(contours) * pixel * overlay.thickness / MM3_IN_ML


def _covered(overlay: Overlay, frame: FrameFacts, reach: float) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Pixels of a frame that each segment covers."""
    rows, columns = frame.instance.rows, frame.instance.columns
    if overlay.content.kind is Kind.CONTOURS:
        for segment, contours in contours_on(overlay, frame, reach).items():
            yield segment, inside_contours(contours, rows, columns)
        return
    half = overlay.content.maximum / 2
    for mask in masks_on(overlay, frame, reach):
        yield mask.segment, on_grid(mask.values, mask.affine, rows, columns) >= max(half, 0.5)


def _can_draw(frame: FrameFacts) -> bool:
    return not (frame.instance.undrawable_reason or frame.instance.damage)


def _values(frame: FrameFacts, quantity: Quantity) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What a frame is read as, and which pixels have a value; no values where it cannot be drawn."""
    try:
        description = drawable(frame.instance).description
        stored = np.asarray(frame_at_level(frame.instance, frame.frame_number, -1).values[:, :])
    except (NothingToDraw, ViewerError, ArchiveError):
        return np.zeros((0, 0)), np.zeros((0, 0), bool)
    if stored.ndim != 2:
        return np.zeros((0, 0)), np.zeros((0, 0), bool)
    values = apply_quantity(stored, description, frame.frame_number, quantity)
    padded = padding_mask(stored, description.padding)
    has_value = np.isfinite(values)
    return values, has_value if padded is None else has_value & ~padded
