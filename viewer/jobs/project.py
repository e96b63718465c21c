"""A job: maximum intensity projections of slabs of a CT series, along its own direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from django.utils import timezone
from pydicom import Dataset

from archive.dicom.uids import uid_from
from archive.jobs.run import JobRefused
from viewer.jobs.sources import (
    data_set_of,
    modality_values,
    next_series_number,
    number,
    series_uid_of,
    stack_of,
    store_derived,
)
from viewer.processing.derived import MAXIMUM_INTENSITY_PROJECTION, DerivedSeries, derive
from viewer.stacks.facts import FrameFacts
from viewer.stacks.splitting import Stack, distance_along, normal_of, tilt_degrees
from viewer.volumes.projection import Slab, slabs

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job

EVEN_WITHIN = 0.02
"""Relative difference of slice distances up to which a stack counts as evenly spaced."""
MOST_TILT_DEGREES = 0.5


def project_series(job: Job, progress: Progress) -> str:
    """Parameters: ``stack``, ``thickness_mm`` of a slab, ``step_mm`` from one to the next."""
    stack, split = stack_of(job)
    thickness = number(job, "thickness_mm", 10, 0.5, 500)
    step = number(job, "step_mm", thickness / 2, 0.1, 500)
    original = split.series
    if original.modality != "CT":
        raise JobRefused("Slab projections are made of CT series.")
    ordered, distances, gap = even_stack(stack)
    planes = slabs(distances, thickness_mm=thickness, step_mm=step, slice_mm=gap)
    if ordered[0] is not stack.frames[0]:
        planes.reverse()  # The projections begin where the reader's series begins.
    words = f"MIP {planes[0].thickness_mm:g} mm, every {max(1, round(step / gap)) * gap:g} mm"
    series = DerivedSeries(
        series_instance_uid=series_uid_of(job),
        series_number=next_series_number(original, job),
        series_description=f"{original.series_description or 'CT'} MIP {planes[0].thickness_mm:g} mm",
        derivation_description=words,
        derivation_code=MAXIMUM_INTENSITY_PROJECTION,
        made_at=timezone.localtime(job.created_at),
        frame_of_reference_uid=uid_from(series_uid_of(job), "frame of reference"),
    )
    progress.start(len(planes), "Projecting slabs")
    count = store_derived(_images(ordered, planes, series, progress), job=job, processing=f"processed: {words}")
    return f"{count} slabs were made as series {series.series_number}."


def even_stack(stack: Stack) -> tuple[list[FrameFacts], list[float], float]:
    """Frames by ascending position with their distances and the gap between them.

    Raises
    ------
    JobRefused
        Positions are missing, doubled, uneven or tilted: a projection would not be true.
    """
    frames = list(stack.frames)
    if len(frames) < 3 or not all(frame.orientation and frame.position for frame in frames):
        raise JobRefused("A projection needs at least three images with a known position.")
    normal = normal_of(frames[0].orientation or ())
    frames.sort(key=lambda frame: distance_along(normal, frame.position or ()))
    distances = [distance_along(normal, frame.position or ()) for frame in frames]
    gaps = np.diff(distances)
    if gaps.min() <= 0.01:
        raise JobRefused("Some images lie at the same position; a projection would mix them.")
    if gaps.max() - gaps.min() > EVEN_WITHIN * float(np.median(gaps)):
        raise JobRefused(
            f"Distances between images vary from {gaps.min():.1f} to {gaps.max():.1f} mm; a projection would not be to scale."
        )
    if (tilt_degrees(frames) or 0) > MOST_TILT_DEGREES:
        raise JobRefused("The stack is tilted (gantry tilt); a projection would be sheared.")
    return frames, distances, float(np.median(gaps))


def _images(
    frames: list[FrameFacts], planes: list[Slab], series: DerivedSeries, progress: Progress
) -> Iterator[Dataset]:
    for position, plane in enumerate(planes, start=1):
        part = frames[plane.first : plane.last + 1]
        projected: np.ndarray | None = None
        everywhere_padded: np.ndarray | None = None
        for frame in part:
            values, padded = modality_values(frame)
            if padded is not None:
                values = np.where(padded, -np.inf, values)
            projected = values if projected is None else np.maximum(projected, values)
            mask = np.zeros(values.shape, bool) if padded is None else padded
            everywhere_padded = mask if everywhere_padded is None else everywhere_padded & mask
        assert projected is not None and everywhere_padded is not None  # noqa: S101 - a slab has at least one image
        finite = projected[np.isfinite(projected)]
        projected = np.where(np.isfinite(projected), projected, finite.min() if finite.size else 0.0)
        ds = derive(
            [data_set_of(frame) for frame in part],
            projected,
            series,
            instance_number=position,
            window=(200.0, 800.0),
            padded=everywhere_padded,
        )
        place_between(ds, part, plane)
        yield ds
        progress.step()


def place_between(ds: Dataset, part: list[FrameFacts], plane: Slab) -> None:
    """Put a slab in the middle of its images."""
    first, last = part[0].position or (), part[-1].position or ()
    middle = [(a + b) / 2 for a, b in zip(first, last, strict=True)]
    ds.ImagePositionPatient = [f"{value:.10g}"[:16] for value in middle]
    ds.SliceThickness = f"{plane.thickness_mm:.6g}"
    for keyword in ("SliceLocation", "SpacingBetweenSlices"):
        if keyword in ds:
            delattr(ds, keyword)
