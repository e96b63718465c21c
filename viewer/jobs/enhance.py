"""A job: an enhanced copy of a series (local contrast, then sharpness), image by image, beside the original."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from django.utils import timezone
from pydicom import Dataset

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
from viewer.processing.derived import UNSHARP_MASK, DerivedSeries, derive
from viewer.processing.filters import ClaheParameters, UnsharpParameters, clahe, unsharp
from viewer.rendering.geometry import pixel_spacing
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job

FRAMES_SAMPLED = 16
CONTRAST, SHARPNESS = ClaheParameters(), UnsharpParameters()
"""What is done where nothing else is asked for."""


def enhance_series(job: Job, progress: Progress) -> str:
    """Parameters: ``stack``, ``tile_mm``, ``clip`` (1 leaves contrast as it is), ``radius_mm``, ``amount`` (0 leaves sharpness)."""
    stack, split = stack_of(job)
    contrast = ClaheParameters(
        tile_mm=number(job, "tile_mm", CONTRAST.tile_mm, 2, 500),
        clip=number(job, "clip", CONTRAST.clip, 1, 20),
    )
    sharpness = UnsharpParameters(
        radius_mm=number(job, "radius_mm", SHARPNESS.radius_mm, 0.05, 20),
        amount=number(job, "amount", SHARPNESS.amount, 0, 5),
    )
    words = _words(contrast, sharpness)
    original = split.series
    series = DerivedSeries(
        series_instance_uid=series_uid_of(job),
        series_number=next_series_number(original, job),
        series_description=f"{original.series_description or original.modality} enhanced",
        derivation_description=words,
        derivation_code=UNSHARP_MASK if sharpness.amount else None,
        made_at=timezone.localtime(job.created_at),
        frame_of_reference_uid=original.frame_of_reference_uid,
    )
    progress.start(len(stack.frames), "Enhancing images")
    images = _images(stack, contrast, sharpness, series, progress)
    count = store_derived(images, job=job, processing=f"processed: {words}")
    return f"{count} images were made as series {series.series_number}."


def _words(contrast: ClaheParameters, sharpness: UnsharpParameters) -> str:
    parts = []
    if contrast.clip > 1:
        parts.append(f"CLAHE {contrast.tile_mm:g} mm, clip {contrast.clip:g}")
    if sharpness.amount:
        parts.append(f"unsharp mask {sharpness.radius_mm:g} mm, amount {sharpness.amount:g}")
    if not parts:
        raise JobRefused("With a clip of 1 and an amount of 0 nothing would change.")
    return "; ".join(parts)


def _images(
    stack: Stack, contrast: ClaheParameters, sharpness: UnsharpParameters, series: DerivedSeries, progress: Progress
) -> Iterator[Dataset]:
    low, high = _range(stack)
    for position, frame in enumerate(stack.frames, start=1):
        values, padded = modality_values(frame)
        spacing = pixel_spacing(drawable(frame.instance).description, frame.frame_number)
        if spacing is None:
            raise JobRefused("The images say nothing about the size of their pixels, which the parameters in mm need.")
        size = (spacing.row_mm, spacing.column_mm)
        if contrast.clip > 1:
            values = clahe(values, contrast, low=low, high=high, spacing_mm=size, padded=padded)
        if sharpness.amount:
            values = unsharp(values, sharpness, spacing_mm=size, padded=padded)
        yield derive(
            [data_set_of(frame)],
            values,
            series,
            instance_number=position,
            window=((low + high) / 2, high - low),
            padded=padded,
        )
        progress.step()


def _range(stack: Stack) -> tuple[float, float]:
    """One range for the whole series, so that its images stay comparable."""
    step = max(1, len(stack.frames) // FRAMES_SAMPLED)
    parts = []
    for frame in stack.frames[::step]:
        values, padded = modality_values(frame)
        parts.append((values if padded is None else values[~padded]).ravel()[::7])
    everything = np.concatenate(parts)
    if not everything.size:
        raise JobRefused("The images hold nothing but padding.")
    low, high = np.percentile(everything, (0.5, 99.8))
    return float(low), float(high)
