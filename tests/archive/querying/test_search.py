"""Each kind of matching of PS3.4 C.2.2.2 at each level, on rows; expected matches are worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from archive.access.entities import ApplicationEntity
from archive.models import Instance, Study
from archive.querying import search
from archive.querying.answers import Answers
from archive.querying.keys import UNIQUE, Level
from archive.querying.matching import BadKey
from archive.querying.search import Query, find_ids, narrowed, plan
from tests.archive.querying.rows import make_instance, make_series, make_study

pytestmark = pytest.mark.django_db

PEER = ApplicationEntity("WORKSTATION", may_query=True)
STRANGER = ApplicationEntity("STRANGER")


@pytest.fixture
def archive() -> None:
    """Five studies of four patients."""
    one = make_study(
        1,
        patient_id="A-100",
        name="Äneas^Rüdiger^^Dr",
        patient_birth_date="19500101",
        patient_sex="M",
        study_date="20200105",
        study_time="0830",
        accession_number="ACC1",
        study_id="S1",
        study_description="CT Head [plain]",
        referring_physician_name="Weiß^Anna",
    )
    make_series(one, 1, series_description="Localizer", body_part_examined="HEAD")
    make_series(one, 2, images=3, series_description="Axial 5mm", requests=(("RP1", "SPS1"), ("RP2", "SPS2")))
    two = make_study(
        2,
        patient_id="A-100",
        name="Aeneas^Rudiger",
        study_date="20200106",
        study_time="083000.5",
        accession_number="ACC2",
        study_description="MR 50% *",
    )
    make_series(two, 1, modality="MR")
    make_series(two, 2, modality="SR", requests=(("RP1", "SPS9"),))
    three = make_study(
        3,
        patient_id="B-200",
        name="Yamada^Tarou=山田^太郎=やまだ^たろう",
        patient_sex="F",
        study_date="20210315",
        study_time="235959",
        accession_number="acc1",
    )
    make_series(three, 1, modality="CT", images=2)
    four = make_study(4, patient_id="C_300", name="O'NEIL", study_date="", study_time="", accession_number="")
    make_series(four, 1, modality="US")
    five = make_study(5, patient_id="C%300", name="DOE^JOHN=", study_date="20211231", study_time="000000")
    make_series(five, 1, modality="CT", series_number=None)


def numbers(level: Level, keys: dict[str, Any], **options: Any) -> list[str]:
    """The ends of the unique keys that are found, sorted: study 2.25.1 is '1', its second series '1.2'."""
    query = Query(level, keys, **options)
    found = [ds[UNIQUE[level]].value for ds in Answers(query, PEER, [UNIQUE[level]]).data_sets()]
    return sorted(str(value).removeprefix("2.25.") for value in found)


STUDY_CASES = [
    # Universal (C.2.2.2.3)
    ({}, "12345"),
    ({"PatientName": ""}, "12345"),
    ({"AccessionNumber": "*", "StudyDate": "*"}, "12345"),
    # Single value (C.2.2.2.1): by case except for names
    ({"AccessionNumber": "ACC1"}, "1"),
    ({"AccessionNumber": "acc1"}, "3"),
    ({"PatientID": "A-100"}, "12"),
    ({"PatientID": "A-10"}, ""),
    ({"StudyDate": "20200105"}, "1"),
    ({"StudyDate": "2020.01.05"}, "1"),
    ({"PatientSex": "F"}, "3"),
    ({"StudyDescription": "CT Head [plain]"}, "1"),
    ({"StudyDescription": "ct head [plain]"}, ""),
    ({"StudyID": "S1"}, "1"),
    # Several values (C.2.2.2.2)
    ({"StudyInstanceUID": "2.25.1\\2.25.4\\2.25.99"}, "14"),
    ({"AccessionNumber": "ACC1\\ACC2"}, "12"),
    ({"ModalitiesInStudy": "MR\\US"}, "24"),
    ({"ModalitiesInStudy": "CT"}, "135"),
    ({"ModalitiesInStudy": "?R"}, "2"),
    # Wildcards (C.2.2.2.4): by case, and only where the VR has them
    ({"AccessionNumber": "ACC*"}, "12"),
    ({"AccessionNumber": "*1"}, "13"),
    ({"AccessionNumber": "?CC?"}, "12"),
    ({"AccessionNumber": "A?C2"}, "2"),
    ({"PatientID": "C_*"}, "4"),
    ({"PatientID": "C%*"}, "5"),
    ({"PatientID": "*30*"}, "45"),
    ({"StudyDescription": "*[plain]"}, "1"),
    ({"StudyDescription": "*50%*"}, "2"),
    ({"StudyDescription": "*Head*"}, "1"),
    ({"StudyDescription": "*head*"}, ""),
    # Ranges (C.2.2.2.5)
    ({"StudyDate": "20200105-20200106"}, "12"),
    ({"StudyDate": "-20200105"}, "1"),
    ({"StudyDate": "20210101-"}, "35"),
    ({"StudyTime": "0830"}, "12"),
    ({"StudyTime": "083000"}, "12"),
    ({"StudyTime": "083000.0"}, "1"),
    ({"StudyTime": "08"}, "12"),
    ({"StudyTime": "000000-083000.4"}, "15"),
    ({"StudyTime": "0831-"}, "3"),
    ({"StudyTime": "-0829"}, "5"),
    # Empty value (C.2.2.2.7)
    ({"AccessionNumber": '""'}, "45"),
    ({"StudyDate": '""'}, "4"),
    # Names: any group, no case, no accents, absent components
    ({"PatientName": "aneas^rudiger^^dr"}, "1"),
    ({"PatientName": "ANEAS*"}, "1"),
    ({"PatientName": "A*eas*"}, "12"),
    ({"PatientName": "*RUDIGER*"}, "12"),
    ({"PatientName": "*dr"}, "1"),
    ({"PatientName": "YAMADA^TAROU"}, "3"),
    ({"PatientName": "山田^太郎"}, "3"),
    ({"PatientName": "山田*"}, "3"),
    ({"PatientName": "*太郎"}, "3"),
    ({"PatientName": "やまだ*"}, "3"),
    ({"PatientName": "やまた*"}, ""),
    ({"PatientName": "Yamada*=山田*"}, "3"),
    ({"PatientName": "Yamada*=鈴木*"}, ""),
    ({"PatientName": "Y*郎"}, ""),
    ({"PatientName": "O'NEIL^*"}, "4"),
    ({"PatientName": "o'neil^"}, "4"),
    ({"PatientName": "?OE^J*N"}, "5"),
    ({"PatientName": "D*"}, "5"),
    ({"PatientName": "Doe"}, ""),
    ({"ReferringPhysicianName": "WEISS*"}, "1"),
    ({"ReferringPhysicianName": '""'}, "2345"),
    # Several keys: all of them
    ({"PatientID": "A-100", "StudyDate": "20200106-"}, "2"),
    ({"PatientName": "*", "ModalitiesInStudy": "CT", "StudyDate": "2020.01.01-20201231"}, "1"),
]


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(("keys", "expected"), STUDY_CASES, ids=lambda value: str(value))
def test_studies_match_as_the_standard_says(keys: dict[str, str], expected: str) -> None:
    assert "".join(numbers(Level.STUDY, keys)) == expected


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(("keys", "expected"), STUDY_CASES, ids=lambda value: str(value))
def test_studies_match_alike_where_every_index_names_many(
    keys: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", 0)
    monkeypatch.setattr(search, "PIECE", 1)
    monkeypatch.setattr(search, "FIRST_PIECE", 1)

    assert "".join(numbers(Level.STUDY, keys)) == expected


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(("keys", "expected"), STUDY_CASES, ids=lambda value: str(value))
def test_a_page_in_an_order_of_its_own_holds_the_same_studies(keys: dict[str, str], expected: str) -> None:
    found = narrowed(plan(Query(Level.STUDY, keys)), PEER).order_by("-study_date", "-pk")

    assert "".join(sorted(study.study_instance_uid[5:] for study in found)) == expected


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("level", "keys", "expected"),
    [
        (Level.PATIENT, {}, ["A-100", "B-200", "C%300", "C_300"]),
        (Level.PATIENT, {"PatientID": "A-100"}, ["A-100"]),
        (Level.PATIENT, {"PatientID": "?-*"}, ["A-100", "B-200"]),
        (Level.PATIENT, {"PatientName": "Aeneas*"}, ["A-100"]),
        (Level.PATIENT, {"PatientBirthDate": "-19501231"}, ["A-100"]),
        (Level.PATIENT, {"PatientBirthDate": '""', "PatientSex": "F"}, ["B-200"]),
        (Level.SERIES, {"StudyInstanceUID": "2.25.1"}, ["1.1", "1.2"]),
        (Level.SERIES, {"StudyInstanceUID": "2.25.2", "Modality": "SR"}, ["2.2"]),
        (Level.SERIES, {"StudyInstanceUID": "2.25.1", "SeriesNumber": "2"}, ["1.2"]),
        (Level.SERIES, {"SeriesNumber": "1\\7"}, ["1.1", "2.1", "3.1", "4.1"]),
        (Level.SERIES, {"SeriesNumber": '""'}, ["5.1"]),
        (Level.SERIES, {"SeriesDescription": "Ax*"}, ["1.2"]),
        (Level.SERIES, {"SeriesInstanceUID": "2.25.1.2\\2.25.3.1"}, ["1.2", "3.1"]),
        (Level.SERIES, {"PatientID": "A-100", "Modality": "*"}, ["1.1", "1.2", "2.1", "2.2"]),
        (Level.SERIES, {"BodyPartExamined": '""', "Modality": "CT"}, ["1.2", "3.1", "5.1"]),
        (Level.SERIES, {"RequestAttributesSequence": {"RequestedProcedureID": "RP1"}}, ["1.2", "2.2"]),
        (
            Level.SERIES,
            {"RequestAttributesSequence": {"RequestedProcedureID": "RP1", "ScheduledProcedureStepID": "SPS2"}},
            [],
        ),
        (Level.SERIES, {"RequestAttributesSequence": {"ScheduledProcedureStepID": "SPS?"}}, ["1.2", "2.2"]),
        (Level.IMAGE, {"SeriesInstanceUID": "2.25.1.2"}, ["1.2.1", "1.2.2", "1.2.3"]),
        (Level.IMAGE, {"SeriesInstanceUID": "2.25.1.2", "InstanceNumber": "2\\3"}, ["1.2.2", "1.2.3"]),
        (Level.IMAGE, {"SOPInstanceUID": "2.25.3.1.2\\2.25.4.1.1"}, ["3.1.2", "4.1.1"]),
        (Level.IMAGE, {"StudyInstanceUID": "2.25.3", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, []),
        (Level.IMAGE, {"PatientName": "山田*"}, ["3.1.1", "3.1.2"]),
    ],
    ids=lambda value: str(value),
)
def test_each_level_is_matched(level: Level, keys: dict[str, Any], expected: list[str]) -> None:
    assert numbers(level, keys) == expected


@pytest.mark.usefixtures("archive")
def test_keys_of_lower_levels_are_met_by_one_and_the_same_series() -> None:
    assert numbers(Level.STUDY, {"Modality": "CT", "SeriesDescription": "Axial*"}) == ["1"]
    assert numbers(Level.STUDY, {"Modality": "MR", "SeriesNumber": "2"}) == []
    assert numbers(Level.PATIENT, {"SOPInstanceUID": "2.25.3.1.2"}) == ["B-200"]


@pytest.mark.usefixtures("archive")
def test_a_date_and_a_time_are_one_point_in_time_where_that_was_agreed_on() -> None:
    keys = {"StudyDate": "20200105-20210315", "StudyTime": "0900-235958"}

    assert numbers(Level.STUDY, keys) == []
    assert numbers(Level.STUDY, keys, combined_date_time=True) == ["2"]


@pytest.mark.usefixtures("archive")
def test_fuzzy_names_are_found_by_the_beginnings_of_their_words_in_any_order() -> None:
    assert numbers(Level.STUDY, {"PatientName": "rud äne"}, fuzzy=True) == ["1"]
    assert numbers(Level.STUDY, {"PatientName": "John Doe"}, fuzzy=True) == ["5"]
    assert numbers(Level.STUDY, {"PatientName": "neil"}, fuzzy=True) == ["4"]
    assert numbers(Level.STUDY, {"PatientName": "ohn"}, fuzzy=True) == []


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("StudyDate", "yesterday"),
        ("StudyDate", "20201301"),
        ("StudyDate", "-"),
        ("StudyTime", "25"),
        ("StudyTime", "0860"),
        ("SeriesNumber", "one"),
        ("StudyInstanceUID", "1.2.x"),
        ("StudyDate", "20200101\\20200102"),
        ("PatientName", "x" * 2000),
    ],
)
def test_a_value_that_the_attribute_cannot_have_is_refused_in_words(keyword: str, value: str) -> None:
    with pytest.raises(BadKey, match=keyword):
        plan(Query(Level.STUDY, {keyword: value}))


@pytest.mark.usefixtures("archive")
def test_keys_that_are_not_matched_on_are_named_and_leave_the_rest_as_it_is() -> None:
    answers = Answers(Query(Level.STUDY, {"PatientID": "A-100", "PatientComments": "x"}), PEER, ["StudyDate", "KVP"])

    assert answers.unsupported == {"PatientComments", "KVP"}
    assert len(list(answers)) == 2


@pytest.mark.usefixtures("archive")
def test_rejected_images_are_never_seen() -> None:
    Instance.objects.filter(sop_instance_uid="2.25.1.2.3").update(rejection=Instance.Rejection.QUALITY)
    Study.objects.filter(study_instance_uid="2.25.4").update(instance_count=0)
    Study.objects.get(study_instance_uid="2.25.2").series.filter(modality="SR").update(instance_count=0)

    assert numbers(Level.IMAGE, {"SeriesInstanceUID": "2.25.1.2"}) == ["1.2.1", "1.2.2"]
    assert numbers(Level.IMAGE, {"StudyInstanceUID": "2.25.4"}) == []
    assert numbers(Level.STUDY, {"ModalitiesInStudy": "SR"}) == []
    assert numbers(Level.STUDY, {}) == ["1", "2", "3", "5"]
    assert numbers(Level.PATIENT, {"PatientID": "C_300"}) == []
    assert numbers(Level.SERIES, {"PatientID": "A-100"}) == ["1.1", "1.2", "2.1"]


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize("level", list(Level))
def test_who_may_see_nothing_finds_nothing(level: Level) -> None:
    assert list(find_ids(plan(Query(level)), STRANGER)) == []
    assert list(find_ids(plan(Query(level)), PEER)) != []


@pytest.mark.usefixtures("archive")
def test_answers_hold_what_was_recorded_and_what_is_counted() -> None:
    make_instance(
        Study.objects.get(study_instance_uid="2.25.1").series.first(), 9, rejection=Instance.Rejection.QUALITY
    )
    wanted = [
        "PatientName",
        "StudyTime",
        "ModalitiesInStudy",
        "SOPClassesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "NumberOfPatientRelatedStudies",
        "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedInstances",
        "InstanceAvailability",
        "RetrieveAETitle",
    ]

    (ds,) = Answers(
        Query(Level.STUDY, {"StudyInstanceUID": "2.25.1"}), PEER, wanted, retrieve_ae_title="PORTAL"
    ).data_sets()

    assert str(ds.PatientName) == "Äneas^Rüdiger^^Dr"
    assert ds.StudyTime == "0830"
    assert ds.ModalitiesInStudy == "CT"
    assert ds.SOPClassesInStudy == "1.2.840.10008.5.1.4.1.1.2"
    assert (ds.NumberOfStudyRelatedSeries, ds.NumberOfStudyRelatedInstances) == (2, 4)
    assert ds.NumberOfPatientRelatedStudies == 2
    assert (ds.NumberOfPatientRelatedSeries, ds.NumberOfPatientRelatedInstances) == (4, 6)
    assert (ds.InstanceAvailability, ds.RetrieveAETitle) == ("ONLINE", "PORTAL")
    assert (ds.PatientID, ds.StudyInstanceUID) == ("A-100", "2.25.1")


@pytest.mark.usefixtures("archive")
def test_a_series_says_what_it_was_made_for() -> None:
    wanted = ["RequestAttributesSequence", "NumberOfSeriesRelatedInstances", "ModalitiesInStudy"]

    (ds,) = Answers(Query(Level.SERIES, {"SeriesInstanceUID": "2.25.1.2"}), PEER, wanted).data_sets()

    steps = [item.ScheduledProcedureStepID for item in ds.RequestAttributesSequence]
    assert steps == ["SPS1", "SPS2"]
    assert ds.NumberOfSeriesRelatedInstances == 3


@pytest.mark.usefixtures("archive")
def test_a_changed_name_is_found_by_its_new_spelling_alone() -> None:
    study = Study.objects.get(study_instance_uid="2.25.5")
    study.patient_name, study.patient_name_key = "SMITH^JOHN", "=smith^john="
    study.save()
    Study.objects.get(study_instance_uid="2.25.4").delete()

    assert numbers(Level.STUDY, {"PatientName": "SMITH*"}) == ["5"]
    assert numbers(Level.STUDY, {"PatientName": "DOE*"}) == []
    assert numbers(Level.STUDY, {"PatientName": "*NEIL*"}) == []


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """Every statement that a test sends to the database."""
    sent: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent


@pytest.mark.usefixtures("archive")
def test_a_page_of_answers_takes_few_statements_however_long_it_is(queries: list[str]) -> None:
    list(Answers(Query(Level.STUDY, {"PatientName": "*a*"}), PEER, ["PatientID", "ModalitiesInStudy"]))

    assert len(queries) <= 5
