"""What a state replaces of an image and what stays: colors and their profile, overlays, polarity of the stack (PS3.4 N.2)."""

from __future__ import annotations

import numpy as np
from PIL import ImageCms

from archive.pixels.description import Shutter, Window
from tests.viewer.rendering.images import Frame, describe_values
from viewer.rendering.modality_lut import ModalityTransform
from viewer.rendering.parameters import RenderParameters, WindowSource
from viewer.rendering.pipeline import render_frame, render_tile
from viewer.rendering.presentation_state import FrameState, StateKind, identity
from viewer.rendering.stack_window import StackWindow, WindowOrigin
from viewer.rendering.voi_lut import ValueRange

EVERY = np.arange(256, dtype=np.uint8).reshape(16, 16)
SILENT = FrameState(kind=StateKind.GRAYSCALE)


def exchanged_profile() -> bytes:
    """An sRGB profile whose red and green primaries are exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"----", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"----", b"gXYZ", 1)


def test_a_color_state_brings_its_own_profile_and_the_images_is_not_used() -> None:
    red = np.full((4, 4, 3), (200, 0, 0), np.uint8)
    plain = describe_values(red, photometric_interpretation="RGB")
    profiled = describe_values(red, photometric_interpretation="RGB", icc_profile=exchanged_profile())
    with_profile = FrameState(kind=StateKind.COLOR, icc_profile=exchanged_profile())
    without = FrameState(kind=StateKind.COLOR)

    by_state = render_frame(Frame(red, "RGB"), plain, 1, state=with_profile)[0, 0]
    by_image = render_frame(Frame(red, "RGB"), profiled, 1)[0, 0]
    by_neither = render_frame(Frame(red, "RGB"), profiled, 1, state=without)[0, 0]

    assert by_state.tolist() == by_image.tolist()
    assert by_state[1] > 150 > by_state[0]
    assert by_neither.tolist() == [200, 0, 0]


def test_the_images_shutter_has_no_part_in_a_state_without_one() -> None:
    description = describe_values(EVERY, shutter=Shutter(rectangle=(1, 2, 1, 2)))

    assert np.array_equal(render_frame(Frame(EVERY), description, 1, state=SILENT), EVERY)


def test_a_stack_that_is_shown_inverted_is_not_in_a_state() -> None:
    black_on_white = StackWindow(WindowOrigin.HEADER, Window(10, 20), inverted=True)

    picture = render_frame(
        Frame(EVERY),
        describe_values(EVERY),
        1,
        RenderParameters(presentation_state="1.2"),
        stack_window=black_on_white,
        state=SILENT,
    )

    assert np.array_equal(picture, EVERY)


def test_what_a_reader_asks_by_name_comes_from_the_image_and_the_stack() -> None:
    description = describe_values(EVERY, windows=(Window(8, 2),))
    stack = StackWindow(WindowOrigin.HEADER, Window(8, 2), automatic=Window(128, 256))

    def ask(source: WindowSource) -> list[int]:
        parameters = RenderParameters(window=source, presentation_state="1.2")
        picture = render_frame(Frame(EVERY), description, 1, parameters, stack_window=stack, state=SILENT)
        found: list[int] = picture.ravel()[:10].tolist()
        return found

    assert ask(WindowSource.FILE) == [0] * 8 + [255] * 2
    assert ask(WindowSource.AUTOMATIC) == list(range(10))


def test_the_whole_range_of_a_modality_step_is_what_no_voi_means() -> None:
    twelve = describe_values(np.zeros((2, 2), np.uint16), bits_stored=12)
    signed = describe_values(np.zeros((2, 2), np.int16), bits_stored=12)
    one = describe_values(np.zeros((2, 2), np.uint8), bits_stored=1)
    floats = describe_values(np.zeros((2, 2), np.float32), pixel_keyword="FloatPixelData")

    assert identity(twelve, ModalityTransform()) == ValueRange(0.0, 4096.0)
    assert identity(signed, ModalityTransform(2.0, -1.0)) == ValueRange(-4097.0, 8192.0)
    assert identity(twelve, ModalityTransform(-1.0, 0.0)) == ValueRange(-4095.0, 4096.0)
    window = identity(one, ModalityTransform())
    assert isinstance(window, Window)
    assert (window.center, window.width) == (0.5, 1.0)
    assert identity(floats, ModalityTransform()) is None


def test_a_single_bit_is_black_and_white_in_a_state() -> None:
    bits = np.array([[0, 1]], np.uint8)

    picture = render_frame(Frame(bits), describe_values(bits, bits_stored=1), 1, state=SILENT)

    assert picture.tolist() == [[0, 255]]


def test_a_tile_of_a_state_is_the_same_part_of_the_frame() -> None:
    values = np.random.default_rng(7).integers(0, 4096, (700, 900)).astype(np.uint16)
    description = describe_values(values, bits_stored=12)
    state = FrameState(
        kind=StateKind.GRAYSCALE,
        voi=Window(2000, 1000),
        shutter=Shutter(circle=(350, 450, 300), presentation_value=0x7000),
    )

    whole = render_frame(Frame(values), description, 1, state=state)
    tile = render_tile(Frame(values), description, 1, level=1, row=1, column=1, state=state)

    assert np.array_equal(tile, whole[512:, 512:])
