"""Real World Value Mappings from the data set to the read-out (PS3.3 C.7.6.16.2.11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from archive.pixels.describe import describe, from_json, to_json
from archive.pixels.description import RealWorldMapping, VoiFunction
from archive.pixels.real_world import real_world_mappings
from tests.phantoms import enhanced_ct, image
from tests.viewer.rendering.corpus import open_image
from viewer.rendering.real_world import real_world_value
from viewer.rendering.values import value_at
from viewer.rendering.voi_lut import apply_window


def mapping(unit: str = "mm2/s", **attributes: Any) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
    item = Dataset()
    item.MeasurementUnitsCodeSequence = [code]
    known = {
        "RealWorldValueFirstValueMapped": 0,
        "RealWorldValueLastValueMapped": 4095,
        "RealWorldValueSlope": 0.5,
        "RealWorldValueIntercept": -1.0,
    }
    for keyword, value in (known | attributes).items():
        if value is not None:
            setattr(item, keyword, value)
            if keyword.endswith("ValueMapped"):
                item[keyword].VR = "SS" if value < 0 else "US"
    return item


def read_out(ds: Dataset, stored: int, frame: int = 1) -> str:
    description = from_json(json.loads(json.dumps(to_json(describe(ds)))))
    return value_at(np.full((1, 1), stored), description, frame, 0, 0).text


def test_a_line_starts_from_stored_values_and_not_from_modality_values() -> None:
    ds = image(RescaleSlope=2, RescaleIntercept=0, RescaleType="US", RealWorldValueMappingSequence=[mapping()])
    # Modality value 200 without a unit; 0.5 * 100 - 1 = 49.
    assert read_out(ds, 100) == "200 · 49 mm²/s"


def test_outside_of_its_range_a_mapping_says_nothing() -> None:
    ds = image(RealWorldValueMappingSequence=[mapping(RealWorldValueLastValueMapped=99)])
    assert [read_out(ds, stored) for stored in (99, 100)] == ["99 · 48.5 mm²/s", "100"]


def test_the_rescale_line_again_is_said_once_with_its_unit() -> None:
    ds = image(RealWorldValueMappingSequence=[mapping(RealWorldValueSlope=1.0, RealWorldValueIntercept=0.0)])
    assert read_out(ds, 7) == "7 mm²/s"


def test_several_mappings_are_several_values() -> None:
    ds = image(RealWorldValueMappingSequence=[mapping(), mapping("{SUVbw}g/ml", RealWorldValueIntercept=0.0)])
    assert read_out(ds, 10) == "10 · 4 mm²/s · 5 g/ml SUVbw"


def test_a_table_is_looked_up() -> None:
    table = mapping(
        RealWorldValueFirstValueMapped=10,
        RealWorldValueLastValueMapped=12,
        RealWorldValueSlope=None,
        RealWorldValueIntercept=None,
        RealWorldValueLUTData=[0.25, float("nan"), -3.5],
    )
    found = real_world_mappings(_with(table), signed=False)[0]
    assert [real_world_value(stored, found) for stored in (9, 10, 11, 12, 13, 10.5)] == [
        None,
        0.25,
        None,
        -3.5,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"RealWorldValueSlope": None},
        {"RealWorldValueSlope": 0.0},
        {"RealWorldValueIntercept": None},
        {"RealWorldValueFirstValueMapped": None},
        {"RealWorldValueSlope": None, "RealWorldValueLUTData": [1.0, 2.0]},
    ],
)
def test_a_mapping_that_cannot_be_used_is_none(broken: dict[str, Any]) -> None:
    assert real_world_mappings(_with(mapping(**broken)), signed=False) == ()


def test_without_a_unit_there_is_no_value() -> None:
    item = mapping()
    del item.MeasurementUnitsCodeSequence
    assert real_world_mappings(_with(item), signed=False) == ()


def test_a_signed_range_is_signed_whatever_its_vr() -> None:
    item = mapping(RealWorldValueFirstValueMapped=0x8000, RealWorldValueLastValueMapped=0x7FFF)
    found = real_world_mappings(_with(item), signed=True)[0]
    assert (found.first, found.last) == (-32768.0, 32767.0)


def test_the_range_of_a_float_image_is_double() -> None:
    item = mapping(
        RealWorldValueFirstValueMapped=None,
        RealWorldValueLastValueMapped=None,
        DoubleFloatRealWorldValueFirstValueMapped=-1.5,
        DoubleFloatRealWorldValueLastValueMapped=1e9,
    )
    found = real_world_mappings(_with(item), signed=False)[0]
    assert (found.first, found.last) == (-1.5, 1e9)


def test_a_frame_has_the_mapping_of_its_own_group() -> None:
    ds = enhanced_ct(3, RescaleType=None)
    ds.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence = [mapping()]
    ds.PerFrameFunctionalGroupsSequence[1].RealWorldValueMappingSequence = [mapping("s", RealWorldValueSlope=2.0)]
    assert [read_out(ds, 10, frame) for frame in (1, 2)] == ["-1014 HU · 4 mm²/s", "-1014 HU · 19 s"]


def test_a_real_parametric_map_reads_in_its_unit(data_dir: Path) -> None:
    path = data_dir / "seg_rt" / "parametric_map_float.dcm"
    opened = open_image(path)
    ds = dcmread(path)
    item = ds.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    code = item.MeasurementUnitsCodeSequence[0].CodeValue
    values = opened.frame().values
    pixel = value_at(values, opened.description, 1, 64, 64)
    assert pixel.real_world[0].value == item.RealWorldValueSlope * float(values[64, 64]) + item.RealWorldValueIntercept
    # UCUM writes a number without a unit as "1".
    assert (code, pixel.real_world[0].unit) == ("1", "")


def test_a_real_parametric_map_from_0_to_1_is_drawn_in_all_its_greys(data_dir: Path) -> None:
    """Center 0.5, width 1: a step for whole numbers, a ramp for fractions; 0 is black, 1 white."""
    path = data_dir / "seg_rt" / "parametric_map_float.dcm"
    opened = open_image(path)
    values = np.frombuffer(dcmread(path).FloatPixelData, "<f4").reshape(128, 128)
    (window,) = opened.description.frame(1).windows
    assert (window.center, window.width, window.function) == (0.5, 1.0, VoiFunction.LINEAR_EXACT)
    assert np.array_equal(apply_window(values, window), np.floor(values.astype(float) * 255))


def test_the_mapping_object_of_a_real_pet_has_the_factor_of_its_site(data_dir: Path) -> None:
    ds = dcmread(data_dir / "petct" / "acrin_042" / "rwv_5.dcm")
    first = ds.ReferencedImageRealWorldValueMappingSequence[0]
    found = real_world_mappings(first, signed=True)[0]
    assert (found.unit, found.slope, found.intercept) == ("{SUVbw}g/ml", 0.00042111, 0.0)
    assert real_world_value(10_000, found) == pytest.approx(4.2111)


def test_negative_stored_values_lie_outside_an_unsigned_range() -> None:
    assert real_world_value(-1, RealWorldMapping(first=0, last=10)) is None


def _with(item: Dataset) -> Dataset:
    ds = Dataset()
    ds.RealWorldValueMappingSequence = [item]
    return ds
