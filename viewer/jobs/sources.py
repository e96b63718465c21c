"""What processing jobs need of a stack: modality values, data sets, and a way back through the intake."""

from __future__ import annotations

import io
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pydicom
from django.utils import timezone
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from archive.dicom.part10 import read_dataset
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from archive.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, uid_from
from archive.jobs.run import JobRefused
from archive.models import Job, Series
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from archive.storage import layout
from viewer.errors import NotFound, NothingToDraw, StackChanged
from viewer.rendering.display_table import padding_mask
from viewer.rendering.modality_lut import apply_modality, modality_transform
from viewer.stacks.facts import FrameFacts
from viewer.stacks.lookup import SplitSeries, stack_at
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable, full_frame

FIRST_DERIVED_SERIES_NUMBER = 9000


def stack_of(job: Job) -> tuple[Stack, SplitSeries]:
    """The stack a job is about; refused in words where it cannot be processed."""
    try:
        stack, split = stack_at(str(job.parameters.get("stack", "")))
    except (NotFound, StackChanged):
        raise JobRefused("The stack is no longer there.") from None
    if split.study.pk != job.study_id:
        raise JobRefused("The stack belongs to another study.")
    if any(frame.instance.frames > 1 for frame in stack.frames):
        raise JobRefused("Multi-frame images cannot be processed yet; choose a series of single images.")
    if any(frame.instance.slide is not None for frame in stack.frames):
        raise JobRefused("Whole slides cannot be processed.")
    for frame in stack.frames:
        try:
            description = drawable(frame.instance).description
        except NothingToDraw as error:
            raise JobRefused(f"An image of the stack cannot be processed: {error.reason}") from None
        if description.samples_per_pixel != 1 or description.palette is not None:
            raise JobRefused("Colour images cannot be processed.")
    return stack, split


def modality_values(frame: FrameFacts) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Values after the modality LUT, and which pixels are padding."""
    description = drawable(frame.instance).description
    try:
        decoded = full_frame(frame.instance, frame.frame_number)
    except NothingToDraw as error:
        raise JobRefused(f"An image of the stack cannot be processed: {error.reason}") from None
    values = apply_modality(decoded.values, modality_transform(description, frame.frame_number))
    return values.astype(np.float32), padding_mask(decoded.values, description.padding)


def data_set_of(frame: FrameFacts) -> Dataset:
    """The header of a frame's instance."""
    return read_dataset(layout.path_of(frame.instance.key))


def series_uid_of(job: Job) -> str:
    """UID of the series that a job makes: the same when it is run again after a crash."""
    return uid_from("derived series", str(job.pk), job.created_at.isoformat(), str(job.parameters.get("stack", "")))


def next_series_number(series: Series, job: Job) -> int:
    """A number above everything the modality made; the same when the job is run again."""
    numbers = Series.objects.filter(study=series.study, series_number__gte=FIRST_DERIVED_SERIES_NUMBER)
    own = numbers.filter(series_instance_uid=series_uid_of(job)).values_list("series_number", flat=True).first()
    if own is not None:
        return own
    taken = list(numbers.values_list("series_number", flat=True))
    return max([FIRST_DERIVED_SERIES_NUMBER, *(number for number in taken if number is not None)]) + 1


def store_derived(images: Iterator[Dataset], *, job: Job, processing: str) -> int:
    """Make all images of a derived series, then send them through the intake; returns how many.

    A job that is cancelled, refused or killed on the way has shown nothing of its series.
    """
    origin = Origin(door=Door.DERIVED, user_id=job.created_by_id, processing=processing, received_at=timezone.now())
    layout.make_folders()
    sizes = []
    with TemporaryFile(dir=layout.temp_folder()) as made:
        for ds in images:
            sizes.append(made.write(part10_bytes(ds)))
        made.seek(0)
        for size in sizes:
            receive_part10(io.BytesIO(made.read(size)), origin)
    return len(sizes)


def part10_bytes(ds: Dataset) -> bytes:
    """A data set as an explicit little endian file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(EXPLICIT_VR_LITTLE_ENDIAN)
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    ds.file_meta = meta
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return buffer.getvalue()


def number(job: Job, name: str, default: float, low: float, high: float) -> float:
    """A parameter within its limits, or a refusal that names it."""
    value: Any = job.parameters.get(name, default)
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise JobRefused(f"{name} must be a number from {low:g} to {high:g}.") from None
    if not low <= result <= high:
        raise JobRefused(f"{name} must be a number from {low:g} to {high:g}.")
    return result
