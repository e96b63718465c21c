"""Media types of bulk data: which transfer syntax they are, and what their headers say of the image (PS3.18 8.7.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from pydicom import Dataset

from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from archive.dicom.uids import is_valid_uid
from archive.dicomweb.errors import UnsupportedMediaType
from archive.dicomweb.multipart import media_type
from archive.errors import CannotDecode, CannotUnderstand
from archive.pixels.codestreams import CodeStream, read_jpeg, read_jpeg_2000

JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
_JPEG_BY_FRAME_TYPE: Final = {0xC0: JPEG_BASELINE, 0xC1: JPEG_EXTENDED, 0xC3: JPEG_LOSSLESS_SV1}

DEFAULT_TRANSFER_SYNTAXES: Final = {
    # Table 8.7.3-2 and 8.7.3-3: the first transfer syntax of each media type, where the part names none.
    "application/octet-stream": EXPLICIT_VR_LITTLE_ENDIAN,
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/x-jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jpx": "1.2.840.10008.1.2.4.92",
    "image/jphc": "1.2.840.10008.1.2.4.201",
    "image/jxl": "1.2.840.10008.1.2.4.110",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "video/mpeg": "1.2.840.10008.1.2.4.100",
    "video/mp4": "1.2.840.10008.1.2.4.102",
}
MEDIA_TYPES: Final = ("image/jpeg", *DEFAULT_TRANSFER_SYNTAXES, "application/pdf")
REVERSIBLE: Final = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.201"})
"""JPEG 2000 and HTJ2K that lose nothing: their colour transform is the reversible one."""
_READERS: Final[dict[str, Callable[[bytes], CodeStream]]] = {
    "image/jpeg": read_jpeg,
    "image/jls": read_jpeg,
    "image/x-jls": read_jpeg,
    "image/jp2": read_jpeg_2000,
    "image/jpx": read_jpeg_2000,
    "image/jphc": read_jpeg_2000,
}


@dataclass(frozen=True, slots=True)
class BulkPart:
    """One part of bulk data, on disk."""

    content_type: str
    file: BinaryIO
    size: int


def check_media_type(content_type: str) -> None:
    """Raise ``UnsupportedMediaType`` for bulk data that is not taken."""
    kind, _parameters = media_type(content_type)
    if kind not in MEDIA_TYPES:
        raise UnsupportedMediaType(
            f"Bulk data of type {kind or 'that is not given'} is not taken: {', '.join(MEDIA_TYPES)}."
        )


def transfer_syntax_of(part: BulkPart) -> str:
    """The transfer syntax that the part names, else the one that its bytes show.

    Raises
    ------
    CannotUnderstand
        It is a JPEG stream of a kind that has no transfer syntax, or none at all.
    """
    kind, parameters = media_type(part.content_type)
    named = parameters.get("transfer-syntax", "")
    if is_valid_uid(named):
        return named
    if kind != "image/jpeg":
        return DEFAULT_TRANSFER_SYNTAXES.get(kind, EXPLICIT_VR_LITTLE_ENDIAN)
    found = _JPEG_BY_FRAME_TYPE.get(_code_stream(part, kind).frame_type)
    if found is None:
        raise CannotUnderstand("JPEG of this kind (progressive, for one) has no transfer syntax in DICOM.")
    return found


def _code_stream(part: BulkPart, kind: str) -> CodeStream:
    part.file.seek(0)
    data = part.file.read(part.size)
    part.file.seek(0)
    try:
        return _READERS[kind](data)
    except CannotDecode as error:
        raise CannotUnderstand(str(error)) from error


def describe_pixels(ds: Dataset, part: BulkPart, transfer_syntax_uid: str) -> None:
    """Fill the Image Pixel attributes that the metadata leaves out from the code stream (PS3.18 10.5.2)."""
    kind, _parameters = media_type(part.content_type)
    if "Rows" in ds or kind not in _READERS:
        return
    stream = _code_stream(part, kind)
    ds.Rows, ds.Columns, ds.SamplesPerPixel = stream.rows, stream.columns, stream.components
    ds.BitsStored = stream.precision
    ds.BitsAllocated = 8 if stream.precision <= 8 else 16
    ds.HighBit = stream.precision - 1
    ds.PixelRepresentation = int(stream.is_signed)
    ds.PhotometricInterpretation = _photometric_interpretation(stream, kind, transfer_syntax_uid)
    if stream.components > 1:
        ds.PlanarConfiguration = 0


def _photometric_interpretation(stream: CodeStream, kind: str, transfer_syntax_uid: str) -> str:
    if stream.components == 1:
        return "MONOCHROME2"
    if stream.is_color_transformed:
        return "YBR_RCT" if transfer_syntax_uid in REVERSIBLE else "YBR_ICT"
    if kind != "image/jpeg" or stream.adobe_transform == 0 or stream.component_identifiers == b"RGB":
        return "RGB"
    return "YBR_FULL_422" if stream.is_subsampled else "YBR_FULL"
