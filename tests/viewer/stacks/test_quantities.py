"""In what a frame is read: probe, statistics, histogram, profile, curve and the SUV window by one rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.test import Client
from pydicom import Dataset, dcmread

from archive.indexing.writer import index_waiting_files
from archive.models import Series
from archive.pixels.description import RealWorldMapping
from tests.journeys.sending import forget_what_was_drawn, send_file, store
from tests.phantoms import PET_IMAGE, SERIES_INSTANCE_UID, mr_image, ramp
from tests.viewer.rendering.images import describe_values
from tests.viewer.rendering.test_real_world import mapping
from tests.viewer.stacks.test_mapping_objects import mapping_object, read_out
from viewer.rendering.quantities import Quantity, apply_quantity, quantity_of
from viewer.rendering.real_world import NamedMappings, apply_mapping
from viewer.stacks.lookup import split_series_of
from viewer.stacks.windows import window_of_stack

if TYPE_CHECKING:
    from tests.conftest import Cast


ClientOf = Callable[..., Client]
FRAME = f"/api/stacks/{SERIES_INSTANCE_UID}/frames/1"
BOX = {"kind": "rectangle", "geometry": {"points": [[0, 0], [4, 1]]}}
"""Columns 0 to 3 of row 0: stored 100, 101, 102 and 103 of the ramp, mean 101.5."""
LINE = {"kind": "length", "geometry": {"points": [[0.5, 0.5], [3.5, 0.5]]}}
UPTAKE = {"RealWorldValueIntercept": 0.0, "RealWorldValueLastValueMapped": 32748}
KNOWN = {"PatientWeight": 70.0, "Units": "BQML", "CorrectedImage": ["ATTN", "DECY"], "DecayCorrection": "ADMIN"}


@pytest.fixture
def reader(portal_data: Path, cast: Cast, client_of: ClientOf) -> Client:
    forget_what_was_drawn()
    return client_of(cast.reader)


def pet(slope: float, number: int = 1, **attributes: Any) -> Dataset:
    """A slice of a PET with a slope of its own, ramp from 100."""
    made = mr_image(ramp(start=100), number=number, **({"Units": "BQML"} | attributes))
    made.SOPClassUID, made.Modality = PET_IMAGE, "PT"
    made.RescaleSlope, made.RescaleIntercept = slope, 0
    return made


def dosed(slope: float, number: int = 1) -> Dataset:
    """70 kg, corrected to the injection of 70 MBq: 1 Bq/ml is 70,000 g / 70,000,000 Bq = 0.001 g/ml."""
    drug = Dataset()
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = 70e6, 6588.0
    return pet(slope, number, RadiopharmaceuticalInformationSequence=[drug], **KNOWN)


def ask(client: Client, what: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"{FRAME}/{what}", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def notes(client: Client) -> list[str]:
    found: list[str] = client.get(f"/stacks/{SERIES_INSTANCE_UID}/manifest.json").json()["notes"]
    return found


def test_an_image_without_a_unit_is_read_in_that_of_a_mapping_object_everywhere(reader: Client) -> None:
    image = mr_image(ramp(start=100))
    store(image, mapping_object(image))
    # 0.5 x 101.5 - 1 = 49.75; the ends 49 and 50.5; spread of 100 to 103 is sqrt(1.25), halved.
    found = ask(reader, "statistics", BOX)["statistics"]
    assert (found["mean"], found["minimum"], found["maximum"]) == (49.75, 49.0, 50.5)
    assert found["sd"] == pytest.approx(1.25**0.5 / 2)
    assert (found["unit"], found["unit_code"], found["source"]) == ("mm²/s", "mm2/s", "ADC")
    assert (found["histogram"]["first"], sum(found["histogram"]["counts"])) == (49.0, 4)
    profile = ask(reader, "profile", LINE)
    assert (profile["values"], profile["unit"]) == ([49.0, 49.5, 50.0, 50.5], "mm²/s")
    curve = ask(reader, "curve", BOX)
    assert (curve["means"], curve["unit"]) == ([49.75], "mm²/s")
    assert read_out(reader, column=0)["text"].endswith(" · 49 mm²/s (ADC)")


def test_an_object_that_names_some_of_the_times_gives_a_curve_no_unit(reader: Client) -> None:
    times = [mr_image(ramp(start=100), number=number, TemporalPositionIdentifier=number) for number in (1, 2)]
    for one in times:
        one.ImagePositionPatient = [0, 0, 0]
    store(*times, mapping_object(times[0]))
    curve = ask(reader, "curve", BOX)
    assert (curve["means"], curve["unit"]) == ([101.5] * len(curve["means"]), "")


def test_uptake_of_an_object_that_fits_every_slice_is_used_where_the_file_has_none(reader: Client) -> None:
    slices = [pet(2.0, 1), pet(0.5, 2)]
    beside = [
        mapping_object(one, label="RWV", unit="{SUVbw}g/ml", RealWorldValueSlope=one.RescaleSlope * 0.01, **UPTAKE)
        for one in slices
    ]
    store(*slices, *beside)
    # 0.02 x 101.5 of stored values; a hundredth of modality values 203.
    found = ask(reader, "statistics", BOX)
    assert (found["suv"]["mean"], found["suv"]["name"]) == (pytest.approx(2.03), "SUVbw")
    assert found["suv"]["histogram"]["first"] == pytest.approx(found["statistics"]["histogram"]["first"] / 100)
    assert ask(reader, "profile", LINE)["values"] == pytest.approx([2.0, 2.02, 2.04, 2.06])
    assert ask(reader, "profile", LINE)["unit"] == "g/ml SUVbw"
    assert ask(reader, "curve", BOX)["means"][0] == pytest.approx(2.03)
    assert read_out(reader, column=0)["text"] == "200 Bq/ml · 2 g/ml SUVbw"
    # The first window is SUV 0 to 7: 0 to 700 Bq/ml.
    series = Series.objects.get(modality="PT")
    split = split_series_of(series, revision=series.study.revision)
    window = window_of_stack(split.stacks[0], split).window
    assert window is not None
    assert (window.center - window.width / 2, window.center + window.width / 2) == (0.0, pytest.approx(700.0))
    assert notes(reader) == []
    told = reader.get(f"/stacks/{SERIES_INSTANCE_UID}/manifest.json").json()["uptake"]
    assert told == {"name": "SUVbw", "unit": "g/ml", "factor": pytest.approx(0.01)}


def test_uptake_of_an_object_that_takes_modality_values_for_stored_ones_is_shown_nowhere(reader: Client) -> None:
    # As in petct/acrin_042: one slope for all slices, though each slice has a rescale slope of its own.
    slices = [dosed(2.0, 1), dosed(0.5, 2)]
    store(*slices, mapping_object(*slices, label="RWV", unit="{SUVbw}g/ml", RealWorldValueSlope=0.001, **UPTAKE))
    found = read_out(reader, column=0)
    # 200 Bq/ml x 0.001, and not 100 x 0.001.
    assert (found["text"], found["real_world"]) == ("200 Bq/ml · 0.2 g/ml SUVbw", [])
    assert ask(reader, "statistics", BOX)["suv"]["mean"] == pytest.approx(0.203)
    assert any("RWV gives other uptake values (SUV); they are not used" in note for note in notes(reader))


def test_a_real_object_that_does_not_fit_its_pet_changes_no_uptake(reader: Client, data_dir: Path) -> None:
    folder = data_dir / "petct" / "acrin_042"
    slices = [folder / "pet_ac" / f"00{number}.dcm" for number in (57, 58)]
    for path in (*slices, folder / "rwv_5.dcm"):
        send_file(path)
    index_waiting_files()
    series = Series.objects.get(modality="PT")
    split = split_series_of(series, revision=series.study.revision)
    (stack,) = split.stacks
    for number, frame in enumerate(stack.frames, 1):
        (path,) = (one for one in slices if dcmread(one).SOPInstanceUID == frame.instance.sop_instance_uid)
        ds = dcmread(path)
        where = f"/api/stacks/{stack.id}/frames/{number}/value"
        found = reader.get(where, {"row": 64, "column": 64}).json()
        # The factor of the site is one on Bq/ml: stored value times the slope of its slice (README of the files).
        assert found["value"] == pytest.approx(found["stored"] * float(ds.RescaleSlope))
        assert found["suv"][0]["value"] == pytest.approx(found["value"] * 0.00042111, rel=1e-5)
        assert found["text"].count("SUV") == 1


def test_without_dose_and_a_fitting_object_there_is_no_uptake(reader: Client) -> None:
    slices = [pet(2.0, 1), pet(0.5, 2)]
    store(*slices, mapping_object(*slices, label="RWV", unit="{SUVbw}g/ml", RealWorldValueSlope=0.001, **UPTAKE))
    found = ask(reader, "statistics", BOX)
    assert (found["suv"], found["statistics"]["mean"], found["statistics"]["unit"]) == (None, 203.0, "Bq/ml")
    assert (ask(reader, "profile", LINE)["unit"], read_out(reader)["suv"]) == ("Bq/ml", [])


def test_a_unit_of_the_file_stands() -> None:
    described = describe_values(np.zeros((2, 2), np.int16), modality="CT", rescale_type="HU")
    beside = [NamedMappings("RWV", (RealWorldMapping(first=0, last=9, slope=2.0, unit="mm2/s"),))]
    assert quantity_of(described, 1, beside) == Quantity("HU")


def test_what_a_mapping_does_not_cover_has_no_value() -> None:
    line = RealWorldMapping(first=1, last=2, slope=3.0, intercept=1.0, unit="s")
    table = RealWorldMapping(first=1, last=2, unit="s", table=np.array([8.0, 9.0], "<f8").tobytes())
    stored = np.array([[0.0, 1.0], [1.5, 3.0]])
    assert np.array_equal(apply_mapping(stored, line), [[np.nan, 4.0], [5.5, np.nan]], equal_nan=True)
    assert np.array_equal(apply_mapping(stored, table), [[np.nan, 8.0], [np.nan, np.nan]], equal_nan=True)
    described = describe_values(np.zeros((2, 2), np.int16))
    assert np.array_equal(
        apply_quantity(stored, described, 1, Quantity("s", mapping=line)), apply_mapping(stored, line), equal_nan=True
    )


def test_uptake_of_a_pet_whose_units_are_missing_is_scaled_once(reader: Client) -> None:
    own = [mapping("g/ml{SUVbw}", RealWorldValueSlope=0.02, RealWorldValueIntercept=0.0)]
    store(pet(2.0, Units="", RealWorldValueMappingSequence=own))
    found = ask(reader, "statistics", BOX)
    # Stored 101.5 x 0.02; modality values 203 without a unit.
    assert (found["statistics"]["mean"], found["statistics"]["unit"]) == (203.0, "")
    assert found["suv"]["mean"] == pytest.approx(2.03)
    assert ask(reader, "curve", BOX)["means"] == pytest.approx([2.03])


def test_mappings_of_files_that_give_no_single_factor_give_no_uptake_but_each_its_value(reader: Client) -> None:
    own = {
        "RealWorldValueMappingSequence": [mapping("g/ml{SUVbw}", RealWorldValueSlope=0.02, RealWorldValueIntercept=0)]
    }
    store(pet(2.0, 1, **own), pet(0.5, 2, **own))
    assert (ask(reader, "statistics", BOX)["suv"], ask(reader, "profile", LINE)["unit"]) == (None, "Bq/ml")
    assert read_out(reader, column=0)["text"] == "200 Bq/ml · 2 g/ml SUVbw"
    assert any("do not give one factor" in note for note in notes(reader))


@pytest.mark.parametrize("attributes", [{"RescaleSlope": 1e308}, {"RealWorldValueMappingSequence": [1e308]}])
def test_a_slope_beyond_all_numbers_gives_no_value_and_no_broken_answer(
    attributes: dict[str, Any], reader: Client
) -> None:
    if "RealWorldValueMappingSequence" in attributes:
        attributes = {"RealWorldValueMappingSequence": [mapping(RealWorldValueSlope=1e308)]}
    store(mr_image(ramp(start=100), **attributes))
    assert ask(reader, "profile", LINE)["values"] == [None] * 4
    assert (ask(reader, "statistics", BOX)["statistics"]["count"], ask(reader, "curve", BOX)["means"]) == (0, [None])
    assert read_out(reader)["real_world"] == []


@pytest.mark.parametrize("code", ["{SUVbw}g/ml", "g/ml{SUVbw}"])
def test_uptake_is_known_in_both_spellings_of_its_unit(code: str, reader: Client) -> None:
    # PS3.16 CID 85 has the annotation behind the unit; files of before have it in front.
    own = [mapping(code, RealWorldValueSlope=0.02, RealWorldValueIntercept=0.0)]
    store(pet(2.0, RealWorldValueMappingSequence=own))
    assert read_out(reader, column=0)["suv"][0]["value"] == pytest.approx(2.0)
