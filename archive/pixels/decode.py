"""Encoded bytes of one frame into stored values, for every transfer syntax that is drawn.

Sizes in the code stream are compared with the data set before a codec runs, so a
hostile stream cannot ask for more memory than its data set was allowed. Codecs that
damaged streams can end or keep busy run in a child (``child``); those of native
pixels, RLE, sequential JPEG and JPEG-LS bore every mutation and run here, into
zeroed memory. Colours leave here as RGB where the codec converts on its way, else
as they are stored; ``photometric_interpretation`` says which.

Source: PS3.5 8 (native and encapsulated pixel data), PS3.3 C.7.6.3.1.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from archive.dicom.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    GE_PRIVATE_BIG_ENDIAN_PIXELS,
    Codec,
    TransferSyntax,
    transfer_syntax,
)
from archive.errors import CannotDecode
from archive.pixels.child import CodecRefused, Request, decode_in_child
from archive.pixels.codestreams import (
    JPEG_LS_SOF,
    SEQUENTIAL_SOF,
    CodeStream,
    read_jpeg,
    read_jpeg_2000,
    read_jpeg_xl,
    read_rle_segments,
)
from archive.pixels.description import ImageDescription
from archive.pixels.frames import native_frame_bits
from archive.pixels.limits import (
    DCT_BLOCK_BITS,
    RLE_BYTES_A_BYTE,
    check_bits,
    check_expansion,
    check_image_plane,
    decoded_bytes,
)
from archive.pixels.whole_jpeg import check_whole

BIG_ENDIAN_PIXELS: Final = frozenset({EXPLICIT_VR_BIG_ENDIAN, GE_PRIVATE_BIG_ENDIAN_PIXELS})

_CODEC_ERRORS: Final = (RuntimeError, ValueError, TypeError, OverflowError, IndexError, MemoryError)
"""What imagecodecs raises for a damaged stream; its own errors are RuntimeErrors."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame."""

    values: NDArray[Any]
    """Stored values, (rows, columns) or (rows, columns, samples), signed where they are; may be read-only."""
    photometric_interpretation: str
    """Of these values, which need not be that of the file: a codec may have converted YBR to RGB."""
    cells: NDArray[np.unsignedinteger] | None = None
    """Whole pixel cells as unsigned numbers, where overlays lie in their unused bits; else None."""


def decode_frame(
    data: bytes, *, transfer_syntax_uid: str, description: ImageDescription, frame_number: int = 1
) -> DecodedFrame:
    """Decode the bytes that ``read_frame`` gave.

    Parameters
    ----------
    frame_number
        From 1; only for the error's sentence.

    Raises
    ------
    CannotDecode
        An unsupported transfer syntax, a damaged stream, or one whose sizes are not the data set's.
    """
    check_image_plane(description)
    syntax = transfer_syntax(transfer_syntax_uid)
    decoder = _DECODERS.get(syntax.codec)
    if decoder is None:
        raise CannotDecode(f"{syntax.name} is kept and can be downloaded, but is not drawn.")
    check_expansion(description, len(data))
    try:
        return decoder(data, description, syntax)
    except CannotDecode:
        raise
    except _CODEC_ERRORS as error:
        kind = error.kind if isinstance(error, CodecRefused) else type(error).__name__
        raise CannotDecode(
            f"Frame {frame_number} cannot be decoded: its {syntax.name} stream is damaged ({kind})."
        ) from None


def _shape(description: ImageDescription) -> tuple[int, ...]:
    if description.samples_per_pixel == 1:
        return description.rows, description.columns
    return description.rows, description.columns, description.samples_per_pixel


# Native pixels (PS3.5 8.1, 8.2)


