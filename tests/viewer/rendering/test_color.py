"""Colour spaces and palettes against pydicom, and hand-worked numbers."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageCms
from pydicom import dcmread
from pydicom.pixels.processing import convert_color_space  # noqa: TID251 - an oracle

from archive.pixels.description import Palette
from tests.viewer.rendering.images import describe_values, table
from viewer.errors import NothingToDraw
from viewer.rendering.color import (
    BAND_PIXELS,
    apply_palette,
    full_range_to_rgb,
    is_color,
    partial_range_to_rgb,
    to_rgb,
    to_srgb,
)


def every_fifth_color() -> NDArray[np.uint8]:
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(len(steps), -1, 3)


def test_full_range_equals_pydicom() -> None:
    samples = every_fifth_color()
    assert np.array_equal(full_range_to_rgb(samples), convert_color_space(samples, "YBR_FULL", "RGB"))


@pytest.mark.parametrize(
    ("ybr", "rgb"),
    [
        # PS3.3 C.7.6.3.1.2 backwards: white, black, grey, and red (Y 76, Cb 85, Cr 255): 76 + 1.402 * 127 = 254.05.
        ((255, 128, 128), (255, 255, 255)),
        ((0, 128, 128), (0, 0, 0)),
        ((100, 128, 128), (100, 100, 100)),
        ((76, 85, 255), (254, 0, 0)),
    ],
)
def test_full_range_by_hand(ybr: tuple[int, ...], rgb: tuple[int, ...]) -> None:
    assert tuple(full_range_to_rgb(np.array([[ybr]], np.uint8))[0, 0]) == rgb


@pytest.mark.parametrize(
    ("ybr", "rgb"),
    [
        ((16, 128, 128), (0, 0, 0)),
        ((235, 128, 128), (255, 255, 255)),
        ((0, 128, 128), (0, 0, 0)),
        ((81, 90, 240), (254, 0, 0)),
    ],
)
def test_partial_range_by_hand(ybr: tuple[int, ...], rgb: tuple[int, ...]) -> None:
    # Red: 255/219 * 65 = 75.7, plus 1.402 * 255/224 * 112 = 178.8: 254.4.
    assert tuple(partial_range_to_rgb(np.array([[ybr]], np.uint8))[0, 0]) == rgb


@pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT", "YBR_ICT"])
def test_what_the_codec_turned_into_rgb_is_left_alone(photometric: str) -> None:
    samples = every_fifth_color()
    assert np.array_equal(to_rgb(samples, photometric, describe_values(samples)), samples)


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_full_range_names(photometric: str) -> None:
    samples = every_fifth_color()
    assert np.array_equal(to_rgb(samples, photometric, describe_values(samples)), full_range_to_rgb(samples))


@pytest.mark.parametrize("photometric", ["YBR_PARTIAL_422", "YBR_PARTIAL_420"])
def test_partial_range_names(photometric: str) -> None:
    samples = every_fifth_color()
    assert np.array_equal(to_rgb(samples, photometric, describe_values(samples)), partial_range_to_rgb(samples))


def test_sixteen_bit_colours_keep_their_high_bits() -> None:
    samples = np.array([[[0, 4095, 2048]]], np.uint16)
    description = describe_values(samples, bits_stored=12)
    assert to_rgb(samples, "RGB", description).tolist() == [[[0, 255, 128]]]


@pytest.mark.parametrize("photometric", ["ARGB", "CMYK", "HSV", "", "NONSENSE"])
def test_other_kinds_cannot_be_shown(photometric: str) -> None:
    samples = every_fifth_color()
    with pytest.raises(NothingToDraw):
        to_rgb(samples, photometric, describe_values(samples))


def test_colour_without_three_samples_cannot_be_shown() -> None:
    values = np.zeros((2, 2), np.uint8)
    with pytest.raises(NothingToDraw):
        to_rgb(values, "RGB", describe_values(values))


def test_which_kinds_are_colour() -> None:
    assert [is_color(name) for name in ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR", "YBR_FULL")] == [
        False, False, True, True, True,
    ]  # fmt: skip


def test_palette_of_sixteen_bits_keeps_high_bytes_and_ends() -> None:
    palette = Palette(
        table([0x0100, 0x80FF, 0xFFFF], first_mapped=2),
        table([0, 0, 0x1234], first_mapped=2),
        table([0xFF00] * 3, first_mapped=2),
    )

    colors = apply_palette(np.array([[0, 2, 3, 4, 200]], np.uint8), palette)

    assert colors.tolist() == [[[1, 0, 255], [1, 0, 255], [128, 0, 255], [255, 0x12, 255], [255, 0x12, 255]]]


def test_palette_of_eight_bits_is_taken_as_it_is() -> None:
    parts = [table([10, 20], bits=8), table([30, 40], bits=8), table([50, 255], bits=8)]
    assert apply_palette(np.array([[0, 1]], np.uint8), Palette(*parts)).tolist() == [[[10, 30, 50], [20, 40, 255]]]


def test_palette_that_claims_sixteen_bits_and_holds_eight() -> None:
    parts = [table([10, 20]), table([30, 40]), table([50, 255])]
    assert apply_palette(np.array([[0, 1]], np.uint8), Palette(*parts)).tolist() == [[[10, 30, 50], [20, 40, 255]]]


def test_palette_with_a_negative_first_value() -> None:
    part = table([1, 2, 3], first_mapped=-1, bits=8)
    colors = apply_palette(np.array([[-1, 0, 1]], np.int16), Palette(part, part, part))
    assert colors[0, :, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("palette", [None, Palette(table([]), table([1]), table([1]))])
def test_a_missing_palette_is_said(palette: Palette | None) -> None:
    with pytest.raises(NothingToDraw, match="palette"):
        apply_palette(np.zeros((1, 1), np.uint8), palette)


def test_srgb_profile_changes_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    samples = every_fifth_color()
    assert to_srgb(samples, profile) is samples


def test_no_profile_or_a_damaged_one_changes_nothing() -> None:
    samples = every_fifth_color()
    assert to_srgb(samples, None) is samples
    assert to_srgb(samples, b"this is no profile") is samples


def test_profile_of_another_colour_space_is_left_out() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    samples = every_fifth_color()
    assert to_srgb(samples, lab) is samples


def test_an_embedded_profile_is_applied() -> None:
    # sRGB with the tags of its red and green primaries exchanged: red comes out green.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = profile.replace(b"rXYZ", b"----", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"----", b"gXYZ", 1)
    samples = np.array([[[255, 0, 0], [128, 128, 128]]], np.uint8)

    converted = to_srgb(samples, exchanged)

    assert np.abs(converted.astype(int) - [[[0, 255, 0], [128, 128, 128]]]).max() <= 2


def test_a_profile_by_tables_with_a_flare_of_its_own_leaves_black_black(data_dir: Path) -> None:
    # A labelmap carries the ICC's sRGB v4 profile: tables to Lab, with the 1 % flare of sRGB's viewing
    # conditions, which lifts black to grey 29 where black points are not matched. It describes sRGB itself.
    profile = dcmread(data_dir / "seg_rt" / "seg_image_sm_control_labelmap_palette_color.dcm").ICCProfile
    assert profile[20:24] == b"Lab "
    samples = every_fifth_color()
    assert np.abs(to_srgb(samples, profile).astype(int) - samples).max() <= 1
    assert not to_srgb(np.zeros((1, 1, 3), np.uint8), profile).any()


def test_a_camera_profile_is_applied_as_its_matrix_says() -> None:
    # An input profile ("scnr") with the primaries of sRGB and a gamma of 1: stored 55 is 21.57 % of the light.
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    linear = with_gamma_one(plain.replace(b"mntr", b"scnr", 1))
    light = 55 / 255
    expected = round(255 * (1.055 * light ** (1 / 2.4) - 0.055))

    converted = to_srgb(np.full((1, 1, 3), 55, np.uint8), linear)

    assert np.abs(converted.astype(int) - expected).max() <= 1


def with_gamma_one(profile: bytes) -> bytes:
    """Point each tone curve of a profile to an empty curve, which is the identity (ICC.1 10.6)."""
    curve = b"curv\0\0\0\0\0\0\0\0"
    data = bytearray(profile + b"\0" * (-len(profile) % 4))
    place = len(data)
    for number in range(struct.unpack_from(">I", data, 128)[0]):
        entry = 132 + 12 * number
        if data[entry : entry + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">II", data, entry + 4, place, len(curve))
    data += curve
    struct.pack_into(">I", data, 0, len(data))
    return bytes(data)


@pytest.mark.parametrize("kept", [20, 128, 140])
def test_a_profile_that_is_cut_short_changes_nothing(kept: int) -> None:
    profile = with_gamma_one(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    samples = every_fifth_color()
    assert not np.array_equal(to_srgb(samples, profile), samples)
    assert to_srgb(samples, profile[:kept]) is samples


def test_a_grey_profile_on_a_colour_image_is_left_out() -> None:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"GRAY"
    samples = every_fifth_color()
    assert to_srgb(samples, bytes(profile)) is samples


@pytest.mark.parametrize(
    ("photometric", "convert"), [("YBR_FULL", full_range_to_rgb), ("YBR_PARTIAL_422", partial_range_to_rgb)]
)
def test_a_large_image_is_converted_in_bands_to_the_same_colours(photometric: str, convert: Any) -> None:
    values = np.random.default_rng(3).integers(0, 256, (901, 700, 3)).astype(np.uint8)
    assert values.shape[0] * values.shape[1] > 2 * BAND_PIXELS

    found = to_rgb(values, photometric, describe_values(values, photometric_interpretation=photometric))

    assert np.array_equal(found, convert(values))
