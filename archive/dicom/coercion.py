"""A data set under the patient that it was corrected to, with what it said before (PS3.3 C.12.1.1.9).

Everything from the pixel data on is copied byte for byte, and the transfer syntax stays.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from pydicom import Dataset, config
from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence as Items

from archive.dicom.header import Header
from archive.dicom.header_scan import scan_header
from archive.dicom.header_source import inflate
from archive.dicom.part10 import FileMeta, read_dataset_from, read_file_meta, write_file_meta
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from archive.errors import CannotUnderstand

KEYWORDS: Final = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
UTF_8: Final = "ISO_IR 192"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What an outgoing data set says of its patient, and who decided so."""

    patient_name: str
    patient_id: str
    issuer_of_patient_id: str
    patient_birth_date: str
    patient_sex: str
    modified_at: str
    """DT of the decision: the same each time it goes out."""
    modifying_system: str

    def values(self) -> dict[str, str]:
        said = (
            self.patient_name,
            self.patient_id,
            self.issuer_of_patient_id,
            self.patient_birth_date,
            self.patient_sex,
        )
        return dict(zip(KEYWORDS, said, strict=True))


def coerce_dataset(ds: Dataset, facts: PatientFacts) -> None:
    """Change a data set that the caller has just read, and note the values that stood there (PS3.3 C.12.1.1.9).

    Where the new name does not fit its character set, all of its text becomes UTF-8.
    """
    values = facts.values()
    before = Dataset()
    for keyword in KEYWORDS:
        tag = tag_for_keyword(keyword) or 0
        if tag in ds:
            before.add(DataElement(tag, dictionary_VR(tag), _text(ds, keyword), validation_mode=config.IGNORE))
        elif keyword != "IssuerOfPatientID":
            before.add(DataElement(tag, dictionary_VR(tag), None))
    if not _fits([*values.values(), facts.modifying_system], ds.get("SpecificCharacterSet")):
        ds.decode()
        ds.SpecificCharacterSet = UTF_8
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword) or 0
        if value or keyword != "IssuerOfPatientID":
            ds.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE))
        else:
            ds.pop(tag, None)
    ds.OriginalAttributesSequence = Items([*(ds.get("OriginalAttributesSequence") or ()), _note(before, facts)])


def _note(before: Dataset, facts: PatientFacts) -> Dataset:
    item = Dataset()
    item.SourceOfPreviousValues = None
    item.AttributeModificationDateTime = facts.modified_at
    item.ModifyingSystem = facts.modifying_system
    item.ReasonForTheAttributeModification = "CORRECT"
    item.ModifiedAttributesSequence = Items([before])
    return item


def _text(ds: Dataset, keyword: str) -> str:
    try:
        return str(ds.get(keyword) or "")
    except Exception:
        # pydicom raises what it likes for a value that it cannot read; then there is nothing to say of it.
        return ""


def _fits(texts: Sequence[str], character_set: object) -> bool:
    """Whether texts can be written in a data set's character set without changing it."""
    if all(text.isascii() for text in texts):
        return True
    encodings = convert_encodings(character_set or None)  # type: ignore[arg-type]
    if len(encodings) != 1:
        return False
    try:
        return all(text.encode(encodings[0]).decode(encodings[0]) == text for text in texts)
    except (UnicodeError, LookupError):
        return False


def write_coerced(source: BinaryIO, target: BinaryIO, facts: PatientFacts) -> None:
    """Write a Part 10 file like an open one, for the other patient.

    Raises
    ------
    CannotUnderstand
        The source cannot be read, or its data set cannot be written again.
    """
    meta = read_file_meta(source)
    header = scan_header(source, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    target.write(_head(meta, meta.transfer_syntax_uid))
    if not header.deflated:
        _write_data_set(source, target, header, facts)
        return
    plain = io.BytesIO(_head(meta, EXPLICIT_VR_LITTLE_ENDIAN) + inflate(source, start=header.start, size=header.end))
    start = read_file_meta(plain).data_set_offset
    inner = scan_header(plain, start=start, transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN)
    written = io.BytesIO()
    _write_data_set(plain, written, inner, facts)
    # PS3.5 A.5: raw deflate, padded to an even length.
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(written.getbuffer()) + packer.flush()
    target.write(packed + bytes(len(packed) % 2))


def _head(meta: FileMeta, transfer_syntax_uid: str) -> bytes:
    return write_file_meta(
        transfer_syntax_uid=transfer_syntax_uid,
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid=meta.sop_instance_uid,
    )


def _write_data_set(source: BinaryIO, target: BinaryIO, header: Header, facts: PatientFacts) -> None:
    ds = read_dataset_from(source)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = not header.big_endian, header.implicit_vr
    try:
        coerce_dataset(ds, facts)
        write_dataset(buffer, ds)
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot write.
        raise CannotUnderstand(f"The data set cannot be written anew ({type(error).__name__}).") from None
    target.write(buffer.getvalue())
    pixels = header.pixel_data
    if pixels is not None:
        _copy(source, target, pixels.offset - (8 if header.implicit_vr else 12), header.end)


def _copy(source: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    source.seek(start)
    left = end - start
    while left:
        block = source.read(min(left, _BLOCK))
        if not block:
            raise CannotUnderstand("The stored file is shorter than it was.")
        target.write(block)
        left -= len(block)
