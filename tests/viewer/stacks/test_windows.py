"""A stack's window from headers at once, from pixels when asked, and from uptake for PET."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image
from pydicom import Dataset

from archive.models import Series
from archive.pixels.description import VoiFunction, Window
from tests.conftest import Cast
from tests.journeys.sending import store
from tests.phantoms import PET_IMAGE, SERIES_INSTANCE_UID, ct_image, image, mr_image, ramp
from viewer.rendering.stack_window import StackWindow, WindowOrigin
from viewer.stacks import suv
from viewer.stacks.lookup import stack_at
from viewer.stacks.windows import window_of_stack

HALF_LIFE_S = 6586.2
INJECTION = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - a scanner's clock has no zone
ONE_HALF_LIFE_LATER = INJECTION + timedelta(seconds=HALF_LIFE_S)
FACTOR = 80_000 / 200e6
"""80 kg, 400 MBq of which half is left."""
SUV_7 = Window(3.5 / FACTOR, 7 / FACTOR, VoiFunction.LINEAR_EXACT, "Automatic")

pytestmark = pytest.mark.usefixtures("portal_data", "transactional_db")


@pytest.fixture(autouse=True)
def without_uptake(alone: None) -> None:
    """Nothing kept from the test before."""
    suv._found.clear()


def window(*, with_automatic: bool = False) -> StackWindow:
    stack, split = stack_at(SERIES_INSTANCE_UID)
    return window_of_stack(stack, split, with_automatic=with_automatic)


# --- Headers and pixels -----------------------------------------------------------------------------------------------


def ct_stack() -> None:
    """Slice n holds 1024 + 100 n throughout, which is 100 n HU; the last pixel of the last is 1000 HU."""
    slices = [np.full((16, 16), 1024 + 100 * number) for number in range(4)]
    slices[3][15, 15] = 2024
    store(*(ct_image(values, z=10.0 * number, number=number + 1) for number, values in enumerate(slices)))


def test_a_header_window_is_there_without_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    ct_stack()
    monkeypatch.setattr("viewer.stacks.windows.full_frame", lambda *_: pytest.fail("pixels were read"))
    found = window()
    assert (found.origin, found.window, found.automatic) == (WindowOrigin.HEADER, Window(40, 400), None)


def test_the_automatic_window_beside_it_is_that_of_the_whole_stack() -> None:
    ct_stack()
    found = window(with_automatic=True)
    assert (found.origin, found.window) == (WindowOrigin.HEADER, Window(40, 400))
    # 1024 values in order: the 0.1st percentile lies at 1.0 and is 0 HU, the 99.9th at 1021.977 and is 300 HU.
    # 0 to 300 are 301 steps; the one pixel of 1000 HU is left out.
    assert found.automatic == Window(150.5, 301.0, VoiFunction.LINEAR, "Automatic")
    assert window().automatic is None


def test_a_tile_of_the_automatic_window_is_the_same_grey_for_a_value_in_every_frame(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    ct_stack()
    reader = client_of(cast.reader)
    for number in range(4):
        response = reader.get(f"/tiles/{SERIES_INSTANCE_UID}/{number + 1}/0/0/0.png", {"window": "auto"})
        with Image.open(io.BytesIO(response.content)) as picture:
            grey = np.array(picture)[0, 0]
        # LINEAR, center 150.5, width 301: 0 HU is 0 and 300 HU is 255.
        assert grey == number * 85


def test_a_stack_whose_headers_are_silent_has_one_window_whoever_asks() -> None:
    store(*(mr_image(ramp(start=100 * number, step=1), number=number) for number in range(1, 4)))
    assert window().origin is WindowOrigin.COMPUTED
    assert window(with_automatic=True) == window()


def test_colour_has_no_automatic_window() -> None:
    store(image(np.zeros((8, 8, 3), np.uint8), SamplesPerPixel=3, InstanceNumber=1))
    assert window(with_automatic=True) == StackWindow(WindowOrigin.COLOR)


# --- Uptake -----------------------------------------------------------------------------------------------------------


def pet_image(number: int, *, acquired: datetime = ONE_HALF_LIFE_LATER, **attributes: Any) -> Dataset:
    drug = Dataset()
    drug.RadiopharmaceuticalStartDateTime = INJECTION.strftime("%Y%m%d%H%M%S")
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = 400e6, HALF_LIFE_S
    values = {
        "Modality": "PT",
        "InstanceNumber": number,
        "RescaleSlope": 2,
        "RescaleIntercept": 0,
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["ATTN", "DECY"],
        "PatientWeight": 80,
        "SeriesDate": "20260302",
        "SeriesTime": ONE_HALF_LIFE_LATER.strftime("%H%M%S.%f"),
        "AcquisitionDate": "20260302",
        "AcquisitionTime": acquired.strftime("%H%M%S.%f"),
        "RadiopharmaceuticalInformationSequence": [drug],
        "ImagePositionPatient": [0, 0, 5.0 * number],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [4, 4],
        **attributes,
    }
    return image(ramp(step=100), sop_class_uid=PET_IMAGE, **values)


def test_pet_is_shown_from_suv_0_to_7_black_on_white() -> None:
    store(*(pet_image(number) for number in range(1, 4)))
    found = window()
    assert found.window is not None and found.inverted
    assert (found.window.center, found.window.width) == pytest.approx((SUV_7.center, SUV_7.width))


def test_of_a_series_made_later_the_first_acquisition_counts_whichever_image_has_it() -> None:
    later = ONE_HALF_LIFE_LATER + timedelta(minutes=20)
    store(
        pet_image(1, acquired=later, SeriesTime="180000"),
        pet_image(2, acquired=later, SeriesTime="180000"),
        pet_image(3, acquired=ONE_HALF_LIFE_LATER, SeriesTime="180000"),
    )
    found = window()
    assert found.window is not None
    assert found.window.width == pytest.approx(SUV_7.width)


def test_pet_without_a_weight_is_shown_up_to_its_highest_value() -> None:
    store(*(pet_image(number, PatientWeight=None) for number in range(1, 4)))
    stack, split = stack_at(SERIES_INSTANCE_UID)
    assert suv.suv_of_stack(stack, split).factor is None
    # Stored 0 to 25 500, slope 2.
    assert window().window == Window(25500.5, 51001.0, VoiFunction.LINEAR, "Automatic")


def test_the_files_are_not_read_for_a_window_that_the_header_has(monkeypatch: pytest.MonkeyPatch) -> None:
    store(*(pet_image(number, WindowCenter=5000, WindowWidth=10000) for number in range(1, 4)))
    monkeypatch.setattr("viewer.stacks.suv.read_dataset", lambda *_: pytest.fail("a file was read"))
    assert window().window == Window(5000, 10000)


def test_a_file_that_is_gone_costs_the_uptake_and_not_the_picture() -> None:
    store(*(pet_image(number) for number in range(1, 4)))
    stack, split = stack_at(SERIES_INSTANCE_UID)
    suv.layout.path_of(stack.middle.instance.key).unlink()
    assert suv.suv_of_stack(stack, split).reason == "The file cannot be read."
    assert window().origin is WindowOrigin.COMPUTED


def test_what_is_no_pet_has_no_uptake() -> None:
    ct_stack()
    assert Series.objects.get().modality == "CT"
    assert suv.suv_of_stack(*stack_at(SERIES_INSTANCE_UID)).factor is None


# --- Uptake under the pointer -----------------------------------------------------------------------------------------


def value_in(client: Client) -> dict[str, Any]:
    # Row 0, column 10: stored 1000, slope 2.
    found: dict[str, Any] = client.get(
        f"/api/stacks/{SERIES_INSTANCE_UID}/frames/2/value", {"row": 0, "column": 10}
    ).json()
    return found


def test_the_value_of_a_pet_has_its_uptake_beside_it(cast: Cast, client_of: Callable[..., Client]) -> None:
    store(*(pet_image(number, PatientSize=1.8, PatientSex="M") for number in range(1, 4)))

    found = value_in(client_of(cast.reader))

    # 2000 Bq/ml * 80 000 g / 200e6 Bq = 0.8; James' lean mass of 80 kg and 1.80 m is 64.296 kg.
    assert found["text"] == "2000 Bq/ml · 0.8 g/ml SUVbw"
    by_formula = {one["formula"]: one["value"] for one in found["suv"]}
    assert by_formula["body weight"] == pytest.approx(0.8)
    assert by_formula["lean body mass (James)"] == pytest.approx(0.8 * 64.296 / 80, rel=1e-4)
    assert found["suv_missing"] == []


def test_the_value_of_a_pet_without_a_weight_is_its_activity_and_the_reason(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    store(*(pet_image(number, PatientWeight=None) for number in range(1, 4)))
    reader = client_of(cast.reader)
    found = value_in(reader)
    assert (found["text"], found["suv"]) == ("2000 Bq/ml", [])
    assert found["suv_missing"] == ["The patient's weight is not in the file."]
    notes = reader.get(f"/stacks/{SERIES_INSTANCE_UID}/manifest.json").json()["notes"]
    assert "No uptake values (SUV): The patient's weight is not in the file." in notes
