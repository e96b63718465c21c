"""Large frames: every level from one decode, from memory, disk or anew, always the same values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from archive.models import Instance, Series
from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import SERIES_INSTANCE_UID, ct_image, image
from viewer.stacks.lookup import split_series_of
from viewer.stacks.splitting import Stack
from viewer.tiles import frames
from viewer.tiles.frames import frame_at_level, full_frame, prepare_levels
from viewer.tiles.level_cache import kept_levels, levels_folder, path_of, writer
from viewer.tiles.pictures import thumbnail_of

ROWS, COLUMNS = 1031, 2051
"""Odd, so that blocks at the edges are cut at every level."""
PADDING = 60000


@pytest.fixture(autouse=True)
def _stored(portal_data: Path, transactional_db: None) -> Iterator[None]:
    yield
    writer.wait()


def values_of_phantom() -> np.ndarray:
    values = np.random.default_rng(7).integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16)
    values[:300, :700] = PADDING
    return values


def stack_of(*images: object) -> Stack:
    store(*images)  # type: ignore[arg-type]
    series = Series.objects.select_related("study").get(series_instance_uid=SERIES_INSTANCE_UID)
    return split_series_of(series, revision=series.study.revision).stacks[0]


def plate() -> Stack:
    return stack_of(image(values_of_phantom(), Modality="DX", PixelPaddingValue=PADDING, InstanceNumber=1))


def mean(values: np.ndarray, row: int, column: int, scale: int) -> int:
    """The mean of a block without padding by the definition, halves up; padding where there is nothing else."""
    block = [int(v) for v in values[row * scale : (row + 1) * scale, column * scale : (column + 1) * scale].flat]
    present = [v for v in block if v != PADDING]
    return (2 * sum(present) + len(present)) // (2 * len(present)) if present else PADDING


PLACES = [
    (0, 0, 8),
    (37, 87, 8),
    (128, 256, 8),
    (75, 174, 4),
    (257, 512, 4),
    (149, 349, 2),
    (515, 1025, 2),
    (150, 350, 2),
]


@pytest.mark.parametrize("from_disk", [False, True])
def test_every_level_holds_the_means_of_its_blocks(from_disk: bool) -> None:
    frame = plate().first
    values = values_of_phantom()
    if from_disk:
        prepare_levels(frame.instance, 1)
        forget_what_was_drawn()
        assert isinstance(frame_at_level(frame.instance, 1, 0).values, frames.KeptLevel)
    for level, scale, shape in ((0, 8, (129, 257)), (1, 4, (258, 513)), (2, 2, (516, 1026)), (3, 1, (ROWS, COLUMNS))):
        found = np.asarray(frame_at_level(frame.instance, 1, level).values)
        assert found.shape == shape
        for row, column, at in PLACES:
            if at == scale:
                assert found[row, column] == mean(values, row, column, scale)
    np.testing.assert_array_equal(full_frame(frame.instance, 1).values, values)


def test_a_large_frame_is_decoded_once_for_all_levels_and_after_a_restart_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = plate().first
    decoded = []
    decode = frames.decode_frame
    monkeypatch.setattr(frames, "decode_frame", lambda *args, **names: decoded.append(1) or decode(*args, **names))
    for level in (0, 3, 1, 2):
        frame_at_level(frame.instance, 1, level)
    assert writer.wait()
    forget_what_was_drawn()
    for level in (2, 0, 3):
        np.asarray(frame_at_level(frame.instance, 1, level).values)
    assert decoded == [1]


def test_the_first_tile_does_not_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = plate().first
    written = []
    monkeypatch.setattr(frames.writer, "put", lambda name, levels, cost: written.append(name) or True)
    monkeypatch.setattr(frames, "keep_levels", lambda *_: pytest.fail("written before the answer"))
    frame_at_level(frame.instance, 1, 0)
    assert len(written) == 1


@pytest.mark.parametrize("harm", ["a tile is changed", "cut short", "removed"])
def test_kept_levels_that_come_to_harm_are_drawn_again(harm: str) -> None:
    frame = plate().first
    prepare_levels(frame.instance, 1)
    expected = np.asarray(frame_at_level(frame.instance, 1, 0).values).copy()
    forget_what_was_drawn()
    lazy = frame_at_level(frame.instance, 1, 0)
    path = path_of(frames._name(frame.instance, 1))
    data = bytearray(path.read_bytes())
    if harm == "a tile is changed":
        file = kept_levels(frames._name(frame.instance, 1))
        assert file is not None
        data[file.offsets[0][0] + 100] ^= 0xFF
        path.write_bytes(data)
    elif harm == "cut short":
        path.write_bytes(data[:-1000])
    else:
        path.unlink()
    for level in (lazy, frame_at_level(frame.instance, 1, 0)):
        np.testing.assert_array_equal(level.values[0:129, 0:257], expected)
    np.testing.assert_array_equal(full_frame(frame.instance, 1).values, values_of_phantom())
    assert writer.wait()
    assert kept_levels(frames._name(frame.instance, 1)) is not None


@pytest.mark.parametrize("is_known", [False, True])
def test_an_image_whose_large_levels_went_is_seen_without_decoding_it_and_is_whole_again_at_the_first_look_closer(
    is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether this process had read what went, or not."""
    frame = plate().first
    prepare_levels(frame.instance, 1)
    path = path_of(frames._name(frame.instance, 1))
    forget_what_was_drawn()
    if is_known:
        frame_at_level(frame.instance, 1, 0)
    path.unlink()
    decoded = []
    decode = frames.decode_frame
    monkeypatch.setattr(frames, "decode_frame", lambda *args, **names: decoded.append(1) or decode(*args, **names))
    values = values_of_phantom()

    for level, scale, shape in ((0, 8, (129, 257)), (1, 4, (258, 513)), (2, 2, (516, 1026))):
        found = np.asarray(frame_at_level(frame.instance, 1, level).values)
        assert found.shape == shape
        assert all(found[row, column] == mean(values, row, column, at) for row, column, at in PLACES if at == scale)
    lost = frame_at_level(frame.instance, 1, 3)
    assert decoded == []

    np.testing.assert_array_equal(lost.values[500:1012, 1024:1536], values[500:1012, 1024:1536])
    np.testing.assert_array_equal(full_frame(frame.instance, 1).values, values)
    np.testing.assert_array_equal(lost.values[0:9, 0:9], values[0:9, 0:9])
    assert decoded == [1]
    assert writer.wait()
    assert path.exists()


