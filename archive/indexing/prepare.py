"""Everything about one acknowledged file that can be known without the database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset, read_file_meta
from archive.errors import ArchiveError, CannotDecode, CannotUnderstand
from archive.indexing.attributes import IndexedAttributes, read_attributes
from archive.pixels.describe import describe, to_json
from archive.pixels.description import ImageDescription
from archive.pixels.frames import FrameIndex, index_frames
from archive.pixels.limits import frames_shown
from archive.pixels.palettes import palette_refusal
from archive.receiving.sources import Door, Origin
from archive.storage import layout

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """One claimed file, read and described."""

    path: Path
    size: int
    transfer_syntax_uid: str
    digest: str
    """SHA-256 of the data set."""
    origin: Origin
    attributes: IndexedAttributes
    rows: int
    columns: int
    frames: int
    description: str
    """``ImageDescription`` as JSON, empty where there is nothing to draw."""
    undrawable_reason: str
    frame_index: bytes
    key: str

    @property
    def image_values(self) -> dict[str, Any]:
        """Columns of the instance's row that say what the image is."""
        return {
            "sop_class_uid": self.attributes.sop_class_uid,
            "rows": self.rows,
            "columns": self.columns,
            "frames": self.frames,
            "description": self.description,
            "undrawable_reason": self.undrawable_reason,
            **self.attributes.instance,
        }

    @property
    def arrival_values(self) -> dict[str, Any]:
        """Columns of the instance's row that say what came, when and from whom."""
        return {
            "data_set_digest": self.digest,
            "received_transfer_syntax_uid": self.transfer_syntax_uid,
            "received_at": self.origin.received_at,
            "door": self.origin.door.value,
            "calling_ae_title": self.origin.calling_ae_title[:16],
        }

    @property
    def is_derived(self) -> bool:
        return self.origin.door is Door.DERIVED


def prepare(path: Path) -> PreparedFile:
    """Read one file of the archive.

    Raises
    ------
    CannotUnderstand
        The file is not what the intake let in: damaged since, or put there by hand.
    """
    with path.open("rb") as file:
        meta = read_file_meta(file)
        try:
            origin = Origin.from_json(meta.private)
        except (ValueError, KeyError, TypeError):
            raise CannotUnderstand("The file carries no record of where it came from.") from None
        header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
        file.seek(meta.data_set_offset)
        digest = _digest_of_rest(file)
        ds = read_dataset(path)
        attributes = read_attributes(ds, default_issuer=origin.issuer_of_patient_id)
        drawn = _describe_image(ds)
        index, reason = FrameIndex.empty(), drawn if isinstance(drawn, str) else ""
        if isinstance(drawn, ImageDescription):
            try:
                index = index_frames(file, header, drawn, meta.transfer_syntax_uid)
            except ArchiveError as error:
                reason = str(error)
            reason = reason or palette_refusal(ds)
    image = drawn if isinstance(drawn, ImageDescription) else None
    return PreparedFile(
        path=path,
        size=path.stat().st_size,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        digest=digest,
        origin=origin,
        attributes=attributes,
        rows=image.rows if image else 0,
        columns=image.columns if image else 0,
        frames=frames_shown(image.frames, index.frames) if image else 0,
        description=json.dumps(to_json(image), separators=(",", ":")) if image else "",
        undrawable_reason=reason[:255],
        frame_index=index.to_bytes(),
        key=layout.file_key(
            study_instance_uid=attributes.study_instance_uid,
            series_instance_uid=attributes.series_instance_uid,
            sop_instance_uid=attributes.sop_instance_uid,
            digest=digest,
        ),
    )


def _describe_image(ds: Dataset) -> ImageDescription | str:
    try:
        description = describe(ds)
    except (CannotDecode, CannotUnderstand) as error:
        return str(error)
    if not description.rows or not description.columns:
        return "This object holds no picture."
    return description


def _digest_of_rest(file) -> str:  # type: ignore[no-untyped-def]
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()
