"""Where the tiles of a whole slide lie, read once and kept in few bytes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from archive.pixels.describe import describe, from_json, to_json
from archive.pixels.description import ImageDescription, Tiling
from archive.pixels.tiling import TilePlaces, pack_places, tile_places
from tests.phantoms import image
from tests.slides import Tile, slide

BLACK = np.zeros((4, 6, 3), np.uint8)


def places_of(description: ImageDescription) -> TilePlaces:
    assert description.tiling is not None
    return tile_places(description.tiling, description.rows, description.columns, description.frames)


def test_tiled_full_needs_no_places() -> None:
    # 2 rows of 2 tiles (10 x 9 pixels in tiles of 4 x 6 would be 3 rows), 2 focal planes, 2 optical paths.
    ds = slide([Tile(BLACK, 0, 0)] * 16, (8, 9), paths=("A", "B"), depths=(0.0, 1.0))
    description = from_json(json.loads(json.dumps(to_json(describe(ds)))))
    assert description.tiling is not None
    assert description.tiling.places == b""
    places = places_of(description)
    assert places.row.tolist() == [0, 0, 4, 4] * 4
    assert places.column.tolist() == [0, 6, 0, 6] * 4
    assert places.plane.tolist() == [0, 0, 0, 0, 1, 1, 1, 1] * 2
    assert places.path.tolist() == [0] * 8 + [1] * 8


def test_a_part_of_a_concatenation_begins_where_the_last_one_ended() -> None:
    ds = slide([Tile(BLACK, 0, 0)] * 2, (8, 9), ConcatenationUID="2.25.7", ConcatenationFrameOffsetNumber=1)
    places = places_of(describe(ds))
    assert (places.row.tolist(), places.column.tolist()) == ([0, 4], [6, 0])


def test_tiled_sparse_says_the_place_of_every_frame() -> None:
    tiles = [Tile(BLACK, 40, 12, 1, 0), Tile(BLACK, 0, 600, 0, 1)]
    ds = slide(tiles, (100, 1000), sparse=True, paths=("A", "B"), depths=(-1.5, 2.5))
    description = from_json(json.loads(json.dumps(to_json(describe(ds)))))
    places = places_of(description)
    assert (places.row.tolist(), places.column.tolist()) == ([40, 0], [12, 600])
    assert (places.path.tolist(), places.plane.tolist()) == ([1, 0], [0, 1])
    assert description.tiling is not None
    assert description.tiling.depths == (-1.5, 2.5)
    assert description.per_frame == ()


def test_a_file_that_does_not_say_how_it_is_tiled_is_read_by_its_places() -> None:
    ds = slide([Tile(BLACK, 8, 6)], (100, 1000), sparse=True, DimensionOrganizationType=None)
    places = places_of(describe(ds))
    assert (places.row.tolist(), places.column.tolist()) == ([8], [6])


def test_what_is_kept_of_a_hundred_thousand_places_is_short() -> None:
    number = np.arange(100_000)
    chosen = number + number // 7
    places = np.column_stack([chosen // 400 * 512, chosen % 400 * 512, number * 0, number * 0])
    tiling = Tiling(200_000, 204_800, places=pack_places(places))
    text = json.dumps(to_json(ImageDescription(512, 512, frames=100_000, tiling=tiling)))
    assert len(text) < 20_000
    found = places_of(from_json(json.loads(text)))
    np.testing.assert_array_equal(np.column_stack([found.row, found.column]), places[:, :2])


def test_a_description_kept_before_there_were_slides_still_reads() -> None:
    old = to_json(describe(image()))
    assert "tiling" not in old
    assert from_json(old).tiling is None


@pytest.mark.parametrize("total", [(0, 9), (8, 0), (1 << 31, 9)])
def test_a_matrix_that_makes_no_sense_is_no_slide(total: tuple[int, int]) -> None:
    assert describe(slide([Tile(BLACK, 0, 0)], total)).tiling is None


def test_the_matrix_of_another_kind_of_object_is_no_slide() -> None:
    ds = slide([Tile(BLACK, 0, 0)], (8, 9))
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    assert describe(ds).tiling is None


def test_a_place_that_cannot_be_is_not_believed() -> None:
    ds = slide([Tile(BLACK, 0, 0)], (8, 9), sparse=True)
    group = ds.PerFrameFunctionalGroupsSequence[0]
    group.PlanePositionSlideSequence[0].RowPositionInTotalImagePixelMatrix = -(1 << 31)
    described = describe(ds).tiling
    assert described is not None
    assert described == replace(described, places=b"")