def test_a_small_frame_leaves_nothing_on_disk() -> None:
    frame = stack_of(ct_image(np.zeros((700, 700), np.uint16))).first
    assert [one.values.shape for one in (frame_at_level(frame.instance, 1, level) for level in (0, 1))] == [
        (350, 350),
        (700, 700),
    ]
    assert writer.wait()
    assert not levels_folder().exists()


def test_pixel_cells_with_overlays_in_them_stay_together() -> None:
    values = np.full((1200, 1000), 5, np.uint16)
    values[600, 500] |= 1 << 14
    overlay = {"OverlayRows": 1200, "OverlayColumns": 1000, "OverlayBitPosition": 14, "OverlayBitsAllocated": 16}
    ds = image(values, BitsStored=12, Modality="DX", InstanceNumber=1)
    for keyword, (element, vr) in {
        "OverlayRows": (0x10, "US"),
        "OverlayColumns": (0x11, "US"),
        "OverlayBitsAllocated": (0x100, "US"),
        "OverlayBitPosition": (0x102, "US"),
    }.items():
        ds.add_new((0x6000, element), vr, overlay[keyword])
    ds.add_new((0x6000, 0x40), "CS", "G")
    ds.add_new((0x6000, 0x50), "SS", [1, 1])
    frame = stack_of(ds).first
    prepare_levels(frame.instance, 1)
    assert writer.wait()
    assert kept_levels(frames._name(frame.instance, 1)) is None
    assert frame_at_level(frame.instance, 1, 0).cells is not None


def test_a_thumbnail_of_a_large_image_is_made_from_a_small_level() -> None:
    stack = plate()
    prepare_levels(stack.first.instance, 1)
    forget_what_was_drawn()
    series = Series.objects.select_related("study").get(series_instance_uid=SERIES_INSTANCE_UID)
    split = split_series_of(series, revision=series.study.revision)
    assert thumbnail_of(split.stacks[0], split).startswith(b"\x89PNG")
    assert Instance.objects.count() == 1
