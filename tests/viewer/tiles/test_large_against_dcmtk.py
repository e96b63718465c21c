"""Real large images at 1:1, put together from tiles of kept levels, against dcmtk's picture of the whole."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archive.indexing.writer import index_waiting_files
from archive.models import Series
from tests.journeys.sending import forget_what_was_drawn, send_file
from viewer.rendering.display_table import padding_mask
from viewer.rendering.parameters import parse_parameters
from viewer.rendering.regions import RegionValues
from viewer.rendering.tiles import TILE_SIZE, levels
from viewer.stacks.lookup import SplitSeries, split_series_of
from viewer.stacks.splitting import Stack
from viewer.tiles.drawing import TileAddress, draw_tile, plan_tile
from viewer.tiles.frames import drawable, frame_at_level, full_frame, prepare_levels
from viewer.tiles.level_cache import writer

FILES = {
    "cr_dx_mg/mg_sigmoid_voilut.dcm": (2000, 1500, "sigmoid"),
    "cr_dx_mg/CR-ModalitySequenceLUT.dcm": (500, 900, "linear"),
    "test_patterns": (2000, 3000, "linear"),
}
"""Each with a window that shows most of its values, and the function that its file names."""


@pytest.fixture(autouse=True)
def _kept_apart(portal_data: Path, transactional_db: None) -> Iterator[None]:
    yield
    writer.wait()


def dcmtk(path: Path, center: int, width: int) -> np.ndarray:
    """The picture of dcmj2pnm, or of dcml2pnm for JPEG-LS."""
    for program in ("/usr/bin/dcmj2pnm", "/usr/bin/dcml2pnm"):
        command = [program, "+op", "+Ww", str(center), str(width), str(path), "/dev/stdout"]
        found = subprocess.run(command, capture_output=True, check=False, timeout=60)
        if found.returncode == 0 and found.stdout:
            return np.asarray(Image.open(io.BytesIO(found.stdout)))
    raise AssertionError(f"dcmtk cannot draw {path.name}.")


def whole(stack: Stack, split: SplitSeries, window: str) -> np.ndarray:
    description = drawable(stack.first.instance).description
    last = levels(description.rows, description.columns)[-1]
    picture = np.zeros((last.rows, last.columns), np.uint8)
    for row in range(last.tile_rows):
        for column in range(last.tile_columns):
            address = TileAddress(1, last.level, row, column)
            tile = Image.open(
                io.BytesIO(draw_tile(plan_tile(stack, split, address, parse_parameters({"window": window}))))
            )
            top, left = row * TILE_SIZE, column * TILE_SIZE
            picture[top : top + tile.height, left : left + tile.width] = np.asarray(tile)
    return picture


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("from_disk", [False, True])
def test_every_pixel_is_that_of_dcmtk(name: str, from_disk: bool, data_dir: Path) -> None:
    path = data_dir / name
    path = next(iter(sorted(path.iterdir()))) if path.is_dir() else path
    center, width, function = FILES[name]
    send_file(path)
    index_waiting_files()
    series = Series.objects.select_related("study").get()
    split = split_series_of(series, revision=series.study.revision)
    stack = split.stacks[0]
    if from_disk:
        prepare_levels(stack.first.instance, 1)
        forget_what_was_drawn()
    assert isinstance(frame_at_level(stack.first.instance, 1, -1).values, RegionValues) == from_disk
    picture = whole(stack, split, f"{center},{width},{function}")
    assert len(np.unique(picture)) > 10, "the window shows something"
    expected = dcmtk(path, center, width).copy()
    padded = padding_mask(
        full_frame(stack.first.instance, 1).values, drawable(stack.first.instance).description.padding
    )
    if padded is not None:
        # On purpose: padding is black here and takes no part in the window (PS3.3 C.7.5.1.1.2); dcmtk draws it.
        expected[padded] = 0
    np.testing.assert_array_equal(picture, expected)
