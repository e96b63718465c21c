"""The chest radiograph: MONOCHROME1, so that dense parts have low stored values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from viewer.demo.headers import DemoVisit
from viewer.demo.objects import DemoObject
from viewer.demo.radiograph import radiograph_object


@pytest.fixture(scope="module")
def made(visit: DemoVisit) -> DemoObject:
    return radiograph_object(visit)


def test_picture_is_2048_by_2500_in_12_bits_of_monochrome1(made: DemoObject) -> None:
    ds = made.ds

    assert (ds.Columns, ds.Rows, ds.BitsStored, ds.PhotometricInterpretation) == (2048, 2500, 12, "MONOCHROME1")
    assert list(ds.PatientOrientation) == ["L", "F"]
    assert ds.VOILUTFunction == "SIGMOID"


def test_lungs_let_through_more_than_spine_and_belly(made: DemoObject) -> None:
    values = np.frombuffer(made.ds.PixelData, "<u2").reshape(2500, 2048)

    def at(x_mm: float, z_mm: float) -> float:
        row, column = round((235 - z_mm) / 0.175), round(1023.5 + x_mm / 0.175)
        return float(values[row - 20 : row + 20, column - 20 : column + 20].mean())

    assert at(-70, 60) > at(-70, -60) + 300
    assert at(-70, 60) > at(0, 60) + 300
    assert values[:40].min() == 4095  # outside the collimated field
    assert values.max() <= 4095


def test_validator_finds_no_error(made: DemoObject, errors_of: Callable[[DemoObject], list[str]]) -> None:
    assert errors_of(made) == []
