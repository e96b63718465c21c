"""Metadata with bulk data beside it, as STOW-RS takes them, to one Part 10 file (PS3.18 10.5.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BufferedIOBase
from typing import Any, BinaryIO, Final, cast

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate_buffer, encapsulate_extended_buffer
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from archive.dicom.native_model import DEEPEST, from_xml
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from archive.dicom.uids import is_valid_uid
from archive.dicomweb.bulk_media import BulkPart, describe_pixels, transfer_syntax_of
from archive.errors import CannotUnderstand, InvalidUID

LARGEST_METADATA: Final = 64 << 20
"""Bytes of the metadata of one request."""
_LARGE_OFFSETS: Final = 1 << 32

BulkData = Mapping[str, list[BulkPart]]
"""Content-Location to its parts in order: several are the frames of one image."""


def read_json(document: bytes) -> list[dict[str, Any]]:
    """Read one data set or a list of them.

    Raises
    ------
    CannotUnderstand
        It is no DICOM JSON model, or is nested too deeply.
    """
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        raise CannotUnderstand("The metadata is no JSON, or is nested too deeply.") from None
    models = found if isinstance(found, list) else [found]
    if not models or not all(isinstance(model, dict) for model in models):
        raise CannotUnderstand("The metadata is no DICOM JSON model: a list of objects is expected.")
    for model in models:
        _check_depth(model, 0)
    return models


def read_xml(document: bytes) -> list[dict[str, Any]]:
    """Read the one data set of a Native DICOM Model."""
    return [from_xml(document)]


def _check_depth(model: object, depth: int) -> None:
    if depth > DEEPEST:
        raise CannotUnderstand(f"The metadata is nested more than {DEEPEST} sequences deep.")
    if not isinstance(model, dict):
        raise CannotUnderstand("The metadata is no DICOM JSON model.")
    for element in model.values():
        if not isinstance(element, dict):
            raise CannotUnderstand("The metadata is no DICOM JSON model.")
        if element.get("vr") == "SQ":
            for item in element.get("Value") or ():
                _check_depth(item or {}, depth + 1)


def uids_of(model: Mapping[str, Any]) -> tuple[str, str]:
    """SOP Class and SOP Instance UID of metadata, as far as they are there."""
    found = []
    for tag in ("00080016", "00080018"):
        values = (model.get(tag) or {}).get("Value") or [""]
        found.append(str(values[0]))
    return found[0], found[1]


def write_part10(model: dict[str, Any], bulk: BulkData, target: BinaryIO) -> None:
    """Write metadata and its bulk data as a DICOM file.

    Raises
    ------
    CannotUnderstand
        Bulk data is missing, or the metadata cannot be written as a data set.
    InvalidUID
        SOP Class or Instance UID is none.
    """
    pixels = _pixel_parts(model, bulk)
    ds = _dataset(model, bulk)
    sop_class_uid, sop_instance_uid = str(ds.get("SOPClassUID", "")), str(ds.get("SOPInstanceUID", ""))
    if not (is_valid_uid(sop_class_uid) and is_valid_uid(sop_instance_uid)):
        raise InvalidUID("The metadata names no SOP Class UID and SOP Instance UID that are UIDs.")
    transfer_syntax_uid = transfer_syntax_of(pixels[0]) if pixels else EXPLICIT_VR_LITTLE_ENDIAN
    if pixels and transfer_syntax_uid != EXPLICIT_VR_LITTLE_ENDIAN:
        _encapsulate(ds, pixels, transfer_syntax_uid)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class_uid), UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    ds.file_meta = meta
    try:
        dcmwrite(target, ds, enforce_file_format=True, implicit_vr=False, little_endian=True)
    except OSError:
        raise
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot write.
        raise CannotUnderstand(f"The metadata cannot be written as a data set ({type(error).__name__}).") from None


def _pixel_parts(model: Mapping[str, Any], bulk: BulkData) -> list[BulkPart]:
    uri = (model.get("7FE00010") or {}).get("BulkDataURI")
    return bulk.get(str(uri), []) if uri else []


def _dataset(model: dict[str, Any], bulk: BulkData) -> Dataset:
    def value_of(tag: str, vr: str, uri: str) -> Any:
        parts = bulk.get(str(uri))
        if not parts:
            raise CannotUnderstand(f"The bulk data of element {tag} did not come with the metadata.")
        if tag.upper().endswith("7FE00010") or vr.startswith("O"):
            return cast("Any", parts[0].file)
        return parts[0].file.read()

    try:
        return Dataset.from_json(model, bulk_data_uri_handler=value_of)
    except CannotUnderstand:
        raise
    except Exception as error:
        # pydicom raises what it likes for what it cannot read.
        raise CannotUnderstand(f"The metadata is no data set ({type(error).__name__}).") from None


def _encapsulate(ds: Dataset, parts: list[BulkPart], transfer_syntax_uid: str) -> None:
    """Put code streams into fragments, one a frame (PS3.5 A.4); say what they say of the image where metadata does not."""
    describe_pixels(ds, parts[0], transfer_syntax_uid)
    files = [cast("BufferedIOBase", part.file) for part in parts]
    if sum(part.size for part in parts) < _LARGE_OFFSETS:
        ds.PixelData = encapsulate_buffer(files)
    else:
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended_buffer(files)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