def _decode_native(data: bytes, description: ImageDescription, syntax: TransferSyntax) -> DecodedFrame:
    big_endian = syntax.uid in BIG_ENDIAN_PIXELS
    bits = native_frame_bits(description, len(data) * 8)
    if len(data) * 8 < bits:
        raise CannotDecode(f"The frame needs {(bits + 7) // 8} bytes, but has {len(data)}.")
    if description.pixel_keyword != "PixelData":
        return _decode_float(data, description, big_endian=big_endian)
    full = description.rows * description.columns * description.samples_per_pixel * description.bits_allocated
    if bits < full:
        return _decode_subsampled(data, description)
    return _from_cells(_native_cells(data, description, big_endian=big_endian), description)


def _decode_float(data: bytes, description: ImageDescription, *, big_endian: bool) -> DecodedFrame:
    """Float or Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25)."""
    size = 4 if description.pixel_keyword == "FloatPixelData" else 8
    if description.bits_allocated != 8 * size:
        raise CannotDecode(f"{description.pixel_keyword} with {description.bits_allocated} allocated bits.")
    count = description.rows * description.columns * description.samples_per_pixel
    values = np.frombuffer(data, f"<f{size}" if not big_endian else f">f{size}", count)
    return DecodedFrame(_in_native_order(values).reshape(_shape(description)), description.photometric_interpretation)


def _native_cells(data: bytes, description: ImageDescription, *, big_endian: bool) -> NDArray[np.unsignedinteger]:
    """Pixel cells as unsigned numbers, samples last; a view on the bytes where it can be."""
    count = description.rows * description.columns * description.samples_per_pixel
    bits = description.bits_allocated
    if bits == 1:
        flat: NDArray[Any] = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little")
    elif bits == 12:
        flat = _unpack_12(data, count)
    else:
        flat = _in_native_order(np.frombuffer(data, f"{'>' if big_endian else '<'}u{bits // 8}", count))
    if description.samples_per_pixel > 1 and description.planar_configuration == 1:
        planes = flat.reshape(description.samples_per_pixel, description.rows, description.columns)
        return np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    return flat.reshape(_shape(description))


def _in_native_order(values: NDArray[Any]) -> NDArray[Any]:
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def _unpack_12(data: bytes, count: int) -> NDArray[np.uint16]:
    """Cells of 12 bits, two in three bytes, the first in the low bits (PS3.5 8.1.1 of 2001, retired)."""
    pairs = (count + 1) // 2
    triples = np.frombuffer(data.ljust(3 * pairs, b"\0"), np.uint8, 3 * pairs).reshape(pairs, 3).astype(np.uint16)
    cells = np.empty((pairs, 2), np.uint16)
    cells[:, 0] = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    cells[:, 1] = triples[:, 1] >> 4 | triples[:, 2] << 4
    return cells.reshape(-1)[:count]


def _decode_subsampled(data: bytes, description: ImageDescription) -> DecodedFrame:
    """Native 4:2:2 (PS3.3 C.7.6.3.1.2): two lumas, then the chroma that the two pixels share."""
    name = description.photometric_interpretation
    if not name.endswith("_422") or description.bits_allocated != 8 or description.columns % 2:
        raise CannotDecode(f"Native {name} pixels of this size are not drawn.")
    quads = np.frombuffer(data, np.uint8, description.rows * description.columns * 2).reshape(-1, 4)
    values = np.empty((len(quads), 2, 3), np.uint8)
    values[:, :, 0] = quads[:, :2]
    values[:, :, 1:] = quads[:, np.newaxis, 2:]
    return DecodedFrame(
        values.reshape(description.rows, description.columns, 3),
        "YBR_FULL" if name == "YBR_FULL_422" else name,
    )


def _from_cells(
    cells: NDArray[np.unsignedinteger], description: ImageDescription, photometric_interpretation: str | None = None
) -> DecodedFrame:
    """Stored values out of whole cells: the bits up to High Bit, sign extended (PS3.5 8.1.1)."""
    signed = description.pixel_representation == 1 and description.bits_allocated > 1
    return DecodedFrame(
        stored_values(cells, description.bits_stored, description.high_bit, signed=signed),
        photometric_interpretation or description.photometric_interpretation,
        cells if any(plane.bits is None for plane in description.overlays) else None,
    )


