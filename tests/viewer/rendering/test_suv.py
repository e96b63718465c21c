"""Factor from modality values to SUV, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.rendering.suv import PetFacts, acquisition_start, moment, pet_facts, suv

SCAN = datetime(2026, 11, 24, 10, 0)  # noqa: DTZ001 - the scanner's clock
GOOD = PetFacts(
    units="BQML",
    corrections=frozenset({"ATTN", "DECY", "SCAT"}),
    decay_correction="START",
    series_start=SCAN,
    earliest_acquisition=SCAN,
    injection_time=timedelta(hours=8, minutes=10, seconds=12),
    dose_bq=400e6,
    half_life_s=6588.0,
    weight_kg=80.0,
)
# 1 h 49 min 48 s are 6588 s, one half-life: half the dose is left, 80000 g / 200e6 Bq.
FACTOR = 80_000 / 200e6


def test_one_half_life_leaves_half_the_dose() -> None:
    found = suv(GOOD)
    assert found.factor == pytest.approx(FACTOR, rel=1e-12)
    assert (found.formula, found.reason) == ("body weight", "")


def test_decay_to_administration_needs_no_times() -> None:
    facts = replace(GOOD, decay_correction="ADMIN", series_start=None, injection_time=None)
    assert suv(facts).factor == pytest.approx(80_000 / 400e6)


def test_an_injection_before_midnight() -> None:
    after_midnight = SCAN.replace(hour=0, minute=30)
    facts = replace(
        GOOD,
        series_start=after_midnight,
        earliest_acquisition=after_midnight,
        injection_time=timedelta(hours=22, minutes=40, seconds=12),
    )
    assert suv(facts).factor == pytest.approx(FACTOR)


def test_an_injection_with_its_date_wins_over_its_time() -> None:
    facts = replace(GOOD, injection=SCAN - timedelta(seconds=2 * 6588))
    assert suv(facts).factor == pytest.approx(80_000 / 100e6)


def test_a_post_processed_series_counts_from_its_earliest_acquisition() -> None:
    later = replace(GOOD, series_start=SCAN + timedelta(hours=5))
    assert suv(later).factor == pytest.approx(FACTOR)


def test_the_vendors_scan_time_wins_for_a_post_processed_series() -> None:
    facts = replace(
        GOOD,
        series_start=SCAN + timedelta(hours=5),
        earliest_acquisition=SCAN + timedelta(minutes=20),
        vendor_scan_start=SCAN,
    )
    assert suv(facts).factor == pytest.approx(FACTOR)


def test_acquisitions_after_the_series_time_change_nothing() -> None:
    # Later bed positions: the image is corrected to the start of the series.
    facts = replace(
        GOOD, earliest_acquisition=SCAN + timedelta(minutes=20), vendor_scan_start=SCAN + timedelta(hours=1)
    )
    assert suv(facts).factor == pytest.approx(FACTOR)


@pytest.mark.parametrize("name", ["weight_kg", "dose_bq", "half_life_s"])
@pytest.mark.parametrize("value", [None, 0.0, -1.0, float("nan")])
def test_what_is_missing_or_zero_is_named(name: str, value: float | None) -> None:
    found = suv(replace(GOOD, **{name: value}))  # type: ignore[arg-type]
    assert found.factor is None
    assert {"weight_kg": "weight", "dose_bq": "dose", "half_life_s": "half-life"}[name] in found.reason


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"corrections": frozenset({"DECY"})}, "ATTN"),
        ({"corrections": frozenset({"ATTN"})}, "DECY"),
        ({"decay_correction": "NONE"}, "decay"),
        ({"decay_correction": ""}, "decay"),
        ({"series_start": None, "earliest_acquisition": None}, "start of the scan"),
        ({"injection_time": None}, "injection"),
        ({"injection": SCAN + timedelta(hours=1)}, "contradict"),
        ({"injection": SCAN - timedelta(days=3)}, "contradict"),
        ({"units": "PROPCPS"}, "PROPCPS"),
        ({"units": ""}, "Units"),
        ({"units": "CNTS"}, "CNTS"),
        ({"units": "GML", "suv_type": "NEW"}, "NEW"),
    ],
)
def test_no_factor_without_a_reason(changes: dict[str, Any], word: str) -> None:
    found = suv(replace(GOOD, **changes))
    assert found.factor is None
    assert word in found.reason


def test_counts_of_philips() -> None:
    assert suv(replace(GOOD, units="CNTS", philips_suv_factor=0.002)).factor == 0.002
    by_activity = replace(GOOD, units="CNTS", philips_suv_factor=0.0, philips_activity_factor=3.0)
    assert suv(by_activity).factor == pytest.approx(3 * FACTOR)


@pytest.mark.parametrize(
    ("suv_type", "formula"),
    [
        ("", "body weight"),
        ("BW", "body weight"),
        ("LBMJANMA", "lean body mass (Janmahasatian)"),
        ("BSA", "body surface area"),
    ],
)
def test_grams_per_millilitre_are_suv_of_their_type(suv_type: str, formula: str) -> None:
    found = suv(PetFacts(units="GML", suv_type=suv_type))
    assert (found.factor, found.formula) == (1.0, formula)


def mapping(code: str, slope: float, intercept: float = 0.0) -> Dataset:
    units = Dataset()
    units.CodeValue = code
    item = Dataset()
    item.MeasurementUnitsCodeSequence = Sequence([units])
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    return item


def test_a_real_world_value_mapping_wins() -> None:
    # The mapping starts from stored values, the factor from modality values: 0.001 / 2.
    ds = Dataset()
    ds.Units, ds.RescaleSlope, ds.RescaleIntercept = "BQML", "2", "0"
    ds.RealWorldValueMappingSequence = Sequence([mapping("Bq/ml", 2.0), mapping("{SUVbw}g/ml", 0.001)])

    found = suv(pet_facts(ds))

    assert (found.factor, found.formula, found.source) == (0.0005, "body weight", "Real World Value Mapping")


def test_a_mapping_with_an_intercept_is_left_out() -> None:
    ds = Dataset()
    ds.Units, ds.RescaleSlope, ds.RescaleIntercept = "PROPCPS", "2", "0"
    ds.RealWorldValueMappingSequence = Sequence([mapping("{SUVbw}g/ml", 0.001, 5.0)])
    assert suv(pet_facts(ds)).factor is None


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("20261124", "100000", SCAN),
        ("20261124", "10", SCAN),
        ("20261124", "1000", SCAN),
        ("20261124", "100000.250000", SCAN + timedelta(milliseconds=250)),
        ("20261124", "", None),
        ("", "100000", None),
        ("20261131", "100000", None),
        ("20261124", "256000", None),
        ("20261124", "noon", None),
    ],
)
def test_moments(date: str, time: str, expected: datetime | None) -> None:
    assert moment(date, time) == expected


def test_a_real_series_has_the_factor_that_its_site_published(data_dir: Path) -> None:
    folder = data_dir / "petct" / "acrin_042" / "pet_ac"
    images = [dcmread(file, stop_before_pixels=True) for file in sorted(folder.iterdir())]
    starts = [start for start in map(acquisition_start, images) if start is not None]

    found = suv(pet_facts(images[0], earliest_acquisition=min(starts)))

    assert found.factor is not None
    assert math.isclose(found.factor, 0.00042111, rel_tol=2e-5)


def test_a_real_series_that_is_suv_already(data_dir: Path) -> None:
    file = next(iter(sorted((data_dir / "petct" / "sts_001" / "pet").iterdir())))
    found = suv(pet_facts(dcmread(file, stop_before_pixels=True)))
    assert (found.factor, found.formula) == (1.0, "body weight")
