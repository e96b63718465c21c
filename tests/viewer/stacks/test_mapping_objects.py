"""Units that a Real World Value Mapping object gives to images of its study (PS3.3 A.46, C.7.6.16.2.11)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import SERIES_INSTANCE_UID, mr_image, ramp
from tests.viewer.rendering.test_real_world import mapping
from viewer.stacks.mapping_objects import REAL_WORLD_VALUE_MAPPING, read_mapping_object

if TYPE_CHECKING:
    from tests.conftest import Cast

ClientOf = Callable[..., Client]


def mapping_object(*images: Dataset, label: str = "ADC", **attributes: Any) -> Dataset:
    """An object that maps stored values of these images by half and minus one."""
    ds = Dataset()
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex"):
        setattr(ds, keyword, images[0].get(keyword, ""))
    ds.SOPClassUID, ds.SOPInstanceUID = REAL_WORLD_VALUE_MAPPING, generate_uid()
    ds.SeriesInstanceUID, ds.Modality, ds.ContentLabel = generate_uid(), "RWV", label
    item = Dataset()
    item.ReferencedImageSequence = []
    for image in images:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
        item.ReferencedImageSequence.append(reference)
    item.RealWorldValueMappingSequence = [mapping(**attributes)]
    ds.ReferencedImageRealWorldValueMappingSequence = [item]
    return ds


@pytest.fixture
def reader(portal_data: Path, cast: Cast, client_of: ClientOf) -> Client:
    forget_what_was_drawn()
    return client_of(cast.reader)


def read_out(client: Client, frame: int = 1, column: int = 10) -> dict[str, Any]:
    answer = client.get(f"/api/stacks/{SERIES_INSTANCE_UID}/frames/{frame}/value", {"row": 0, "column": column})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_value_stands_beside_the_images_own_with_its_unit_and_whose_it_is(reader: Client) -> None:
    first, second = (mr_image(ramp(start=100), number=number) for number in (1, 2))
    store(first, second, mapping_object(first))
    # Stored 110: 0.5 x 110 - 1 = 54.
    found = read_out(reader)
    assert found["stored"] == 110
    assert found["text"].endswith(" · 54 mm²/s (ADC)")
    assert [(one["value"], one["unit"], one["source"]) for one in found["real_world"]] == [(54.0, "mm²/s", "ADC")]
    # The object does not name the second image.
    assert read_out(reader, 2)["real_world"] == []


def test_a_mapping_of_the_file_comes_first_and_stays(reader: Client) -> None:
    own = mr_image(ramp(), RealWorldValueMappingSequence=[mapping("1", RealWorldValueSlope=3.0)])
    store(own, mapping_object(own))
    # 3 x 10 - 1 of the file, 0.5 x 10 - 1 of the object.
    assert [(one["value"], one["source"]) for one in read_out(reader)["real_world"]] == [(29.0, ""), (4.0, "ADC")]


def test_the_latest_object_is_named_first_and_one_that_cannot_be_used_says_nothing(reader: Client) -> None:
    image = mr_image(ramp())
    without_images = mapping_object(image, label="NOTHING")
    without_images.ReferencedImageRealWorldValueMappingSequence[0].ReferencedImageSequence = []
    store(image, mapping_object(image, label="OLD"))
    store(mapping_object(image, label="NEW", RealWorldValueSlope=1.0), without_images)
    assert [(one["value"], one["source"]) for one in read_out(reader)["real_world"]] == [(9.0, "NEW"), (4.0, "OLD")]


def test_a_real_object_says_which_images_have_which_uptake_factor(data_dir: Path) -> None:
    found = read_mapping_object(dcmread(data_dir / "sr/dcmqi_petseg/rwvm.dcm"))
    (item,) = found.items
    (factor,) = item.signed
    assert (found.label, len(item.images), factor.unit) == ("RWV", 191, "{SUVbw}g/ml")
    # As dcmdump prints them.
    assert (factor.first, factor.last, factor.intercept) == (0, 32761, 0)
    assert factor.slope == pytest.approx(0.000375125, rel=1e-12)
