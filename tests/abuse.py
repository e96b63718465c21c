"""Images that were made to do harm, and what is said to each: for tests of the codecs, of tiles, and the benchmark.

Small files all of them; what they claim is large, contradicts itself, or never ends.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import imagecodecs
import numpy as np
from PIL import Image
from pydicom import Dataset

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset_from, read_file_meta
from archive.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    EXPLICIT_VR_LITTLE_ENDIAN,
    HTJ2K_LOSSLESS,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    RLE_LOSSLESS,
)
from archive.dicom.uids import new_uid
from archive.pixels.decode import DecodedFrame, decode_frame
from archive.pixels.describe import describe
from archive.pixels.frames import index_frames
from tests.phantoms import (
    color_image,
    ct_image,
    image,
    multi_frame,
    palette_image,
    ramp,
    to_part10_bytes,
    with_encapsulated,
)

JPEG_PROGRESSIVE: Final = "1.2.840.10008.1.2.4.55"
JPEG_XL_LOSSLESS: Final = "1.2.840.10008.1.2.4.110"
SIDE: Final = 512
"""Rows and columns of data sets that say something reasonable."""


@dataclass(frozen=True)
class Abuse:
    """One image."""

    name: str
    make: Callable[[], Dataset]
    transfer_syntax_uid: str = EXPLICIT_VR_LITTLE_ENDIAN
    frame: int = 1
    """The frame that is asked for."""
    answer: str = ""
    """Words of the refusal; empty where there is a picture."""

    def data_set(self) -> Dataset:
        """The data set, in a series of its own."""
        ds = self.make()
        ds.SeriesInstanceUID = new_uid()
        ds.InstanceNumber = 1
        return ds

    def file(self) -> bytes:
        """The whole file."""
        return to_part10_bytes(self.data_set(), self.transfer_syntax_uid)


def draw(file: bytes, frame_number: int) -> tuple[DecodedFrame, tuple[int, int]]:
    """Index a file and decode a frame, as the archive does; also rows and columns of the data set."""
    stream = io.BytesIO(file)
    meta = read_file_meta(stream)
    header = scan_header(stream, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    description = describe(read_dataset_from(stream))
    place = index_frames(stream, header, description, meta.transfer_syntax_uid).place(frame_number)
    data = b"".join(file[offset : offset + length] for offset, length in place.pieces)
    syntax = meta.transfer_syntax_uid
    decoded = decode_frame(data, transfer_syntax_uid=syntax, description=description, frame_number=frame_number)
    return decoded, (description.rows, description.columns)


def claiming(rows: int, columns: int, stream: bytes, *, bits: int = 8, samples: int = 1) -> Dataset:
    """A data set of this size around a code stream."""
    values = np.zeros((4, 4, 3) if samples == 3 else (4, 4), np.uint8)
    ds = color_image(values) if samples == 3 else image(values, BitsAllocated=bits)
    ds.Rows, ds.Columns = rows, columns
    return with_encapsulated(ds, [[stream]])


def noise(rows: int = SIDE, columns: int = SIDE) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (rows, columns)).astype(np.uint8)


# --- JPEG -------------------------------------------------------------------------------------------------------------


def jpeg_of_1_kib(rows: int, columns: int) -> bytes:
    """A baseline JPEG whose frame header claims a size, cut to 1 KiB with an end marker."""
    data = bytearray(imagecodecs.jpeg8_encode(noise(96, 96), level=90))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, rows, columns)
    return bytes(data[:1022]) + b"\xff\xd9"


def cut_but_ended(stream: bytes) -> bytes:
    """Half of a stream, with the end marker that makes it look whole."""
    return stream[: len(stream) // 2] + b"\xff\xd9"


def progressive(rows: int, columns: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each goes over the whole image."""
    ramps = np.add.outer(np.arange(rows), np.arange(columns)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(ramps).save(file, "JPEG", quality=50, progressive=True)
    data = file.getvalue()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * (scans - data.count(b"\xff\xda")) + data[end:]


def two_frames_and_half(cut: Callable[[bytes], bytes]) -> Dataset:
    """Three JPEG frames, the last of which is not whole."""
    ds = multi_frame(3, rows=64, columns=64)
    streams = [bytes(imagecodecs.jpeg8_encode(np.roll(noise(64, 64), shift), level=90)) for shift in range(3)]
    return with_encapsulated(ds, [[streams[0]], [streams[1]], [cut(streams[2])]])


# --- Others -----------------------------------------------------------------------------------------------------------


def jpeg_2000(**values: int) -> bytes:
    """A JPEG 2000 stream with other numbers in its SIZ segment: right, bottom, tile_width, tile_height, components."""
    return with_sizes(imagecodecs.jpeg2k_encode(noise(64, 64), level=0, codecformat="J2K"), values)


def htj2k(**values: int) -> bytes:
    """The same of an HTJ2K stream."""
    return with_sizes(imagecodecs.htj2k_encode(noise(64, 64), reversible=True), values)


def with_sizes(stream: bytes, values: dict[str, int]) -> bytes:
    """Write over numbers of a SIZ segment that follows the start of the stream at once (ISO/IEC 15444-1 A.5.1)."""
    data = bytearray(stream)
    places = {"right": 8, "bottom": 12, "tile_width": 24, "tile_height": 28}
    for name, value in values.items():
        struct.pack_into(">I", data, places[name], value)
    return bytes(data)


def jpeg_ls_of(rows: int, columns: int) -> bytes:
    """A JPEG-LS stream of 64 x 64 pixels whose frame header claims a size (ISO/IEC 14495-1 C.2.2)."""
    data = bytearray(imagecodecs.jpegls_encode(noise(64, 64)))
    struct.pack_into(">HH", data, data.index(b"\xff\xf7") + 5, rows, columns)
    return bytes(data)


def rle(offsets: tuple[int, ...], body: bytes) -> bytes:
    """An RLE frame with these segment offsets (PS3.5 G.5)."""
    return struct.pack("<16I", len(offsets), *offsets, *[0] * (15 - len(offsets))) + body


def jpeg_xl_of(rows: int, columns: int) -> bytes:
    """A bare JPEG XL code stream whose size header claims this (ISO/IEC 18181-1 D.3), with nothing behind it."""
    bits, length = 0, 0
    for value, count in ((0, 1), (3, 2), (rows - 1, 30), (0, 3), (3, 2), (columns - 1, 30)):
        bits |= value << length
        length += count
    return b"\xff\x0a" + bits.to_bytes(9, "little") + bytes(60)


def overlay_of_millions(ds: Dataset) -> Dataset:
    """Add an overlay a thousand times larger than its image, whose pixels are all set."""
    rows, columns = 4096, 4096
    for element, vr, value in (
        (0x0010, "US", rows), (0x0011, "US", columns), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]),
        (0x0100, "US", 1), (0x0102, "US", 0), (0x3000, "OW", b"\xff" * (rows * columns // 8)),
    ):  # fmt: skip
        ds.add_new(0x60000000 | element, vr, value)
    return ds


def truncated_native() -> Dataset:
    """Three frames are claimed, two and a half are there."""
    ds = multi_frame(3, rows=64, columns=64)
    ds.PixelData = ds.PixelData[: 64 * 64 * 5 // 2]
    return ds


def segmented_palette() -> Dataset:
    """Tables whose segments refer to others that are long themselves (PS3.3 C.7.9.2)."""
    ds = palette_image(np.arange(256).reshape(16, 16), entries=[[0]] * 3)
    # A discrete and a linear segment of 65,535 entries, then that again, very often.
    ramp_of_all = struct.pack("<HHH", 0, 1, 7) + struct.pack("<HHH", 1, 0xFFFF, 0xFFFF)
    again = struct.pack("<HHHH", 2, 0xFFFF, 0, 0) * 4000
    for color in ("Red", "Green", "Blue"):
        delattr(ds, f"{color}PaletteColorLookupTableData")
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [0, 0, 16])
        setattr(ds, f"Segmented{color}PaletteColorLookupTableData", ramp_of_all + again)
    return ds


def seven_samples() -> Dataset:
    """More samples a pixel than any photometric interpretation has."""
    ds = ct_image(ramp(start=1000))
    ds.SamplesPerPixel = 7
    return ds


def ct(**attributes: Any) -> Callable[[], Dataset]:
    """A CT image with odd attributes."""
    return lambda: ct_image(ramp(start=1000), **attributes)


ABUSES: Final = (
    Abuse(
        "JPEG of 1 KiB, 65500 x 65500 in both",
        lambda: claiming(65500, 65500, jpeg_of_1_kib(65500, 65500)),
        JPEG_BASELINE,
        answer="A frame of 65500 x 65500 pixels takes 4290250000 bytes",
    ),
    Abuse(
        "JPEG of 1 KiB, 65500 x 65500 in the stream",
        lambda: claiming(SIDE, SIDE, jpeg_of_1_kib(65500, 65500)),
        JPEG_BASELINE,
        answer="The code stream holds 65500 x 65500 pixels",
    ),
    Abuse(
        "JPEG of 1 KiB, 4000 x 4000 in both",
        lambda: claiming(4000, 4000, jpeg_of_1_kib(4000, 4000)),
        JPEG_BASELINE,
        answer="it needs at least 62500 bytes",
    ),
    Abuse(
        "JPEG cut in half with an end marker",
        lambda: claiming(SIDE, SIDE, cut_but_ended(bytes(imagecodecs.jpeg8_encode(noise(), level=90)))),
        JPEG_BASELINE,
        answer="the end of the picture is missing",
    ),
    Abuse(
        "JPEG lossless cut in half with an end marker",
        lambda: claiming(SIDE, SIDE, cut_but_ended(bytes(imagecodecs.jpeg8_encode(noise(), lossless=True)))),
        JPEG_LOSSLESS_SV1,
        answer="the end of the picture is missing",
    ),
    Abuse(
        "JPEG of 500 scans",
        lambda: claiming(SIDE, SIDE, progressive(SIDE, SIDE, 500)),
        JPEG_PROGRESSIVE,
        answer="has 500 scans; at most 100 are decoded",
    ),
    Abuse(
        "JPEG of 100 scans over 4000 x 4000 pixels",
        lambda: claiming(4000, 4000, progressive(4000, 4000, 100)),
        JPEG_PROGRESSIVE,
        answer="has 100 scans, too many for 4000 x 4000 pixels",
    ),
    Abuse(
        "JPEG of 100 scans over 1000 x 1000 pixels",
        lambda: claiming(1000, 1000, progressive(1000, 1000, 100)),
        JPEG_PROGRESSIVE,
        # The scan that comes again refines what it has refined already, and runs out of bits.
        answer="the end of the picture is missing",
    ),
    Abuse(
        "last JPEG frame cut",
        lambda: two_frames_and_half(lambda stream: stream[: len(stream) // 2]),
        JPEG_BASELINE,
        frame=3,
        answer="its end is missing",
    ),
    Abuse(
        "last JPEG frame cut with an end marker",
        lambda: two_frames_and_half(cut_but_ended),
        JPEG_BASELINE,
        frame=3,
        answer="the end of the picture is missing",
    ),
    Abuse(
        "JPEG 2000 of 2^31 x 2^31",
        lambda: claiming(64, 64, jpeg_2000(right=1 << 31, bottom=1 << 31, tile_width=1 << 31, tile_height=1 << 31)),
        JPEG_2000_LOSSLESS,
        answer="The code stream holds 2147483648 x 2147483648 pixels",
    ),
    Abuse(
        "JPEG 2000 of tiles of one pixel",
        lambda: claiming(4096, 4096, jpeg_2000(right=4096, bottom=4096, tile_width=1, tile_height=1)),
        JPEG_2000_LOSSLESS,
        answer="has 16777216 tiles",
    ),
    Abuse(
        "HTJ2K cut in half with an end marker",
        lambda: claiming(SIDE, SIDE, cut_but_ended(bytes(imagecodecs.htj2k_encode(noise(), reversible=True)))),
        HTJ2K_LOSSLESS,
        answer="its end is missing",
    ),
    Abuse(
        "HTJ2K of 2^31 x 2^31",
        lambda: claiming(64, 64, htj2k(right=1 << 31, bottom=1 << 31, tile_width=1 << 31, tile_height=1 << 31)),
        HTJ2K_LOSSLESS,
        answer="The code stream holds 2147483648 x 2147483648 pixels",
    ),
    Abuse(
        "HTJ2K of 8192 x 8192 in both",
        lambda: claiming(8192, 8192, htj2k(right=8192, bottom=8192, tile_width=8192, tile_height=8192)),
        HTJ2K_LOSSLESS,
        answer="cannot hold a frame of 67108864 bytes",
    ),
    Abuse(
        "JPEG XL of 2^30 x 2^30",
        lambda: claiming(SIDE, SIDE, jpeg_xl_of(1 << 30, 1 << 30)),
        JPEG_XL_LOSSLESS,
        answer="The code stream holds 1073741824 x 1073741824 pixels",
    ),
    Abuse(
        "JPEG XL of 20000 x 20000 in both",
        lambda: claiming(20000, 20000, jpeg_xl_of(20000, 20000)),
        JPEG_XL_LOSSLESS,
        answer="cannot hold a frame of 400000000 bytes",
    ),
    Abuse(
        "JPEG-LS of 65500 x 65500 in the stream",
        lambda: claiming(SIDE, SIDE, jpeg_ls_of(65500, 65500)),
        JPEG_LS_LOSSLESS,
        answer="The code stream holds 65500 x 65500 pixels",
    ),
    Abuse(
        "JPEG-LS of 20000 x 20000 in both",
        lambda: claiming(20000, 20000, jpeg_ls_of(20000, 20000)),
        JPEG_LS_LOSSLESS,
        answer="cannot hold a frame of 400000000 bytes",
    ),
    Abuse(
        "JPEG-LS of one run over 4096 x 4096 pixels",
        lambda: claiming(4096, 4096, bytes(imagecodecs.jpegls_encode(np.zeros((4096, 4096), np.uint8)))),
        JPEG_LS_LOSSLESS,
    ),
    Abuse(
        "JPEG-LS of a run that is cut",
        lambda: claiming(
            4096, 4096, bytes(imagecodecs.jpegls_encode(np.zeros((4096, 4096), np.uint8)))[:512] + b"\xff\xd9"
        ),
        JPEG_LS_LOSSLESS,
        answer="stream is damaged",
    ),
    Abuse(
        "RLE with offsets behind its end",
        lambda: claiming(SIDE, SIDE, rle((64, 1 << 31), bytes(1000)), bits=16),
        RLE_LOSSLESS,
        answer="its segments do not follow each other",
    ),
    Abuse(
        "RLE with segments upon each other",
        lambda: claiming(SIDE, SIDE, rle((64, 64), bytes(1000)), bits=16),
        RLE_LOSSLESS,
        answer="its segments do not follow each other",
    ),
    Abuse(
        "RLE too short for its pixels",
        lambda: claiming(4096, 4096, rle((64,), b"\x81\x00" * 500)),
        RLE_LOSSLESS,
        answer="it needs at least 262144 bytes",
    ),
    Abuse(
        "deflated frame that never ends",
        lambda: claiming(64, 64, _deflated(bytes(50 << 20))),
        DEFLATED_IMAGE_FRAME,
    ),
    Abuse("last native frame cut", truncated_native, frame=3, answer="Frame 3 does not exist: the file holds 2"),
    Abuse(
        "a million frames claimed",
        lambda: ct_image(ramp(start=1000), NumberOfFrames=1 << 20),
        frame=2,
        answer="Frame 2 does not exist: the file holds 1",
    ),
    Abuse("palette indices outside", lambda: palette_image(ramp() % 256, entries=[[0, 65535]] * 3)),
    Abuse("palette of segments of segments", segmented_palette),
    Abuse("overlay of millions of pixels", lambda: overlay_of_millions(ct_image(ramp(start=1000)))),
    Abuse("windows that are no numbers", ct(WindowCenter=float("nan"), WindowWidth=float("nan"))),
    Abuse("endless window", ct(WindowCenter=float("inf"), WindowWidth=float("inf"))),
    Abuse("window without width", ct(WindowCenter=40, WindowWidth=0)),
    Abuse("slope 0", ct(RescaleSlope=0)),
    Abuse("slope of 1e308", ct(RescaleSlope=1e308, RescaleIntercept=-1e308)),
    Abuse("no bits", ct(BitsStored=0, HighBit=65535), answer="0 stored bits do not fit"),
    Abuse("seven samples", seven_samples, answer="7 samples a pixel"),
)


def _deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()