def stored_values(cells: NDArray[np.unsignedinteger], bits_stored: int, high_bit: int, *, signed: bool) -> NDArray[Any]:
    """Cut stored values out of unsigned cells; a view where the whole cell is the value.

    >>> stored_values(np.array([0xF801, 0x07FF], np.uint16), 12, 11, signed=True).tolist()
    [-2047, 2047]
    """
    width = cells.dtype.itemsize * 8
    kind = np.dtype(f"i{cells.dtype.itemsize}") if signed else cells.dtype
    above = width - 1 - high_bit
    if bits_stored >= width and above == 0:
        return cells.view(kind)
    if signed:
        return (cells << above if above else cells).view(kind) >> (width - bits_stored)
    below = high_bit + 1 - bits_stored
    return (cells >> below if below else cells) & cells.dtype.type((1 << bits_stored) - 1)


# Encapsulated pixels (PS3.5 8.2.1 to 8.2.16)


def _decode_deflated(data: bytes, description: ImageDescription, syntax: TransferSyntax) -> DecodedFrame:
    """A frame deflated on its own (PS3.5 8.2.16), inflated no further than the frame is large."""
    size = (native_frame_bits(description) + 7) // 8
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(data, size)
    except zlib.error:
        raise CannotDecode("The deflated frame is damaged.") from None
    return _decode_native(inflated, description, syntax)


