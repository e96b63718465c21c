"""PET and its CT: one space, and activities that a standardised uptake value can be worked out from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from viewer.demo import anatomy
from viewer.demo.headers import DemoVisit
from viewer.demo.objects import DemoObject
from viewer.demo.pet import CT_OF_PET, GRID, pet_ct_study, pet_object


def suv_by_weight(ds: Dataset) -> NDArray[np.float64]:
    """Stored values to g/ml, worked out from the header alone (decay from the start of the series)."""
    dose = ds.RadiopharmaceuticalInformationSequence[0]
    injected = datetime.strptime(dose.RadiopharmaceuticalStartDateTime, "%Y%m%d%H%M%S")  # noqa: DTZ007 as recorded
    series = datetime.strptime(ds.SeriesDate + ds.SeriesTime, "%Y%m%d%H%M%S")  # noqa: DTZ007 as recorded
    left = float(dose.RadionuclideTotalDose) * 2 ** (
        -(series - injected).total_seconds() / float(dose.RadionuclideHalfLife)
    )
    stored = np.frombuffer(ds.PixelData, "<i2").reshape(ds.Rows, ds.Columns).astype(float)
    return stored * float(ds.RescaleSlope) * float(ds.PatientWeight) * 1000 / left


def around(values: NDArray[np.float64], place: tuple[float, float, float]) -> NDArray[np.float64]:
    column, row = (round(place[axis] / GRID.spacing_mm + (GRID.size - 1) / 2) for axis in (0, 1))
    return values[row - 1 : row + 2, column - 1 : column + 2]


def slice_at(z_mm: float) -> int:
    return round((GRID.top_mm - z_mm) / GRID.slice_spacing_mm) + 1


def test_ct_and_pet_share_frame_of_reference_and_slice_positions(visit: DemoVisit) -> None:
    makers = pet_ct_study(visit)

    ct, pet = makers[17]().ds, makers[40 + 17]().ds

    assert len(makers) == 80
    assert (ct.Modality, pet.Modality) == ("CT", "PT")
    assert ct.FrameOfReferenceUID == pet.FrameOfReferenceUID
    assert ct.ImagePositionPatient[2] == pet.ImagePositionPatient[2]
    assert (pet.Rows, pet.Columns, pet.NumberOfSlices) == (128, 128, 40)
    # The same 400 mm across, so that both cover the same field.
    assert ct.Columns * float(ct.PixelSpacing[1]) == pet.Columns * float(pet.PixelSpacing[1]) == 400


def test_header_gives_uptake_values_of_liver_and_lesions(visit: DemoVisit) -> None:
    liver = around(suv_by_weight(pet_object(visit, slice_at(anatomy.LIVER_AT[2])).ds), anatomy.LIVER_AT)
    nodule = around(suv_by_weight(pet_object(visit, slice_at(anatomy.NODULE_AT[2])).ds), anatomy.NODULE_AT)
    lesion = around(suv_by_weight(pet_object(visit, slice_at(anatomy.LIVER_LESION_AT[2])).ds), anatomy.LIVER_LESION_AT)

    assert liver.mean() == pytest.approx(2.3, abs=0.2)
    assert nodule.max() > 6
    assert lesion.max() > 6


def test_each_slice_has_its_own_slope_and_uses_its_range(visit: DemoVisit) -> None:
    made = [pet_object(visit, number).ds for number in (4, 12, 36)]

    assert len({ds.RescaleSlope for ds in made}) == 3
    assert all(np.frombuffer(ds.PixelData, "<i2").max() == 32767 for ds in made)
    assert all(float(ds.RescaleIntercept) == 0 for ds in made)


def test_header_says_how_decay_was_corrected(visit: DemoVisit) -> None:
    first, second = pet_object(visit, 1).ds, pet_object(visit, 21).ds

    assert (first.Units, first.DecayCorrection) == ("BQML", "START")
    assert {"ATTN", "DECY"} <= set(first.CorrectedImage)
    # The second bed begins three minutes later, and its middle lies 270 s after the start of the series.
    assert (first.AcquisitionTime, second.AcquisitionTime) == ("100400", "100700")
    assert float(second.FrameReferenceTime) == 270_000
    assert float(second.DecayFactor) == pytest.approx(2 ** (270 / 6586.2), abs=1e-5)


def test_validator_finds_no_error(visit: DemoVisit, errors_of: Callable[[DemoObject], list[str]]) -> None:
    assert errors_of(pet_object(visit, 20)) == []
    assert errors_of(pet_ct_study(visit)[20]()) == []
    assert CT_OF_PET.grid.slices == GRID.slices
