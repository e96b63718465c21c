"""Display values as JPEG, PNG or GIF (PS3.18 8.7.4), with an sRGB profile where one is asked for."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from viewer.errors import InvalidParameter
from viewer.rendering.media_types import GIF, JPEG, PNG
from viewer.rendering.png import encode_png

DEFAULT_QUALITY = 90
"""JPEG quality where none is asked for."""
FULL_CHROMA_FROM = 90
"""Quality from which on the chroma of colours is not subsampled."""
LOSSY = frozenset({JPEG})
WITH_PROFILE = frozenset({JPEG, PNG})
"""Media types that can carry an ICC profile."""
SHORTEST_FRAME_MS = 20
"""Browsers show shorter frames of a GIF for 100 ms."""
_COLORS = 256
_SAMPLED_ROWS = 8
"""One row of so many tells at once that a picture has too many colours."""
DEFAULT_FRAME_RATE = 10.0
"""Frames a second of an animation whose image says none."""


def encode_picture(
    image: NDArray[np.uint8], media_type: str, *, quality: int | None = None, with_profile: bool = False
) -> bytes:
    """Encode one picture.

    Parameters
    ----------
    image
        (rows, columns) grey or (rows, columns, 3) sRGB.
    quality
        1 to 100, for JPEG; ignored elsewhere.
    with_profile
        Embed an sRGB profile; a grey picture becomes RGB then, as the profile describes three channels.

    Raises
    ------
    InvalidParameter
        A profile in a format that cannot carry one (8.3.5.1.5).
    """
    if with_profile:
        check_profile(media_type)
        image = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
    if media_type == PNG:
        return encode_png(image, icc_profile=srgb_profile() if with_profile else None)
    if media_type == JPEG:
        return _jpeg(image, quality or DEFAULT_QUALITY, srgb_profile() if with_profile else None)
    if media_type == GIF:
        return encode_gif([image], frame_rate=None)
    raise ValueError(f"Pictures are not made as {media_type}.")


def check_profile(media_type: str) -> None:
    """Refuse a profile where the media type cannot carry one."""
    if media_type not in WITH_PROFILE:
        raise InvalidParameter("iccprofile", media_type, "no: this media type carries no ICC profile")


def _jpeg(image: NDArray[np.uint8], quality: int, icc_profile: bytes | None) -> bytes:
    """Baseline, 8 bit, Huffman (8.7.4)."""
    buffer = io.BytesIO()
    subsampling = 0 if quality >= FULL_CHROMA_FROM else 2
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.save(buffer, "JPEG", quality=quality, subsampling=subsampling, icc_profile=icc_profile)
    return buffer.getvalue()


def encode_gif(images: Iterable[NDArray[np.uint8]], *, frame_rate: float | None) -> bytes:
    """One frame, or an animation without end.

    Grey frames keep every grey level. Colours are brought to 256 for each frame.

    Parameters
    ----------
    frame_rate
        Frames a second; durations are whole hundredths of a second in this format.
    """
    pictures = (_indexed(image) for image in images)
    first = next(pictures)
    buffer = io.BytesIO()
    first.save(
        buffer,
        "GIF",
        save_all=True,
        append_images=pictures,
        duration=frame_duration_ms(frame_rate),
        loop=0,
        optimize=False,
        disposal=1,
    )
    return buffer.getvalue()


def frame_duration_ms(frame_rate: float | None) -> int:
    """How long a GIF shows each frame.

    >>> frame_duration_ms(25.0), frame_duration_ms(30.0), frame_duration_ms(None)
    (40, 30, 100)
    """
    rate = frame_rate if frame_rate and frame_rate > 0 else DEFAULT_FRAME_RATE
    return max(SHORTEST_FRAME_MS, min(round(100 / rate), 6000) * 10)


def _indexed(image: NDArray[np.uint8]) -> Image.Image:
    """A picture of at most 256 colours; exact where the image has no more."""
    if image.ndim == 2:
        return Image.fromarray(np.ascontiguousarray(image))
    packed = (image[:, :, 0].astype(np.uint32) << 16) | (image[:, :, 1].astype(np.uint32) << 8) | image[:, :, 2]
    if len(np.unique(packed[::_SAMPLED_ROWS])) <= _COLORS:
        place_of = np.zeros(1 << 24, np.uint8)
        place_of[packed] = 1
        colors = np.flatnonzero(place_of)
        if len(colors) <= _COLORS:
            place_of[colors] = np.arange(len(colors))
            picture = Image.fromarray(place_of[packed])
            picture.putpalette([channel for color in colors.tolist() for channel in color.to_bytes(3, "big")])
            return picture
    # The other methods of Pillow choose better and take seconds for a picture of many colours.
    method = Image.Quantize.FASTOCTREE
    return Image.fromarray(np.ascontiguousarray(image)).quantize(_COLORS, method=method, dither=Image.Dither.NONE)


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """An sRGB profile, the same bytes at every call and in every process."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # ISO 15076-1 7.2.8: the date and time of making would differ from start to start.
    profile[24:36] = bytes.fromhex("07e8 0001 0001 0000 0000 0000")
    return bytes(profile)
