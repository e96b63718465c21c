"""What the manifest says of values: enough to draw every frame, and no more than that; null where the server draws."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from pydicom import Dataset

from archive.access.rules import may_have_values
from archive.models import StoredFile
from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import color_image, ct_image, ct_series, enhanced_ct, image, mr_image, ramp
from viewer.rendering.color_maps import MAP_NAMES, color_map

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
SERIES = "2.25.1002"
MANIFEST = f"/stacks/{SERIES}/manifest.json"
VALUE_TILE = f"/tiles/{SERIES}/1/0/0/0.png?values=1"


@pytest.fixture
def reader(cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


def values_of(reader: Client, stack: str = SERIES) -> Any:
    return reader.get(f"/stacks/{stack}/manifest.json").json()["values"]


def lut(entries: list[int], *, first: int, bits: int, explanation: str = "") -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries), first, bits])
    item.add_new(0x00283006, "US", entries)
    item.LUTExplanation = explanation
    return item


# --- Columns ----------------------------------------------------------------------------------------------------------


def test_what_is_the_same_in_all_frames_is_said_once(reader: Client) -> None:
    store(*ct_series(4))
    values = values_of(reader)
    assert (values["offset"], values["slope"], values["intercept"]) == (0, [1], [-1024])
    assert (values["padding"], values["inverted"], values["unit"]) == ([None], [False], ["HU"])
    assert (values["own"], values["file"], values["luts"]) == ([0], [0], [[]])
    assert values["vois"] == [{"center": 40, "width": 400, "function": "linear"}]
    assert values["modality_luts"] == [] and values["automatic"] is None


def test_slopes_that_differ_by_slice_stand_in_the_order_of_the_frames(reader: Client) -> None:
    slopes = [0.5, 0.25, 2.0]
    store(*(ct_image(z=5.0 * n, number=n, RescaleSlope=slope) for n, slope in enumerate(slopes, 1)))
    values = values_of(reader)
    assert values["slope"] == slopes
    assert values["intercept"] == [-1024]


def test_frames_of_an_enhanced_object_have_their_own_slopes(reader: Client) -> None:
    ds = enhanced_ct(3, slopes=[1.0, 2.0, 3.0])
    store(ds)
    assert values_of(reader, ds.SOPInstanceUID)["slope"] == [1, 2, 3]


def test_the_facts_of_a_thousand_slices_are_small(reader: Client) -> None:
    store(*(ct_image(ramp(2, 2), z=float(n), number=n, RescaleSlope=0.1 + n / 7919) for n in range(1, 101)))
    assert len(json.dumps(values_of(reader))) < 100 * 25 + 600


def test_windows_as_in_file_differ_by_slice_and_the_stack_has_one(reader: Client) -> None:
    windows = [(40, 400), (50, 350), (40, 400)]
    store(*(ct_image(z=5.0 * n, number=n, WindowCenter=c, WindowWidth=w) for n, (c, w) in enumerate(windows)))
    values = values_of(reader)
    assert values["own"] == [0]
    shown = [values["vois"][place] for place in values["file"]]
    assert [(one["center"], one["width"]) for one in shown] == windows
    assert (values["vois"][0]["center"], values["vois"][0]["width"]) == (50, 350)


def test_signed_values_are_offset_and_padding_is_a_range_of_stored_values(reader: Client) -> None:
    extreme = {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1990, "PixelRepresentation": 1, "BitsStored": 16}
    store(ct_image(ramp(), **extreme))
    values = values_of(reader)
    assert (values["offset"], values["padding"]) == (32768, [[-2000, -1990]])


def test_an_image_that_is_black_at_its_highest_value_says_so(reader: Client) -> None:
    store(ct_image(PhotometricInterpretation="MONOCHROME1"))
    assert values_of(reader)["inverted"] == [True]


def test_tables_of_the_file_are_listed_once_and_named_by_place(reader: Client) -> None:
    modality = lut([100, 200, 65535], first=7, bits=16)
    vois = [lut([0, 2048, 4095], first=100, bits=12), lut([0, 255], first=0, bits=8)]
    for n in (1, 2):
        ds = ct_image(z=5.0 * n, number=n, ModalityLUTSequence=[modality], VOILUTSequence=vois)
        del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType
        store(ds)
    values = values_of(reader)
    assert (values["modality_lut"], values["luts"], values["own"], values["file"]) == ([0], [[0, 1]], [0], [0])
    (table,) = values["modality_luts"]
    assert table["first"] == 7
    assert np.frombuffer(b64decode(table["entries"]), "<u2").tolist() == [100, 200, 65535]
    first, second = values["vois"]
    # PS3.3 C.11.2.1.1: 12 bits to 8 by dropping four.
    assert (first["first"], list(b64decode(first["entries"]))) == (100, [0, 128, 255])
    assert (second["first"], list(b64decode(second["entries"]))) == (0, [0, 255])


def test_a_window_from_values_is_that_of_the_whole_stack(reader: Client) -> None:
    store(*(mr_image(ramp(start=100 * n, step=3), number=n) for n in (1, 2, 3)))
    values = values_of(reader)
    told = reader.get(MANIFEST).json()["window"]
    assert values["own"] == [0] and values["automatic"] == values["vois"][0]
    assert (values["automatic"]["center"], values["automatic"]["width"]) == (told["center"], told["width"])


def test_a_frame_that_cannot_be_drawn_leaves_the_others_theirs(reader: Client) -> None:
    damaged = ct_image(z=10, number=3)
    store(*ct_series(2), damaged)
    StoredFile.objects.filter(instance__sop_instance_uid=damaged.SOPInstanceUID).update(damage="The file is damaged.")
    forget_what_was_drawn()
    values = values_of(reader)
    assert values["intercept"] == [-1024, -1024, 0] and values["own"] == [0, 0, None]


# --- Where there are none ---------------------------------------------------------------------------------------------


def test_colors_and_overlays_are_drawn_by_the_server(reader: Client) -> None:
    ds = ct_image(z=30, number=1, SeriesInstanceUID="2.25.77")
    ds.add_new((0x6000, 0x10), "US", 16)
    ds.add_new((0x6000, 0x11), "US", 16)
    ds.add_new((0x6000, 0x40), "CS", "G")
    ds.add_new((0x6000, 0x50), "SS", [1, 1])
    ds.add_new((0x6000, 0x100), "US", 1)
    ds.add_new((0x6000, 0x102), "US", 0)
    ds.add_new((0x6000, 0x3000), "OW", b"\xff" * 32)
    store(ds, color_image(SeriesInstanceUID="2.25.78"))
    assert values_of(reader, "2.25.77") is None
    assert values_of(reader, "2.25.78") is None


def test_values_of_more_than_16_bits_are_drawn_by_the_server(reader: Client) -> None:
    store(image(ramp(), BitsAllocated=32, SeriesInstanceUID="2.25.79", Modality="OT"))
    assert values_of(reader, "2.25.79") is None


def test_a_stack_of_signed_and_unsigned_images_is_drawn_by_the_server(reader: Client) -> None:
    store(ct_image(z=0, number=1), ct_image(z=5, number=2, PixelRepresentation=1))
    assert values_of(reader) is None


# --- Who may have them ------------------------------------------------------------------------------------------------


def test_people_may_have_values_and_nobody_else(cast: Cast) -> None:
    assert all(may_have_values(user) for user in cast.everybody())
    assert not may_have_values(AnonymousUser())
    assert not may_have_values(object())
    cast.reader.is_active = False
    assert not may_have_values(cast.reader)


def test_who_may_only_have_pictures_gets_no_values(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    store(*ct_series(2))
    assert reader.get(VALUE_TILE).status_code == 200
    for place in ("viewer.stacks.views", "viewer.tiles.fast_lane"):
        monkeypatch.setattr(f"{place}.may_have_values", lambda who: False)
    # The tile is in memory, and still refused.
    assert reader.get(VALUE_TILE).status_code == 404
    assert reader.get(VALUE_TILE.removesuffix("?values=1")).status_code == 200
    assert values_of(reader) is None


# --- What is asked when it is needed ----------------------------------------------------------------------------------


def test_the_automatic_window_of_a_stack_with_a_header_window_comes_when_asked_for(
    reader: Client, cast: Cast, client_of: Callable[..., Client]
) -> None:
    store(*(ct_image(ramp(64, 64, start=900), z=5.0 * n, number=n) for n in (1, 2)))
    address = f"/stacks/{SERIES}/automatic_window.json"
    told = reader.get(address).json()["window"]
    assert told["function"].startswith("linear") and told["width"] > 1
    named = {one["key"]: one for one in reader.get(MANIFEST).json()["windows"]}
    assert "center" not in named["auto"]
    tile = f"/tiles/{SERIES}/1/0/0/0.png"
    explicit = f"{told['center']},{told['width']},{told['function']}"
    assert reader.get(tile, {"window": "auto"}).content == reader.get(tile, {"window": explicit}).content
    assert client_of(cast.outsider).get(address).status_code == 404
    assert client_of(None).get(address).status_code in (302, 401)
    assert reader.post(address).status_code == 405


def test_color_maps_have_256_entries(reader: Client) -> None:
    told = reader.get("/api/color-maps.json").json()
    assert set(told) == set(MAP_NAMES)
    for name, text in told.items():
        assert b64decode(text) == color_map(name).tobytes() and len(b64decode(text)) == 768
