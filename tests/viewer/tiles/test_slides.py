"""Whole slides: each pixel of the total pixel matrix comes from the tile that the standard says lies there."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.test import Client
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset

from archive.indexing.writer import index_waiting_files
from archive.models import Instance, Series
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from tests.conftest import Cast
from tests.journeys.sending import forget_what_was_drawn, send_file, store
from tests.phantoms import SERIES_INSTANCE_UID, to_part10_bytes
from tests.slides import JPEG_BASELINE, Tile, concatenated, cut, kind_of_tile, large_slide, large_tile, slide
from viewer.errors import NothingToDraw
from viewer.rendering.resample import reduce_by
from viewer.stacks.lookup import split_series_of
from viewer.stacks.splitting import Stack
from viewer.tiles import slide_levels
from viewer.tiles.frames import drawable, frame_at_level, full_frame, prepare_levels
from viewer.tiles.level_cache import levels_folder, writer

pytestmark = pytest.mark.usefixtures("kept_apart")
TILE_ROWS, TILE_COLUMNS = 40, 64


@pytest.fixture
def kept_apart(portal_data: Path, transactional_db: None) -> Iterator[None]:
    yield
    writer.wait()


def picture(rows: int, columns: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def stacks_of(*images: Dataset) -> tuple[Stack, ...]:
    store(*images)
    series = Series.objects.select_related("study").get(series_instance_uid=SERIES_INSTANCE_UID)
    return split_series_of(series, revision=series.study.revision).stacks


def shown(stack: Stack, level: int = -1) -> NDArray[Any]:
    (frame,) = stack.frames
    return np.asarray(frame_at_level(frame.instance, 1, level).values)


def test_frames_of_tiled_full_go_along_rows_then_down_then_by_depth_then_by_optical_path() -> None:
    # PS3.3 C.7.6.17.3; an odd size, so that tiles at the right and bottom hold more than the picture.
    layers = {(path, plane): picture(130, 150, seed=10 * path + plane) for path in (0, 1) for plane in (0, 1, 2)}
    tiles = [
        tile
        for (path, plane), values in sorted(layers.items())
        for tile in cut(values, TILE_ROWS, TILE_COLUMNS, path=path, plane=plane)
    ]
    found = stacks_of(slide(tiles, (130, 150), paths=("HE", "IF"), depths=(0.0, 1.5, 3.0)))
    assert len(found) == 6
    for stack, key in zip(found, sorted(layers), strict=True):
        np.testing.assert_array_equal(shown(stack), layers[key])
    assert [stack.id for stack in found] == [SERIES_INSTANCE_UID, *(f"{SERIES_INSTANCE_UID}.{n}" for n in range(2, 7))]
    assert [stack.label for stack in found[:2]] == [
        "optical path HE, focal plane 1",
        "optical path HE, focal plane 2",
    ]


def test_frames_of_tiled_sparse_lie_where_each_says_and_the_rest_is_white() -> None:
    values = picture(130, 150)
    tiles = cut(values, TILE_ROWS, TILE_COLUMNS)
    expected = np.full_like(values, 255)
    chosen = [tiles[number] for number in (7, 0, 11, 5)]
    for tile in chosen:
        place = np.s_[tile.row : tile.row + TILE_ROWS, tile.column : tile.column + TILE_COLUMNS]
        expected[place] = values[place]
    (stack,) = stacks_of(slide(chosen, (130, 150), sparse=True))
    np.testing.assert_array_equal(shown(stack), expected)


def test_sparse_frames_know_their_optical_path_and_depth_by_themselves() -> None:
    values = {(path, plane): picture(80, 64, seed=10 * path + plane) for path in (0, 1) for plane in (0, 1)}
    tiles = [tile for (path, plane), one in values.items() for tile in cut(one, 40, 64, path=path, plane=plane)]
    tiles.reverse()
    found = stacks_of(slide(tiles, (80, 64), sparse=True, paths=("DAPI", "FITC"), depths=(-2.0, 4.0)))
    assert [stack.label for stack in found] == [
        "optical path DAPI, -2 µm",
        "optical path DAPI, 4 µm",
        "optical path FITC, -2 µm",
        "optical path FITC, 4 µm",
    ]
    for stack, key in zip(found, sorted(values), strict=True):
        np.testing.assert_array_equal(shown(stack), values[key])


def test_where_nothing_was_scanned_is_the_colour_that_the_file_recommends() -> None:
    tile = Tile(np.zeros((40, 64, 3), np.uint8), 0, 0)
    # L* 100, a* and b* 0 is white; L* 0 is black (PS3.3 C.10.7.1.1).
    black = slide([tile], (40, 128), sparse=True, RecommendedAbsentPixelCIELabValue=[0, 0x8080, 0x8080])
    (stack,) = stacks_of(black)
    assert (shown(stack)[:, 64:] == 0).all()


def test_emitted_light_is_grey_on_black() -> None:
    tile = Tile(np.full((40, 64), 900, np.uint16), 40, 64)
    ds = slide([tile], (80, 128), sparse=True, BitsStored=12)
    (stack,) = stacks_of(ds)
    values = shown(stack)
    assert values.dtype == np.uint16
    assert (values[40:, 64:] == 900).all()
    assert values[:40].max() == values[:, :64].max() == 0


@pytest.mark.parametrize("sparse", [False, True])
def test_the_parts_of_a_concatenation_are_one_picture(sparse: bool) -> None:
    values = picture(130, 150)
    tiles = cut(values, TILE_ROWS, TILE_COLUMNS)
    parts = concatenated(slide(tiles, (130, 150), sparse=sparse), tiles, (5, 1, 6))
    (stack,) = stacks_of(*reversed(parts))
    np.testing.assert_array_equal(shown(stack), values)


def test_a_concatenation_with_a_part_missing_says_so() -> None:
    values = picture(130, 150)
    tiles = cut(values, TILE_ROWS, TILE_COLUMNS)
    first, _, last = concatenated(slide(tiles, (130, 150)), tiles, (5, 1, 6))
    (stack,) = stacks_of(first, last)
    assert stack.notes == ("1 of the slide's tiles are missing: there is background in their place.",)
    expected = values.copy()
    # The sixth frame of three in a row lies in the second row of tiles, third column.
    expected[40:80, 128:] = 255
    np.testing.assert_array_equal(shown(stack), expected)


def test_an_incomplete_resolution_is_not_used() -> None:
    fine, coarse = picture(1200, 1600), np.full((300, 400, 3), 9, np.uint8)
    tiles = cut(coarse, 100, 100)
    (part, _) = concatenated(slide(tiles, (300, 400)), tiles, (5, 7))
    (stack,) = stacks_of(part, slide(cut(fine, 256, 256), (1200, 1600), number=2))
    assert stack.notes == ()
    np.testing.assert_array_equal(shown(stack, 0), reduce_by(fine, 4))


def test_levels_come_from_the_resolutions_that_there_are_and_from_means_between_them() -> None:
    fine = picture(1200, 1600)
    coarse = np.full((300, 400, 3), 9, np.uint8)
    coarse[10, 20] = (1, 2, 3)
    (stack,) = stacks_of(
        slide(cut(coarse, 100, 100), (300, 400), number=1, spacing_mm=0.002),
        slide(cut(fine, 256, 256), (1200, 1600), number=2),
    )
    assert [shown(stack, level).shape[:2] for level in range(3)] == [(300, 400), (600, 800), (1200, 1600)]
    np.testing.assert_array_equal(shown(stack, 0), coarse)
    np.testing.assert_array_equal(shown(stack, 1), reduce_by(fine, 2))
    block = fine[50:52, 70:72].astype(int).sum(axis=(0, 1))
    assert shown(stack, 1)[25, 35].tolist() == ((block + 2) // 4).tolist()
    np.testing.assert_array_equal(shown(stack, 2), fine)


def test_a_resolution_that_was_rounded_down_fits_all_the_same() -> None:
    fine = np.full((1030, 1030, 3), 50, np.uint8)
    coarse = np.full((257, 257, 3), 60, np.uint8)
    (stack,) = stacks_of(
        slide(cut(fine, 512, 512), (1030, 1030), number=1), slide(cut(coarse, 64, 64), (257, 257), number=2)
    )
    lowest = shown(stack, 0)
    assert lowest.shape == (258, 258, 3)
    assert (lowest == 60).all()


def test_a_slide_of_one_resolution_has_levels_of_ours_that_stay_on_disk() -> None:
    values = picture(2100, 3000)
    (stack,) = stacks_of(slide(cut(values, 500, 500), (2100, 3000)))
    instance = stack.first.instance
    assert [shown(stack, level).shape[:2] for level in range(4)] == [(263, 375), (525, 750), (1050, 1500), (2100, 3000)]
    np.testing.assert_array_equal(shown(stack, 2), reduce_by(values, 2))
    np.testing.assert_array_equal(shown(stack, 1), reduce_by(values, 4))
    # 1:8 is made from 1:2, which is rounded: half a grey level at most, and the mean of that half.
    difference = shown(stack, 0).astype(int) - reduce_by(values, 8).astype(int)
    assert abs(difference).max() <= 1
    assert len(list(levels_folder().glob("*/*.levels"))) == 1 + 4 + 9
    before = shown(stack, 0)
    forget_what_was_drawn()
    np.testing.assert_array_equal(shown(stack, 0), before)
    prepare_levels(instance, 1)


def test_levels_of_a_slide_are_made_again_when_their_files_come_to_harm() -> None:
    values = picture(1100, 1500)
    (stack,) = stacks_of(slide(cut(values, 500, 500), (1100, 1500)))
    prepare_levels(stack.first.instance, 1)
    before = shown(stack, 0)
    for path in levels_folder().glob("*/*.levels"):
        data = bytearray(path.read_bytes())
        data[-5] ^= 0xFF
        path.write_bytes(data)
    forget_what_was_drawn()
    slide_levels._tiles_under_way.clear()
    np.testing.assert_array_equal(shown(stack, 0), before)


def test_a_huge_matrix_with_one_frame_costs_what_one_frame_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    tile = Tile(np.zeros((64, 64, 3), np.uint8), 900_000_000, 900_000_000)
    (stack,) = stacks_of(slide([tile], (1 << 30, 1 << 30), sparse=True))
    made = []
    original = slide_levels.SlideLevel._made
    monkeypatch.setattr(slide_levels.SlideLevel, "_made", lambda self, region: made.append(1) or original(self, region))
    lowest = shown(stack, 0)
    assert lowest.shape == (512, 512, 3)
    assert len(made) < 200


def test_a_slide_too_large_for_one_picture_is_refused_in_words() -> None:
    tile = Tile(np.zeros((64, 64, 3), np.uint8), 0, 0)
    (stack,) = stacks_of(slide([tile], (100_000, 100_000), sparse=True))
    with pytest.raises(NothingToDraw, match="too large to be drawn as one picture"):
        full_frame(stack.first.instance, 1)


def test_label_overview_and_thumbnail_are_pictures_of_their_own() -> None:
    values = picture(80, 128)
    others = [
        slide([Tile(picture(50, 60, seed=n), 0, 0)], (50, 60), kind=kind, number=n, DimensionOrganizationType=None)
        for n, kind in enumerate(("LABEL", "OVERVIEW", "THUMBNAIL"), 2)
    ]
    found = stacks_of(slide(cut(values, 40, 64), (80, 128)), *others)
    assert [(stack.id, stack.label) for stack in found] == [
        (SERIES_INSTANCE_UID, ""),
        *((str(ds.SOPInstanceUID), kind) for ds, kind in zip(others, ("label", "overview", "thumbnail"), strict=True)),
    ]
    np.testing.assert_array_equal(shown(found[1]), picture(50, 60, seed=2))


def test_volumes_of_other_proportions_are_another_slide() -> None:
    found = stacks_of(
        slide(cut(picture(80, 128), 40, 64), (80, 128), number=1),
        slide(cut(picture(80, 64), 40, 64), (80, 64), number=2),
    )
    assert [(one.first.instance.rows, one.first.instance.columns) for one in found] == [(80, 128), (80, 64)]


def test_two_scans_of_one_size_are_two_slides_and_two_paths_are_one() -> None:
    scans = [picture(80, 128, seed=seed) for seed in (1, 2)]
    images = [slide(cut(values, 40, 64), (80, 128), number=number) for number, values in enumerate(scans, 1)]
    light = picture(80, 128, seed=3)
    images.append(slide(cut(light, 40, 64), (80, 128), paths=("IF",), number=3))
    found = stacks_of(*images)
    assert [stack.label for stack in found] == ["optical path 1", "optical path IF", ""]
    for stack, values in zip(found, (scans[0], light, scans[1]), strict=True):
        np.testing.assert_array_equal(shown(stack), values)


def test_a_damaged_resolution_is_left_out_and_the_finest_is_refused() -> None:
    fine, coarse = picture(1200, 1600), np.full((300, 400, 3), 9, np.uint8)
    images = [
        slide(cut(fine, 256, 256), (1200, 1600), number=1),
        slide(cut(coarse, 100, 100), (300, 400), number=2),
    ]
    store(*images)
    series = Series.objects.select_related("study").get()
    for number, expected in ((2, None), (1, "Flipped.")):
        Instance.objects.get(instance_number=number).stored_file.__class__.objects.filter(
            instance__instance_number=number
        ).update(damage="Flipped.")
        forget_what_was_drawn()
        (stack,) = split_series_of(series, revision=series.study.revision).stacks
        if expected is None:
            np.testing.assert_array_equal(shown(stack, 0), reduce_by(fine, 4))
        else:
            with pytest.raises(NothingToDraw, match=expected):
                shown(stack, 0)


# --- Through the doors ------------------------------------------------------------------------------------------------


def tile_of(client: Client, address: str) -> NDArray[np.uint8]:
    response = client.get(address)
    assert response.status_code == 200, response.content
    with Image.open(io.BytesIO(response.content)) as found:
        return np.asarray(found)


def test_a_slide_is_asked_for_like_every_stack(cast: Cast, client_of: Callable[..., Client]) -> None:
    values = picture(1100, 1500)
    ds = slide(cut(values, 300, 400), (1100, 1500), spacing_mm=0.00025)
    (stack,) = stacks_of(ds)
    reader = client_of(cast.reader)
    manifest = reader.get(f"/stacks/{SERIES_INSTANCE_UID}/manifest.json").json()
    assert (manifest["Rows"], manifest["Columns"], manifest["color"], len(manifest["frames"])) == (1100, 1500, True, 1)
    assert [(one["scale"], one["rows"], one["columns"]) for one in manifest["levels"]] == [
        (4, 1, 1),
        (2, 2, 2),
        (1, 3, 3),
    ]
    assert manifest["PixelSpacing"]["row_mm"] == manifest["PixelSpacing"]["column_mm"] == 0.00025
    address = f"/tiles/{SERIES_INSTANCE_UID}/1/2/{{}}/{{}}.png"
    np.testing.assert_array_equal(tile_of(reader, address.format(1, 1)), values[512:1024, 512:1024])
    np.testing.assert_array_equal(tile_of(reader, address.format(2, 2)), values[1024:, 1024:])
    assert reader.get(address.format(3, 0)).status_code == 404
    assert reader.get(f"/tiles/{SERIES_INSTANCE_UID}/1/3/0/0.png").status_code == 404
    assert reader.get(f"/tiles/{SERIES_INSTANCE_UID}/2/0/0/0.png").status_code == 404
    assert reader.get(f"/stacks/{stack.id}/thumbnail.png").status_code == 200
    pixel = reader.get(f"/api/stacks/{stack.id}/frames/1/value", {"row": 1099, "column": 1499}).json()
    assert pixel["value"] == values[1099, 1499].tolist()


def test_who_may_not_see_a_slide_sees_none(cast: Cast, client_of: Callable[..., Client]) -> None:
    stacks_of(slide(cut(picture(80, 64), 40, 64), (80, 64)))
    outsider = client_of(cast.outsider)
    assert outsider.get(f"/tiles/{SERIES_INSTANCE_UID}/1/0/0/0.png").status_code == 404
    assert outsider.get(f"/stacks/{SERIES_INSTANCE_UID}/manifest.json").status_code == 404


def test_jpeg_tiles_are_the_colours_that_the_codec_gives() -> None:
    (ds,) = large_slide((16,))
    receive_part10(io.BytesIO(to_part10_bytes(ds, JPEG_BASELINE)), Origin(door=Door.FOLDER))
    index_waiting_files()
    series = Series.objects.select_related("study").get()
    (stack,) = split_series_of(series, revision=series.study.revision).stacks
    assert drawable(stack.first.instance).description.lossy
    values = shown(stack)
    assert values.shape == (1000, 1250, 3)
    (row, column) = (11, 27)
    tile = values[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32]
    expected = kind_of_tile(large_tile(row, column), 16)
    assert abs(tile.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))).max() < 3


def test_a_real_slide_is_its_frames_in_five_rows_of_five(data_dir: Path) -> None:
    path = data_dir / "wsi" / "sm_image.dcm"
    ds = pydicom.dcmread(path)
    send_file(path)
    index_waiting_files()
    series = Series.objects.select_related("study").get()
    (stack,) = split_series_of(series, revision=series.study.revision).stacks
    frames = np.frombuffer(ds.PixelData, np.uint8, 25 * 300).reshape(5, 5, 10, 10, 3)
    np.testing.assert_array_equal(shown(stack), frames.swapaxes(1, 2).reshape(50, 50, 3))
