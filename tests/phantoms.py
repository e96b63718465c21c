"""Data sets built in memory with known values, and their bytes as Part 10 files.

Every function takes attributes by keyword (``WindowCenter=40``) that are set last,
so a test says only what it is about. ``None`` removes an element.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from archive.dicom.part10 import write_file_meta
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, transfer_syntax
from archive.dicom.uids import new_uid

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
PET_IMAGE = "1.2.840.10008.5.1.4.1.1.128"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MULTI_FRAME_GRAYSCALE = "1.2.840.10008.5.1.4.1.1.7.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"

STUDY_INSTANCE_UID = "2.25.1001"
SERIES_INSTANCE_UID = "2.25.1002"
FRAME_OF_REFERENCE_UID = "2.25.1003"


def ramp(rows: int = 16, columns: int = 16, *, start: int = 0, step: int = 1) -> NDArray[np.int64]:
    """Values that grow along the rows: ``start + step * (row * columns + column)``."""
    return start + step * np.arange(rows * columns, dtype=np.int64).reshape(rows, columns)


def image(values: NDArray[Any] | None = None, *, sop_class_uid: str = SECONDARY_CAPTURE, **attributes: Any) -> Dataset:
    """A data set with an image plane.

    Parameters
    ----------
    values
        Integers, (rows, columns), (frames, rows, columns), (rows, columns, 3) or
        (frames, rows, columns, 3) with ``SamplesPerPixel=3``; 16 bits unsigned unless
        ``BitsAllocated`` or ``PixelRepresentation`` say otherwise. By default a ramp of 16 x 16.
    """
    values = ramp() if values is None else np.asarray(values)
    samples = attributes.get("SamplesPerPixel", 1)
    plane = values.shape[-3:-1] if samples > 1 else values.shape[-2:]
    frames = values.shape[0] if values.ndim == len(plane) + (samples > 1) + 1 else 1
    bits = attributes.get("BitsAllocated", 8 if samples > 1 else 16)
    ds = _identified(sop_class_uid)
    ds.SamplesPerPixel = samples
    ds.PhotometricInterpretation = "RGB" if samples > 1 else "MONOCHROME2"
    if samples > 1:
        ds.PlanarConfiguration = 0
    if frames > 1 or "NumberOfFrames" in attributes:
        ds.NumberOfFrames = frames
    ds.Rows, ds.Columns = plane
    ds.BitsAllocated = bits
    ds.BitsStored = attributes.get("BitsStored", bits)
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = attributes.get("PixelRepresentation", 0)
    ds.add_new(0x7FE00010, "OB" if bits <= 8 else "OW", native_bytes(values, bits))
    return _with(ds, attributes)


def ct_image(values: NDArray[Any] | None = None, *, z: float = 0.0, number: int = 1, **attributes: Any) -> Dataset:
    """An axial CT image whose stored values are HU + 1024, 12 bits of 16; pixels of 0.5 mm, 5 mm slices."""
    return image(
        values,
        sop_class_uid=CT_IMAGE,
        **{
            "Modality": "CT",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "BitsStored": 12,
            "InstanceNumber": number,
            "RescaleSlope": 1,
            "RescaleIntercept": -1024,
            "RescaleType": "HU",
            "WindowCenter": 40,
            "WindowWidth": 400,
            "PixelSpacing": [0.5, 0.5],
            "SliceThickness": 5,
            "ImagePositionPatient": [-4, -4, z],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "FrameOfReferenceUID": FRAME_OF_REFERENCE_UID,
            "BodyPartExamined": "ABDOMEN",
            **attributes,
        },
    )


def mr_image(values: NDArray[Any] | None = None, *, number: int = 1, **attributes: Any) -> Dataset:
    """A sagittal MR image, signed 16 bits, no rescale, no window."""
    return image(
        values,
        sop_class_uid=MR_IMAGE,
        **{
            "Modality": "MR",
            "PixelRepresentation": 1,
            "InstanceNumber": number,
            "EchoTime": 10,
            "PixelSpacing": [0.8, 0.6],
            "ImagePositionPatient": [3.0 * number, -10, 20],
            "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
            "FrameOfReferenceUID": FRAME_OF_REFERENCE_UID,
            **attributes,
        },
    )


def color_image(values: NDArray[Any] | None = None, **attributes: Any) -> Dataset:
    """An RGB image of 8 bits; by default 4 x 6 with red growing along columns, green along rows, blue 128."""
    if values is None:
        row, column = np.mgrid[0:4, 0:6]
        values = np.stack([column * 40, row * 60, np.full_like(row, 128)], axis=-1)
    return image(values, **{"Modality": "OT", "SamplesPerPixel": 3, **attributes})


def palette_image(
    indices: NDArray[Any], *, entries: Sequence[Sequence[int]], bits: int = 16, **attributes: Any
) -> Dataset:
    """A PALETTE COLOR image of 8 bits; ``entries`` are the red, green and blue tables, one number an entry."""
    tables: dict[str, Any] = {}
    for color, table in zip(("Red", "Green", "Blue"), entries, strict=True):
        tables[f"{color}PaletteColorLookupTableDescriptor"] = [len(table) % 65536, 0, bits]
        tables[f"{color}PaletteColorLookupTableData"] = struct.pack(f"<{len(table)}H", *table)
    return image(indices, **{"BitsAllocated": 8, "PhotometricInterpretation": "PALETTE COLOR", **tables, **attributes})


def multi_frame(frames: int = 3, *, rows: int = 4, columns: int = 5, **attributes: Any) -> Dataset:
    """Frames of 8 bits, each filled with its own number, shown at 25 a second."""
    values = np.repeat(np.arange(1, frames + 1), rows * columns).reshape(frames, rows, columns)
    return image(
        values,
        sop_class_uid=MULTI_FRAME_GRAYSCALE,
        **{"Modality": "OT", "BitsAllocated": 8, "FrameTime": 40, "NumberOfFrames": frames, **attributes},
    )


def enhanced_ct(frames: int = 3, *, slopes: Sequence[float] | None = None, **attributes: Any) -> Dataset:
    """An Enhanced CT: geometry shared but for the position, frame ``n`` at z = 2.5 (n - 1), slopes if given."""
    values = np.repeat(np.arange(frames) * 100, 16).reshape(frames, 4, 4)
    ds = image(values, sop_class_uid=ENHANCED_CT, **{"Modality": "CT", "NumberOfFrames": frames, **attributes})
    shared = Dataset()
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[0.7, 0.9], SliceThickness=2.5)]
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.PixelValueTransformationSequence = [_item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")]
    shared.FrameVOILUTSequence = [_item(WindowCenter=[40, 500], WindowWidth=[400, 2000])]
    shared.CTImageFrameTypeSequence = [_item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = [_frame_group(number, slopes) for number in range(frames)]
    return ds


def _frame_group(number: int, slopes: Sequence[float] | None) -> Dataset:
    group = _item(PlanePositionSequence=[_item(ImagePositionPatient=[0, 0, 2.5 * number])])
    if slopes is not None:
        group.PixelValueTransformationSequence = [
            _item(RescaleSlope=slopes[number], RescaleIntercept=0, RescaleType="US")
        ]
    return group


def _item(**attributes: Any) -> Dataset:
    return _with(Dataset(), attributes)


def _identified(sop_class_uid: str) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID = sop_class_uid
    ds.SOPInstanceUID = new_uid()
    ds.StudyInstanceUID = STUDY_INSTANCE_UID
    ds.SeriesInstanceUID = SERIES_INSTANCE_UID
    ds.PatientName = "PHANTOM^KNOWN"
    ds.PatientID = "PHANTOM-1"
    ds.StudyDate = "20261124"
    ds.Modality = "OT"
    return ds


def _with(ds: Dataset, attributes: dict[str, Any]) -> Dataset:
    for keyword, value in attributes.items():
        if value is None:
            if keyword in ds:
                delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def native_bytes(values: NDArray[Any], bits: int) -> bytes:
    """Little-endian cells of 1, 8, 12 (packed), 16 or 32 bits, padded to an even length."""
    flat = np.asarray(values).reshape(-1)
    if bits == 1:
        data = np.packbits(flat.astype(np.uint8), bitorder="little").tobytes()
    elif bits == 12:
        each = (flat.astype(np.uint16) & 0xFFF)[:, np.newaxis] >> np.arange(12, dtype=np.uint16) & 1
        data = np.packbits(each.astype(np.uint8).reshape(-1), bitorder="little").tobytes()
    else:
        data = (flat.astype(np.int64) & (1 << bits) - 1).astype(f"<u{bits // 8}").tobytes()
    return data + bytes(len(data) % 2)


def encapsulated(frames: Sequence[Sequence[bytes]], *, offset_table: bool = True) -> bytes:
    """The value of encapsulated pixel data (PS3.5 A.4) without its delimiter: frames as lists of fragments."""
    offsets, body = [], b""
    for fragments in frames:
        offsets.append(len(body))
        for fragment in fragments:
            even = fragment + bytes(len(fragment) % 2)
            body += struct.pack("<HHI", 0xFFFE, 0xE000, len(even)) + even
    table = struct.pack(f"<{len(offsets)}I", *offsets) if offset_table else b""
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(table)) + table + body


def with_encapsulated(ds: Dataset, frames: Sequence[Sequence[bytes]], *, offset_table: bool = True) -> Dataset:
    """Replace the pixel data by encapsulated frames; returns the same data set."""
    ds.add_new(0x7FE00010, "OB", encapsulated(frames, offset_table=offset_table))
    ds[0x7FE00010].is_undefined_length = True
    return ds


def data_set_bytes(ds: Dataset, transfer_syntax_uid: str = EXPLICIT_VR_LITTLE_ENDIAN) -> bytes:
    """The data set alone, encoded."""
    syntax = transfer_syntax(transfer_syntax_uid)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = not syntax.big_endian, syntax.implicit_vr
    write_dataset(buffer, ds)
    data = bytes(buffer.getvalue())
    if not syntax.deflated:
        return data
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def to_part10_bytes(ds: Dataset, transfer_syntax_uid: str = EXPLICIT_VR_LITTLE_ENDIAN) -> bytes:
    """A whole file: preamble, group 0002, data set."""
    head = write_file_meta(
        transfer_syntax_uid=transfer_syntax_uid,
        sop_class_uid=str(ds.SOPClassUID),
        sop_instance_uid=str(ds.SOPInstanceUID),
    )
    return head + data_set_bytes(ds, transfer_syntax_uid)


def with_meta(ds: Dataset, transfer_syntax_uid: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Dataset:
    """Give a data set the file meta information that reading it from a file would; returns the same data set."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    return ds


def ct_series(slices: int = 3, *, spacing_mm: float = 5.0, **attributes: Any) -> Iterable[Dataset]:
    """CT images one above the other, each a ramp that starts at 100 times its place."""
    for index in range(slices):
        yield ct_image(ramp(start=100 * index), z=spacing_mm * index, number=index + 1, **attributes)
