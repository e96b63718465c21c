"""Answers written by hand are those that pydicom writes, and pydicom reads them back."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pydicom.dataelem import DataElement
from pynetdicom.dsutils import decode, encode

from archive.dimse.encoding import encode_answer
from archive.querying.answers import to_data_set

ANSWERS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"StudyInstanceUID": "1.2.3", "StudyDate": "20200105", "PatientName": "DOE^JANE", "PatientID": "A1"}, ()),
    ({"PatientName": "Müller^Jörg", "StudyTime": "", "SeriesNumber": 7, "InstanceNumber": None}, ("ISO_IR 100",)),
    ({"PatientName": "Yamada^Tarou=山田^太郎", "StudyDescription": "頭部"}, ("ISO_IR 192",)),
    ({"PatientName": "Yamada^Tarou=山田^太郎"}, ("", "ISO 2022 IR 87")),
    ({"ModalitiesInStudy": ["CT", "SR"], "SOPClassesInStudy": None, "NumberOfStudyRelatedSeries": 12}, ()),
    ({"Rows": 512, "Columns": None, "KVP": DataElement(0x00180060, "DS", "120")}, ()),
    ({"RequestAttributesSequence": [to_data_set({"RequestedProcedureID": "RP1"})], "Modality": "CT"}, ()),
]


@pytest.mark.parametrize("is_implicit", [True, False])
@pytest.mark.parametrize(("values", "character_set"), ANSWERS)
def test_an_answer_is_what_pydicom_writes(
    values: dict[str, Any], character_set: tuple[str, ...], is_implicit: bool
) -> None:
    if character_set:
        values = values | {"SpecificCharacterSet": list(character_set)}
    expected = encode(to_data_set(values), is_implicit, True)

    assert encode_answer(values, is_implicit=is_implicit, character_set=character_set) == expected


def test_a_long_list_stays_an_element_of_its_own() -> None:
    uids = [f"2.25.{number}" for number in range(6000)]

    data = encode_answer({"FailedSOPInstanceUIDList": uids[:5000]}, is_implicit=False, character_set=())

    assert list(decode(io.BytesIO(data), False, True).FailedSOPInstanceUIDList) == uids[:5000]
