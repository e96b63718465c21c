"""Images made to do harm, from the intake to the tile: words with a 4xx status or a picture, and the next tile is right."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from archive.dicom.transfer_syntaxes import HTJ2K_LOSSLESS
from archive.errors import ArchiveError
from archive.indexing.writer import index_waiting_files
from archive.models import Series, Study
from archive.pixels.child import children
from archive.pixels.encode import encode_frame
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from tests.abuse import ABUSES, Abuse
from tests.phantoms import ct_image, ramp, to_part10_bytes, with_encapsulated
from viewer.stacks.lookup import split_series_of

if TYPE_CHECKING:
    from tests.conftest import Cast

DEADLINE_S = 10.0
"""Far above what any tile takes (bench/RESULTS.md), on a machine that does much else."""
GOOD_TILE = "/tiles/2.25.1002/1/0/0/0.png?window=-216,512,linear-exact"
"""Of stored values from 800 on: HU from -224 to 31 lie in the window, two values a grey level."""


@pytest.fixture
def reader(study: Study, cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


def receive(abuse: Abuse) -> Series | None:
    """Through the intake and into the index; None where the intake refuses it."""
    ds = abuse.data_set()
    data = io.BytesIO(to_part10_bytes(ds, abuse.transfer_syntax_uid))
    try:
        receive_part10(data, Origin(door=Door.DIMSE, calling_ae_title="SCANNER"))
    except ArchiveError:
        return None
    index_waiting_files()
    return Series.objects.select_related("study").get(series_instance_uid=ds.SeriesInstanceUID)


def check_good_tile(reader: Client) -> None:
    response = reader.get(GOOD_TILE)
    assert response.status_code == 200
    with Image.open(io.BytesIO(response.content)) as picture:
        found = np.array(picture)
    # PS3.3 C.11.2.1.3.2 (LINEAR_EXACT): (HU - (-216)) / 512 + 0.5, times 255, truncated.
    hounsfield = np.arange(800, 800 + 256).reshape(16, 16) - 1024
    assert np.array_equal(found, np.floor(((hounsfield + 216) / 512 + 0.5) * 255).clip(0, 255))


def ask(reader: Client, address: str) -> Any:
    started = time.monotonic()
    response = reader.get(address)
    assert time.monotonic() - started < DEADLINE_S
    return response


@pytest.mark.parametrize("abuse", ABUSES, ids=lambda abuse: abuse.name)
def test_an_abusive_image_gets_an_answer_and_the_next_tile_is_right(abuse: Abuse, reader: Client) -> None:
    series = receive(abuse)
    assert series is not None
    (stack,) = split_series_of(series, revision=series.study.revision).stacks

    # Twice: what was refused once is refused again, not half remembered.
    for _ in range(2):
        response = ask(reader, f"/tiles/{stack.id}/{abuse.frame}/0/0/0.png")
        if abuse.answer:
            assert response.status_code in {404, 422}
            assert abuse.answer in response.json()["error"]
            assert response["Cache-Control"] == "no-store"
        else:
            assert (response.status_code, response["Content-Type"]) == (200, "image/png")

    manifest = ask(reader, f"/stacks/{stack.id}/manifest.json")
    assert manifest.status_code in {200, 422}
    # NaN and Infinity are no JSON: a browser could not read the manifest.
    json.loads(manifest.content, parse_constant=refuse_constant)
    assert ask(reader, f"/stacks/{stack.id}/thumbnail.png").status_code in {200, 404, 422}
    assert ask(reader, f"/api/stacks/{stack.id}/frames/1/value?row=0&column=0").status_code in {200, 404, 422}
    check_good_tile(reader)


def refuse_constant(name: str) -> None:
    raise AssertionError(name)


def test_a_million_claimed_frames_are_not_listed(reader: Client) -> None:
    (abuse,) = (one for one in ABUSES if one.name == "a million frames claimed")
    series = receive(abuse)
    assert series is not None

    (stack,) = split_series_of(series, revision=series.study.revision).stacks

    # One that is there, and at most 1024 that are missing.
    assert len(stack.frames) == 1025


def test_a_decoder_that_is_killed_between_two_tiles_is_not_noticed(reader: Client) -> None:
    def compressed() -> Any:
        values = ramp(start=900).astype(np.uint16)
        return with_encapsulated(ct_image(values), [[encode_frame(values, transfer_syntax_uid=HTJ2K_LOSSLESS)]])

    for _ in range(2):
        series = receive(Abuse("none", compressed, HTJ2K_LOSSLESS))
        assert series is not None
        (stack,) = split_series_of(series, revision=series.study.revision).stacks
        assert reader.get(f"/tiles/{stack.id}/1/0/0/0.png").status_code == 200
        for pid in children.process_ids:
            os.kill(pid, signal.SIGKILL)