def _decode_rle(data: bytes, description: ImageDescription, _syntax: TransferSyntax) -> DecodedFrame:
    """RLE (PS3.5 G): a segment for each byte of each sample, the most significant first."""
    if description.bits_allocated not in (8, 16, 32):
        raise CannotDecode(f"RLE of {description.bits_allocated} allocated bits is not decoded.")
    cell_bytes = description.bits_allocated // 8
    expected = description.samples_per_pixel * cell_bytes
    segments = read_rle_segments(data)
    if len(segments) != expected:
        raise CannotDecode(f"The RLE frame has {len(segments)} segments; {expected} are needed.")
    pixels = description.rows * description.columns
    for _start, length in segments:
        check_bits(8 * pixels // RLE_BYTES_A_BYTE, length)
    planes = np.empty((description.samples_per_pixel, pixels, cell_bytes), np.uint8)
    for number, (start, length) in enumerate(segments):
        sample, byte = divmod(number, cell_bytes)
        plane = _unpack_bits(data[start : start + length], pixels)
        # Low bytes come last in the file and first in a little-endian number.
        planes[sample, :, cell_bytes - 1 - byte] = np.frombuffer(plane, np.uint8)
    cells = planes.view(f"<u{cell_bytes}")[:, :, 0]
    shaped = cells[0] if len(cells) == 1 else np.ascontiguousarray(cells.T)
    name = description.photometric_interpretation
    return _from_cells(shaped.reshape(_shape(description)), description, "YBR_FULL" if name == "YBR_FULL_422" else name)


def _unpack_bits(segment: bytes, pixels: int) -> bytes | bytearray:
    """One RLE segment. The byte that makes it even need not be 0: then it looks like a run that is cut short."""
    try:
        plane: bytes | bytearray = imagecodecs.packbits_decode(segment, out=pixels)
    except RuntimeError:
        plane = imagecodecs.packbits_decode(segment[:-1], out=pixels)
    if len(plane) < pixels:
        raise CannotDecode("The RLE frame is cut short: a segment holds fewer bytes than there are pixels.")
    return plane


def _decode_jpeg(data: bytes, description: ImageDescription, syntax: TransferSyntax) -> DecodedFrame:
    """JPEG of every process (PS3.5 8.2.1), by what the stream is and not by which transfer syntax names it."""
    stream = read_jpeg(data)
    if stream.frame_type == JPEG_LS_SOF:
        return _decode_jpeg_ls(data, description, syntax)
    _check(stream, description)
    check_bits(_least_bits(stream), len(data))
    inside = outside = "GRAYSCALE" if stream.components == 1 else "UNKNOWN"
    name = description.photometric_interpretation
    if stream.components == 3:
        inside = "YCBCR" if is_jpeg_ybr(stream, name) else "RGB"
        # Lossless processes convert nothing; neither do we, so that every bit is what was stored.
        outside = inside if stream.is_lossless_jpeg else "RGB"
        name = "RGB" if outside == "RGB" else "YBR_FULL"

    def decode(stream_data: bytes) -> NDArray[Any]:
        return _jpeg_values(stream_data, stream, colorspace=inside, outcolorspace=outside)

    values = decode(data)
    check_whole(data, stream, values, decode)
    return _from_codec(values, stream, description, syntax, name)


def _least_bits(stream: CodeStream) -> int:
    """Coded bits that a sequential JPEG image cannot do without; a progressive one may skip whole blocks."""
    if stream.is_lossless_jpeg:
        return stream.rows * stream.columns
    if stream.frame_type not in SEQUENTIAL_SOF:
        return 0
    return -(-stream.rows // 8) * -(-stream.columns // 8) * DCT_BLOCK_BITS


def _jpeg_values(data: bytes, stream: CodeStream, **spaces: Any) -> NDArray[Any]:
    # Each scan goes over the whole image: only as many as there are components are decoded without a limit of time.
    if stream.frame_type in SEQUENTIAL_SOF and stream.scans <= stream.components:
        values: NDArray[Any] = imagecodecs.jpeg8_decode(data, out=_out(stream), **spaces)
        return values
    return _in_child("jpeg8_decode", data, stream, **spaces)


def _in_child(codec: str, data: bytes, stream: CodeStream, **options: Any) -> NDArray[Any]:
    shape, dtype = _layout(stream)
    size = math.prod(shape) * dtype.itemsize
    return decode_in_child(Request(codec, shape, dtype.str, size, options), data)


def is_jpeg_ybr(stream: CodeStream, photometric_interpretation: str) -> bool:
    """Whether three components are YCbCr.

    The stream's own markers win, as every writer of them means them; without one the
    data set says. RGB with subsampled components does not exist: then the data set is wrong.
    """
    if stream.is_lossless_jpeg:
        return photometric_interpretation.startswith("YBR")
    if stream.adobe_transform is not None:
        return stream.adobe_transform != 0
    if stream.component_identifiers == b"RGB":
        return False
    if stream.has_jfif or stream.is_subsampled:
        return True
    return photometric_interpretation.startswith("YBR")


def _decode_jpeg_ls(data: bytes, description: ImageDescription, syntax: TransferSyntax) -> DecodedFrame:
    stream = read_jpeg(data)
    if stream.frame_type != JPEG_LS_SOF:
        return _decode_jpeg(data, description, syntax)
    _check(stream, description)
    values = imagecodecs.jpegls_decode(data, out=_out(stream))
    name = description.photometric_interpretation
    return _from_codec(values, stream, description, syntax, "RGB" if name in ("YBR_RCT", "YBR_ICT") else name)


def _decode_jpeg_2000(data: bytes, description: ImageDescription, syntax: TransferSyntax) -> DecodedFrame:
    stream = read_jpeg_2000(data)
    _check(stream, description)
    if stream.is_high_throughput and stream.is_reversible and not syntax.lossy:
        # OpenJPH takes less than half the time of OpenJPEG. Where values were rounded, it lets them wrap around.
        values = _in_child("htj2k_decode", data, stream, planar=False)
    else:
        values = _in_child("jpeg2k_decode", data, stream, planar=False)
    name = description.photometric_interpretation
    if stream.components == 3:
        # Without the transform inside, YBR_FULL is what was compressed; YBR_RCT and YBR_ICT are then untrue.
        name = "YBR_FULL" if name.startswith("YBR_FULL") and not stream.is_color_transformed else "RGB"
    return _from_codec(values, stream, description, syntax, name)


def _decode_jpeg_xl(data: bytes, description: ImageDescription, syntax: TransferSyntax) -> DecodedFrame:
    size = read_jpeg_xl(data)
    if (size.rows, size.columns) != (description.rows, description.columns):
        _refuse_sizes(replace(size, components=description.samples_per_pixel), description)
    # The first picture only: an animation would take the memory of all.
    request = Request("jpegxl_decode", _shape(description), None, decoded_bytes(description), {"index": 0})
    values = decode_in_child(request, data)
    if values.dtype.kind != "u":
        raise CannotDecode("The JPEG XL stream has other samples than its data set says.")
    stream = CodeStream(size.rows, size.columns, description.samples_per_pixel, values.dtype.itemsize * 8)
    name = description.photometric_interpretation
    return _from_codec(values, stream, description, syntax, "RGB" if stream.components == 3 else name)


_DECODERS: Final[dict[Codec, Callable[[bytes, ImageDescription, TransferSyntax], DecodedFrame]]] = {
    Codec.NONE: _decode_native,
    Codec.DEFLATE: _decode_deflated,
    Codec.RLE: _decode_rle,
    Codec.JPEG: _decode_jpeg,
    Codec.JPEG_LOSSLESS: _decode_jpeg,
    Codec.JPEG_LS: _decode_jpeg_ls,
    Codec.JPEG_2000: _decode_jpeg_2000,
    Codec.HTJ2K: _decode_jpeg_2000,
    Codec.JPEG_XL: _decode_jpeg_xl,
}


def _check(stream: CodeStream, description: ImageDescription) -> None:
    """Compare a code stream with its data set before it is decoded."""
    expected = (description.rows, description.columns, description.samples_per_pixel)
    if (stream.rows, stream.columns, stream.components) != expected:
        _refuse_sizes(stream, description)
    if not 1 <= stream.precision <= description.bits_allocated:
        raise CannotDecode(
            f"The code stream has {stream.precision} bits a sample, the data set {description.bits_allocated}."
        )
    if not stream.is_complete:
        raise CannotDecode("The code stream is cut short: its end is missing.")


def _refuse_sizes(stream: CodeStream, description: ImageDescription) -> None:
    raise CannotDecode(
        f"The code stream holds {stream.rows} x {stream.columns} pixels of {stream.components} samples, "
        f"the data set says {description.rows} x {description.columns} of {description.samples_per_pixel}."
    )


def _layout(stream: CodeStream) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and kind of the samples that a codec gives."""
    size = 1 if stream.precision <= 8 else 2 if stream.precision <= 16 else 4
    shape = (stream.rows, stream.columns) + ((stream.components,) if stream.components > 1 else ())
    return shape, np.dtype(f"{'i' if stream.is_signed else 'u'}{size}")


def _out(stream: CodeStream) -> NDArray[Any]:
    """Memory that the codec decodes into; it refuses a stream of another shape. Zero, so that no other image shows."""
    return np.zeros(*_layout(stream))


def _from_codec(
    values: NDArray[Any], stream: CodeStream, description: ImageDescription, syntax: TransferSyntax, name: str
) -> DecodedFrame:
    """Stored values out of decoded samples, whose depth and sign are the code stream's."""
    signed = description.pixel_representation == 1
    unsigned = values.view(f"u{values.dtype.itemsize}")
    if stream.precision == description.bits_allocated > description.bits_stored and not syntax.lossy:
        # Whole cells were compressed, with whatever lies in their unused bits.
        return _from_cells(unsigned, description, name)
    if stream.is_signed == signed:
        return DecodedFrame(values, name)
    # The sign of the data set counts: streams of signed images are often written as unsigned.
    return DecodedFrame(stored_values(unsigned, stream.precision, stream.precision - 1, signed=signed), name)
