"""What one image may ask for. Checked against headers and code streams before anything is allocated."""

from __future__ import annotations

from typing import Final

from archive.errors import CannotDecode
from archive.pixels.description import ImageDescription

MAXIMUM_FRAME_BYTES: Final = 512 << 20
"""Rows x columns x samples of one decoded frame, in bytes. The largest radiographs have 40 MiB."""

MAXIMUM_ENCODED_FRAME_BYTES: Final = 1 << 30
"""Bytes of one frame as it lies in the file."""

EXPANSION_FREE_BYTES: Final = 16 << 20
"""Decoded frames up to this size may come from any number of bytes: an empty slice is one run of zeros."""

MAXIMUM_EXPANSION: Final = 4096
"""Decoded bytes for each encoded one in larger frames. JPEG-LS of an empty 4096 x 4096 image reaches about 2000."""

MAXIMUM_INFLATED_BYTES: Final = 1 << 30
"""Data sets that are deflated as a whole are inflated from their start for each frame; larger ones are not drawn."""

MISSING_FRAMES_SHOWN: Final = 1024
"""Frames that a file claims and does not hold are shown as missing, up to this many or as many as it holds."""

RLE_BYTES_A_BYTE: Final = 64
"""Two bytes of RLE stand for at most 128 (PS3.5 G.3.1)."""

DCT_BLOCK_BITS: Final = 2
"""A block of 8 x 8 pixels takes at least a code for its mean and one for its end (ISO/IEC 10918-1 F.1.2)."""

BITS_ALLOCATED: Final = frozenset({1, 8, 12, 16, 32, 64})
"""Sizes of a pixel cell (PS3.5 8.1.1; 12 is retired and packed)."""


def decoded_bytes(description: ImageDescription) -> int:
    """Bytes of one decoded frame; cells of 1 bit take a byte, of 12 bits two."""
    cell = {1: 1, 12: 2}.get(description.bits_allocated, description.bits_allocated // 8)
    return description.rows * description.columns * description.samples_per_pixel * cell


def check_image_plane(description: ImageDescription) -> None:
    """Refuse what no decoder should be asked for.

    Raises
    ------
    CannotDecode
        Rows, columns, samples or bits make no sense, or the frame is larger than the limit.
    """
    if not (0 < description.rows <= 65535 and 0 < description.columns <= 65535):
        raise CannotDecode("The image has no rows or no columns.")
    if description.samples_per_pixel not in (1, 3, 4):
        raise CannotDecode(f"The image has {description.samples_per_pixel} samples a pixel; 1, 3 and 4 are drawn.")
    if description.bits_allocated not in BITS_ALLOCATED:
        raise CannotDecode(f"Pixels of {description.bits_allocated} allocated bits are not drawn.")
    if not 0 < description.bits_stored <= description.bits_allocated:
        raise CannotDecode(
            f"{description.bits_stored} stored bits do not fit into {description.bits_allocated} allocated ones."
        )
    if not description.bits_stored - 1 <= description.high_bit < description.bits_allocated:
        raise CannotDecode(f"High bit {description.high_bit} does not fit {description.bits_stored} stored bits.")
    size = decoded_bytes(description)
    if size > MAXIMUM_FRAME_BYTES:
        raise CannotDecode(
            f"A frame of {description.rows} x {description.columns} pixels takes {size} bytes; "
            f"at most {MAXIMUM_FRAME_BYTES} are drawn."
        )


def frames_shown(claimed: int, held: int) -> int:
    """Frames of an instance that are shown: those that its file holds, and missing ones within reason."""
    return min(claimed, held + max(held, MISSING_FRAMES_SHOWN))


def check_bits(needed: int, encoded_bytes: int) -> None:
    """Refuse a code stream that is too short for its picture, whatever stands in it.

    Raises
    ------
    CannotDecode
        More bits are needed than there are.
    """
    if needed > 8 * encoded_bytes:
        raise CannotDecode(f"The code stream is cut short: it needs at least {(needed + 7) // 8} bytes.")


def check_expansion(description: ImageDescription, encoded_bytes: int) -> None:
    """Refuse a frame whose few bytes claim to be a huge picture.

    Raises
    ------
    CannotDecode
        More than ``MAXIMUM_EXPANSION`` decoded bytes for each encoded one.
    """
    size = decoded_bytes(description)
    if size > EXPANSION_FREE_BYTES and size > encoded_bytes * MAXIMUM_EXPANSION:
        raise CannotDecode(f"{encoded_bytes} bytes cannot hold a frame of {size} bytes.")
