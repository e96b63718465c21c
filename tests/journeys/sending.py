"""Images into the archive without a network: what tests of storing, stacks and tiles begin with."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from pydicom import Dataset

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_file_meta
from archive.errors import ArchiveError
from archive.indexing.writer import BatchResult, index_waiting_files
from archive.models import Study
from archive.receiving.intake import IntakeResult, receive_instance
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from archive.receiving.staging import StagedFile
from tests.phantoms import to_part10_bytes
from viewer.objects.elsewhere import forget_elsewhere
from viewer.objects.overlays import forget_overlays
from viewer.stacks.lookup import forget_kept
from viewer.stacks.mapping_objects import forget_mappings
from viewer.stacks.presentation_states import forget_states
from viewer.stacks.suv import forget_uptake
from viewer.stacks.windows import _windows
from viewer.tiles import dicomweb_responses, drawing, frames, sessions


def send_file(path: Path, **origin: Any) -> IntakeResult:
    """Take a file as an upload or a folder does."""
    with path.open("rb") as file:
        return receive_part10(file, Origin(door=Door.FOLDER, **origin))


def send_as_modality(path: Path, **origin: Any) -> IntakeResult:
    """Take a file's data set under the UIDs that it names itself, as a C-STORE announces it."""
    data = path.read_bytes()
    meta = read_file_meta(io.BytesIO(data))
    header = scan_header(io.BytesIO(data), start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    staged = StagedFile.create(
        transfer_syntax_uid=meta.transfer_syntax_uid,
        sop_class_uid=header.sop_class_uid,
        sop_instance_uid=header.sop_instance_uid,
        origin=Origin(door=Door.DIMSE, calling_ae_title="SCANNER", **origin),
    )
    staged.write(data[meta.data_set_offset :])
    return receive_instance(staged)


def send_data_sets(*images: Dataset, **origin: Any) -> list[IntakeResult]:
    """Take data sets that were built in memory."""
    values = {"door": Door.DIMSE, "calling_ae_title": "SCANNER", **origin}
    return [receive_part10(io.BytesIO(to_part10_bytes(ds)), Origin(**values)) for ds in images]


def store(*images: Dataset, **origin: Any) -> BatchResult:
    """Take data sets and index them."""
    send_data_sets(*images, **origin)
    return index_waiting_files()


def send_study(*paths: Path) -> Study:
    """Take the files of one study and index them."""
    for path in paths:
        send_file(path)
    index_waiting_files()
    forget_what_was_drawn()
    return Study.objects.get()


def refusal_of(path: Path) -> ArchiveError | None:
    """Take a file; returns why it was refused, None where it was taken."""
    try:
        send_file(path)
    except ArchiveError as error:
        return error
    return None


def forget_what_was_drawn() -> None:
    """Empty everything that the viewer keeps in this process: row ids and keys begin anew with each test."""
    forget_kept()
    forget_states()
    forget_mappings()
    forget_uptake()
    forget_elsewhere()
    forget_overlays()
    _windows.clear()
    drawing._tiles = drawing.TileMemory()
    drawing._under_way.clear()
    frames._drawables.clear()
    frames._memory = frames.FrameMemory()
    sessions.forget()
    dicomweb_responses._viewings.clear()
