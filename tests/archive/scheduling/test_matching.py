"""Which steps a query of the modality worklist finds: every matching key of PS3.4 table K.6-1."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from archive.models import ScheduledStep
from archive.querying.matching import BadKey
from archive.scheduling.matching import find_steps, read_query
from tests.archive.scheduling.steps import item, make_step

pytestmark = pytest.mark.django_db

STEP = "step."


def identifier(*keys: str) -> Dataset:
    """A query of ``Keyword=value``; those of the step begin with ``step.``."""
    ds, step = Dataset(), Dataset()
    for key in keys:
        keyword, _, value = key.removeprefix(STEP).partition("=")
        setattr(step if key.startswith(STEP) else ds, keyword, value.split("\\") if "\\" in value else value)
    ds.ScheduledProcedureStepSequence = [step]
    return ds


@pytest.fixture
def steps(db: None) -> None:
    make_step(patient_name="ADAMS^ADA", patient_id="A1", scheduled_station_ae_title="CT1\\CT2", start_time="0800")
    make_step(patient_name="BAKER^BOB", patient_id="B2", modality="MR", scheduled_station_ae_title="MR1")
    make_step(
        patient_name="CÉZANNE^Célia",
        patient_id="C3",
        start_date="20261125",
        start_time="143000",
        scheduled_performing_physician_name="HOUSE^GREGORY^^Dr",
    )
    make_step(patient_name="DONE^DAN", patient_id="D4", state=ScheduledStep.State.COMPLETED)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ((), ["ADAMS^ADA", "BAKER^BOB", "CÉZANNE^Célia"]),
        ((STEP + "ScheduledStationAETitle=CT1",), ["ADAMS^ADA", "CÉZANNE^Célia"]),
        ((STEP + "ScheduledStationAETitle=CT2",), ["ADAMS^ADA"]),
        ((STEP + "ScheduledStationAETitle=CT3",), []),
        ((STEP + "Modality=MR",), ["BAKER^BOB"]),
        ((STEP + "ScheduledProcedureStepStartDate=20261124",), ["ADAMS^ADA", "BAKER^BOB"]),
        ((STEP + "ScheduledProcedureStepStartDate=20261125-",), ["CÉZANNE^Célia"]),
        ((STEP + "ScheduledProcedureStepStartDate=-20261124",), ["ADAMS^ADA", "BAKER^BOB"]),
        ((STEP + "ScheduledProcedureStepStartTime=0930",), ["BAKER^BOB"]),
        ((STEP + "ScheduledProcedureStepStartTime=093000-150000",), ["BAKER^BOB", "CÉZANNE^Célia"]),
        # Table K.6-1: both ranges together are one period, from the first day's time to the last day's.
        (
            (
                STEP + "ScheduledProcedureStepStartDate=20261124-20261125",
                STEP + "ScheduledProcedureStepStartTime=0900-1000",
            ),
            ["BAKER^BOB"],
        ),
        (
            (
                STEP + "ScheduledProcedureStepStartDate=20261124-20261125",
                STEP + "ScheduledProcedureStepStartTime=0900-1430",
            ),
            ["BAKER^BOB", "CÉZANNE^Célia"],
        ),
        ((STEP + "ScheduledPerformingPhysicianName=house*",), ["CÉZANNE^Célia"]),
        (("PatientName=baker^bob",), ["BAKER^BOB"]),
        (("PatientName=cezanne*",), ["CÉZANNE^Célia"]),
        (("PatientID=B2",), ["BAKER^BOB"]),
        (("PatientID=?1",), ["ADAMS^ADA"]),
        ((STEP + "ScheduledProcedureStepStatus=COMPLETED",), ["DONE^DAN"]),
    ],
)
def test_every_matching_key_finds_what_it_names(keys: tuple[str, ...], found: list[str]) -> None:
    assert [step.patient_name for step in find_steps(read_query(identifier(*keys)))] == found


def test_a_list_of_uids_and_identifiers_of_the_order_are_matched_too() -> None:
    one, other, _ = make_step(), make_step(), make_step()
    uids = f"StudyInstanceUID={one.study_instance_uid}\\{other.study_instance_uid}"
    assert list(find_steps(read_query(identifier(uids)))) == [one, other]
    assert list(find_steps(read_query(identifier(f"AccessionNumber={other.accession_number}")))) == [other]


def test_a_name_is_found_by_any_of_its_groups() -> None:
    step = make_step(patient_name="Yamada^Tarou=山田^太郎=やまだ^たろう")
    for name in ("yamada*", "山田*", "=山田^太郎", "やまだ^たろう"):
        assert list(find_steps(read_query(identifier(f"PatientName={name}")))) == [step], name
    assert not list(find_steps(read_query(identifier("PatientName==Yamada^Tarou"))))


def test_what_is_not_matched_on_is_said() -> None:
    query = read_query(item(PatientComments="tall", PatientAddress="", OtherPatientNames="*"))
    assert query.ignored == {"PatientComments"}


def test_a_date_that_is_none_is_no_key() -> None:
    with pytest.raises(BadKey, match="ScheduledProcedureStepStartDate"):
        read_query(identifier("step.ScheduledProcedureStepStartDate=20261301"))
