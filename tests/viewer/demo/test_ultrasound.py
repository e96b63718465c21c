"""The echocardiogram: a loop in colour whose regions measure different things."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames

from viewer.demo import beating_heart as heart
from viewer.demo.headers import DemoVisit
from viewer.demo.objects import DemoObject
from viewer.demo.ultrasound import loop_object, regions, rle_bytes, still_object


@pytest.fixture(scope="module")
def loop(visit: DemoVisit) -> DemoObject:
    return loop_object(visit)


def test_loop_says_its_rate_in_tags_that_agree(loop: DemoObject) -> None:
    ds = loop.ds

    assert (ds.NumberOfFrames, ds.CineRate, ds.RecommendedDisplayFrameRate) == (30, 24, 24)
    assert float(ds.FrameTime) == pytest.approx(1000 / 24, abs=1e-3)
    assert ds.FrameIncrementPointer == 0x00181063


def test_frames_are_colour_jpegs_of_the_stated_size(loop: DemoObject) -> None:
    ds = pydicom.dcmread(io.BytesIO(loop.to_bytes()))

    frames = list(generate_frames(ds.PixelData, number_of_frames=30))
    pictures = [np.asarray(Image.open(io.BytesIO(frame))) for frame in frames]

    assert len(frames) == 30
    assert {picture.shape for picture in pictures} == {(ds.Rows, ds.Columns, 3)}
    assert (ds.PhotometricInterpretation, ds.LossyImageCompression) == ("YBR_FULL_422", "01")
    ratio = 30 * ds.Rows * ds.Columns * 3 / sum(map(len, frames))
    assert float(ds.LossyImageCompressionRatio) == pytest.approx(ratio, rel=0.01)
    # Flow in the doppler box is red in one part of the beat and blue in another.
    box = [picture[150:350, 330:560].astype(int) for picture in pictures]
    assert any((part[..., 0] - part[..., 2] > 80).sum() > 500 for part in box)
    assert any((part[..., 2] - part[..., 0] > 80).sum() > 500 for part in box)


def test_first_region_has_no_units_the_second_measures_cm_the_third_time() -> None:
    first, second, third = regions()

    assert (first.PhysicalUnitsXDirection, first.PhysicalUnitsYDirection) == (0, 0)
    assert (second.PhysicalUnitsXDirection, second.PhysicalUnitsYDirection) == (3, 3)
    assert second.PhysicalDeltaX == second.PhysicalDeltaY == pytest.approx(0.04)
    assert (third.PhysicalUnitsXDirection, third.PhysicalUnitsYDirection) == (4, 7)
    assert third.PhysicalDeltaX * 680 == pytest.approx(3.6)


def test_regions_do_not_overlap_and_lie_in_the_picture() -> None:
    covered = np.zeros((heart.ROWS, heart.COLUMNS), dtype=int)

    for item in regions():
        rows = slice(item.RegionLocationMinY0, item.RegionLocationMaxY1 + 1)
        columns = slice(item.RegionLocationMinX0, item.RegionLocationMaxX1 + 1)
        assert item.RegionLocationMaxY1 < heart.ROWS
        assert item.RegionLocationMaxX1 < heart.COLUMNS
        covered[rows, columns] += 1

    assert covered.max() == 1


def test_depth_marks_stand_where_the_region_puts_them() -> None:
    item = regions()[1]
    apex_row = item.RegionLocationMinY0 + item.ReferencePixelY0

    picture = heart.picture_at(0)
    rows = np.flatnonzero(picture[: item.RegionLocationMaxY1, 685].max(axis=1) > 100)

    assert rows.tolist() == [apex_row + round(cm / item.PhysicalDeltaY) for cm in range(17)]


def test_heart_moves_and_the_loop_closes() -> None:
    pictures = [heart.grey_picture(frame / 30)[0].astype(float) for frame in (0, 10, 29)]

    assert np.abs(pictures[0] - pictures[1]).mean() > 2 * np.abs(pictures[0] - pictures[2]).mean()


def test_still_is_rle_that_unpacks_to_the_picture(visit: DemoVisit) -> None:
    ds = pydicom.dcmread(io.BytesIO(still_object(visit).to_bytes()))

    frame = next(generate_frames(ds.PixelData, number_of_frames=1))
    count, *offsets = np.frombuffer(frame[:64], "<u4").tolist()
    planes = [unpacked(frame[start:end]) for start, end in zip(offsets[:3], [*offsets[1:3], len(frame)], strict=True)]

    assert count == 3
    picture = np.stack([np.frombuffer(plane, np.uint8).reshape(ds.Rows, ds.Columns) for plane in planes], axis=-1)
    assert np.array_equal(picture, heart.picture_at(2, color=False))


def unpacked(packed: bytes) -> bytes:
    """PackBits as PS3.5 G.3.2 says it, up to the size of a plane."""
    out, at = bytearray(), 0
    while len(out) < heart.ROWS * heart.COLUMNS:
        head = packed[at]
        if head < 128:
            out += packed[at + 1 : at + 2 + head]
            at += 2 + head
        elif head > 128:
            out += packed[at + 1 : at + 2] * (257 - head)
            at += 2
        else:
            at += 1
    return bytes(out)


@pytest.mark.parametrize("row", [[7] * 300, [1, 2, 3, 4], [5, 5, 6, 6, 6, 9] * 50, [0], list(range(200)) + [3] * 129])
def test_rle_segments_unpack_to_their_rows(row: list[int]) -> None:
    picture = np.repeat(np.array([row], dtype=np.uint8)[..., None], 3, axis=2)

    packed = rle_bytes(picture)
    start, end = np.frombuffer(packed[4:12], "<u4").tolist()

    out, at, segment = bytearray(), 0, packed[start:end]
    while len(out) < len(row):
        head = segment[at]
        out += segment[at + 1 : at + 2 + head] if head < 128 else segment[at + 1 : at + 2] * (257 - head)
        at += 2 + head if head < 128 else 2
    assert list(out) == row
    assert (end - start) % 2 == 0


def test_validator_finds_no_error(
    visit: DemoVisit, loop: DemoObject, errors_of: Callable[[DemoObject], list[str]]
) -> None:
    assert errors_of(loop) == []
    assert errors_of(still_object(visit)) == []
