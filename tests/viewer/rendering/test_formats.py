"""JPEG, PNG and GIF of display values."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from viewer.errors import InvalidParameter
from viewer.rendering.formats import encode_gif, encode_picture, frame_duration_ms, srgb_profile

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOR = np.stack([GREY, GREY[::-1], GREY.T], axis=-1)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("image", [GREY, COLOR])
@pytest.mark.parametrize("with_profile", [False, True])
def test_png_is_exact_with_and_without_a_profile(image: np.ndarray, with_profile: bool) -> None:
    found = opened(encode_picture(image, "image/png", with_profile=with_profile))
    expected = np.repeat(image[:, :, None], 3, axis=2) if with_profile and image.ndim == 2 else image
    assert np.array_equal(np.array(found), expected)
    assert found.info.get("icc_profile") == (srgb_profile() if with_profile else None)


def test_jpeg_is_baseline_with_eight_bits() -> None:
    data = encode_picture(COLOR, "image/jpeg", quality=80)
    # ITU-T T.81 B.1.1.3: SOF0 is baseline; SOF2 would be progressive. Then the length and the precision.
    place = data.index(b"\xff\xc0")
    assert data[place + 4] == 8
    assert b"\xff\xc2" not in data


def test_a_gif_cannot_carry_a_profile() -> None:
    with pytest.raises(InvalidParameter):
        encode_picture(GREY, "image/gif", with_profile=True)


def test_a_profile_is_the_same_in_every_process() -> None:
    assert len(srgb_profile()) == int.from_bytes(srgb_profile()[:4], "big")
    # ISO 15076-1 7.2.8: year, month, day, hours, minutes, seconds.
    assert srgb_profile()[24:36] == bytes([7, 232, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])


def test_an_animation_holds_every_grey_level_and_runs_without_end() -> None:
    frames = [np.roll(GREY, shift) for shift in range(4)]
    gif = opened(encode_gif(frames, frame_rate=12.5))
    assert (gif.n_frames, gif.info["loop"]) == (4, 0)
    for number, frame in enumerate(frames):
        gif.seek(number)
        assert np.array_equal(np.array(gif.convert("L")), frame)
        assert gif.info["duration"] == 80


@pytest.mark.parametrize(
    ("rate", "milliseconds"), [(25, 40), (30, 30), (15, 70), (200, 20), (0.001, 60000), (None, 100), (0, 100)]
)
def test_a_frame_is_shown_for_whole_hundredths_of_a_second(rate: float | None, milliseconds: int) -> None:
    assert frame_duration_ms(rate) == milliseconds


def test_few_colors_are_exact_in_a_gif_and_many_are_near() -> None:
    few = np.array([[[255, 0, 0], [0, 255, 0]], [[1, 2, 3], [250, 251, 252]]], np.uint8)
    assert np.array_equal(np.array(opened(encode_picture(few, "image/gif")).convert("RGB")), few)
    row, column = np.mgrid[0:128, 0:128]
    many = np.stack([row * 2, column * 2, row + column], axis=-1).astype(np.uint8)
    found = np.array(opened(encode_picture(many, "image/gif")).convert("RGB")).astype(int)
    # 256 colours of an even spread lie at most about 32 levels apart on each axis.
    assert np.abs(found - many).max() <= 40
    assert np.abs(found - many).mean() < 12
