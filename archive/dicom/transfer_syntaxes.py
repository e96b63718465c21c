"""Transfer syntaxes (PS3.5 10, PS3.6 A): how a data set and its pixels are encoded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Codec(StrEnum):
    """What the frames of a transfer syntax are compressed with."""

    NONE = "none"
    """Native pixel data, or no pixel data at all."""
    RLE = "RLE"
    JPEG = "JPEG"
    """DCT: baseline, extended and the retired progressive processes."""
    JPEG_LOSSLESS = "JPEG lossless"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"
    HTJ2K = "HTJ2K"
    JPEG_XL = "JPEG XL"
    DEFLATE = "deflate"
    """Each frame deflated (Deflated Image Frame Compression)."""
    VIDEO = "video"
    """One stream for all frames: MPEG-2, MPEG-4, HEVC."""
    OTHER = "other"
    """Unknown, or known and not one that this software decodes (JPIP, SMPTE ST 2110)."""


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """One transfer syntax. Its data set is explicit VR little endian where nothing else is said."""

    uid: str
    name: str
    codec: Codec = Codec.NONE
    lossy: bool = False
    """Frames may differ from what was compressed; a lossless use of it is possible."""
    implicit_vr: bool = False
    big_endian: bool = False
    deflated: bool = False
    """The whole data set is deflated (PS3.5 A.5)."""
    encapsulated: bool = False
    """Pixel data stands in fragments (PS3.5 A.4)."""


IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
ENCAPSULATED_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
GE_PRIVATE_BIG_ENDIAN_PIXELS: Final = "1.2.840.113619.5.2"
"""Implicit VR little endian with big-endian pixel data; GE, before 2000."""
DEFLATED_IMAGE_FRAME: Final = "1.2.840.10008.1.2.8.1"
RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"
JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS: Final = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS: Final = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
JPEG_2000: Final = "1.2.840.10008.1.2.4.91"
HTJ2K_LOSSLESS: Final = "1.2.840.10008.1.2.4.201"
HTJ2K_LOSSLESS_RPCL: Final = "1.2.840.10008.1.2.4.202"
HTJ2K: Final = "1.2.840.10008.1.2.4.203"

_NATIVE_SYNTAXES: Final = (
    TransferSyntax(IMPLICIT_VR_LITTLE_ENDIAN, "Implicit VR Little Endian", implicit_vr=True),
    TransferSyntax(EXPLICIT_VR_LITTLE_ENDIAN, "Explicit VR Little Endian"),
    TransferSyntax(EXPLICIT_VR_BIG_ENDIAN, "Explicit VR Big Endian", big_endian=True),
    TransferSyntax(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "Deflated Explicit VR Little Endian", deflated=True),
    TransferSyntax(GE_PRIVATE_BIG_ENDIAN_PIXELS, "GE Private Implicit VR, Big Endian Pixels", implicit_vr=True),
    TransferSyntax(ENCAPSULATED_UNCOMPRESSED, "Encapsulated Uncompressed Explicit VR Little Endian", encapsulated=True),
)

_COMPRESSED: Final = (
    # UID, name, codec, lossy
    (DEFLATED_IMAGE_FRAME, "Deflated Image Frame Compression", Codec.DEFLATE, False),
    (RLE_LOSSLESS, "RLE Lossless", Codec.RLE, False),
    (JPEG_BASELINE, "JPEG Baseline", Codec.JPEG, True),
    (JPEG_EXTENDED, "JPEG Extended", Codec.JPEG, True),
    ("1.2.840.10008.1.2.4.52", "JPEG Extended (processes 3 and 5, retired)", Codec.JPEG, True),
    ("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection (processes 6 and 8, retired)", Codec.JPEG, True),
    ("1.2.840.10008.1.2.4.54", "JPEG Spectral Selection (processes 7 and 9, retired)", Codec.JPEG, True),
    ("1.2.840.10008.1.2.4.55", "JPEG Full Progression (processes 10 and 12, retired)", Codec.JPEG, True),
    ("1.2.840.10008.1.2.4.56", "JPEG Full Progression (processes 11 and 13, retired)", Codec.JPEG, True),
    (JPEG_LOSSLESS, "JPEG Lossless", Codec.JPEG_LOSSLESS, False),
    ("1.2.840.10008.1.2.4.58", "JPEG Lossless (process 15, retired)", Codec.JPEG_LOSSLESS, False),
    (JPEG_LOSSLESS_SV1, "JPEG Lossless, First-Order Prediction", Codec.JPEG_LOSSLESS, False),
    (JPEG_LS_LOSSLESS, "JPEG-LS Lossless", Codec.JPEG_LS, False),
    (JPEG_LS_NEAR_LOSSLESS, "JPEG-LS Near-Lossless", Codec.JPEG_LS, True),
    (JPEG_2000_LOSSLESS, "JPEG 2000 Lossless", Codec.JPEG_2000, False),
    (JPEG_2000, "JPEG 2000", Codec.JPEG_2000, True),
    ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Lossless", Codec.JPEG_2000, False),
    ("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2", Codec.JPEG_2000, True),
    ("1.2.840.10008.1.2.4.100", "MPEG-2 Main Profile", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.100.1", "Fragmentable MPEG-2 Main Profile", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.101", "MPEG-2 High Level", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.101.1", "Fragmentable MPEG-2 High Level", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High 4.2 for 2D Video", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.104.1", "Fragmentable MPEG-4 AVC/H.264 High 4.2 for 2D Video", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High 4.2 for 3D Video", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.105.1", "Fragmentable MPEG-4 AVC/H.264 High 4.2 for 3D Video", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile", Codec.VIDEO, True),
    ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", Codec.JPEG_XL, False),
    ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", Codec.JPEG_XL, True),
    ("1.2.840.10008.1.2.4.112", "JPEG XL", Codec.JPEG_XL, True),
    (HTJ2K_LOSSLESS, "High-Throughput JPEG 2000 Lossless", Codec.HTJ2K, False),
    (HTJ2K_LOSSLESS_RPCL, "High-Throughput JPEG 2000 Lossless, RPCL", Codec.HTJ2K, False),
    (HTJ2K, "High-Throughput JPEG 2000", Codec.HTJ2K, True),
)

_WITHOUT_PIXELS: Final = (
    TransferSyntax("1.2.840.10008.1.2.4.94", "JPIP Referenced", Codec.OTHER),
    TransferSyntax("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", Codec.OTHER, deflated=True),
    TransferSyntax("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Codec.OTHER),
    TransferSyntax("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", Codec.OTHER, deflated=True),
    TransferSyntax("1.2.840.10008.1.2.7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video", Codec.OTHER),
    TransferSyntax("1.2.840.10008.1.2.7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video", Codec.OTHER),
    TransferSyntax("1.2.840.10008.1.2.7.3", "SMPTE ST 2110-30 PCM Digital Audio", Codec.OTHER),
)

TRANSFER_SYNTAXES: Final = {
    syntax.uid: syntax
    for syntax in (
        *_NATIVE_SYNTAXES,
        *(TransferSyntax(uid, name, codec, lossy, encapsulated=True) for uid, name, codec, lossy in _COMPRESSED),
        *_WITHOUT_PIXELS,
    )
}
"""Every transfer syntax that this software knows, by UID."""


def transfer_syntax(uid: str) -> TransferSyntax:
    """What is known of a UID; an unknown one counts as explicit VR little endian of no known codec (PS3.5 10.1)."""
    known = TRANSFER_SYNTAXES.get(uid)
    return known if known is not None else TransferSyntax(uid, f"Transfer syntax {uid}", Codec.OTHER)


def name_of(transfer_syntax_uid: str) -> str:
    """Name for people."""
    return transfer_syntax(transfer_syntax_uid).name


def is_encapsulated(transfer_syntax_uid: str) -> bool:
    """Whether pixel data comes as a sequence of fragments (PS3.5 A.4)."""
    return transfer_syntax(transfer_syntax_uid).encapsulated


def is_implicit(transfer_syntax_uid: str) -> bool:
    """Whether elements carry no VR."""
    return transfer_syntax(transfer_syntax_uid).implicit_vr


def is_big_endian(transfer_syntax_uid: str) -> bool:
    """Whether the data set is big endian."""
    return transfer_syntax(transfer_syntax_uid).big_endian


def is_deflated(transfer_syntax_uid: str) -> bool:
    """Whether the whole data set is deflated (PS3.5 A.5)."""
    return transfer_syntax(transfer_syntax_uid).deflated


def is_video(transfer_syntax_uid: str) -> bool:
    """Whether all frames are one video stream."""
    return transfer_syntax(transfer_syntax_uid).codec is Codec.VIDEO
