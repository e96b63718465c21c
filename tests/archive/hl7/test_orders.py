"""ORM^O01 as steps: new, changed, taken back, refused; and the acknowledgement of each."""

from __future__ import annotations

import pytest

from archive.hl7.listener import answer_message
from archive.models import AuditEvent, ScheduledStep
from tests.archive.scheduling.steps import make_step

pytestmark = pytest.mark.django_db

SEGMENTS = {
    "MSH": "MSH|^~\\&|RIS|HOSP|PORTAL|HOSP|20261124080000||ORM^O01|MSG42|P|2.5||||||UNICODE UTF-8",
    "PID": "PID|||P-4711^^^HOSP^PI||DOE^JANE^MARY^JR^DR~山田^太郎||19720301|F",
    "PV1": "PV1||I|WARD5^12^A|||||D-77^SMITH^JOHN|||||||||||VISIT9",
    "ORC": "ORC|NW|PLC1|FIL1||||^^^202611240930^^S|||||D-78^JONES^ANN|||||Emergency",
    "OBR": "OBR|1|PLC1|FIL1|CTCH^CT chest^99X^PCTCH^Chest, plain^99P||||||||Diabetes||||||ACC1|RP1|SPS1|CT1|||CT",
    "ZDS": "ZDS|1.2.3.4^HOSP^Application^DICOM",
}


def message(**changed: str | None) -> bytes:
    segments = {name: changed.get(name, text) for name, text in SEGMENTS.items()}
    return "\r".join(text for text in segments.values() if text is not None).encode() + b"\r"


def answer(data: bytes) -> tuple[str, str, str]:
    """Code, control ID and words of the acknowledgement."""
    text = answer_message(data, "10.0.0.5").decode()
    assert text.startswith("MSH|^~\\&|PORTAL|HOSP|RIS|HOSP|") or "MSH|^~\\&|||||" in text
    fields = [*text.split("\r")[1].split("|"), ""]
    assert fields[0] == "MSA"
    return fields[1], fields[2], fields[3]


def test_a_new_order_is_on_the_worklist_with_all_that_it_says() -> None:
    assert answer(message()) == ("AA", "MSG42", "")
    step = ScheduledStep.objects.get()
    said = {
        "patient_id": "P-4711",
        "issuer_of_patient_id": "HOSP",
        "patient_name": "DOE^JANE^MARY^DR^JR=山田^太郎",
        "patient_birth_date": "19720301",
        "patient_sex": "F",
        "current_patient_location": "WARD5 12 A",
        "admission_id": "VISIT9",
        "referring_physician_name": "SMITH^JOHN",
        "referring_physician_identifiers": ["D-77"],
        "requesting_physician": "JONES^ANN",
        "requesting_service": "Emergency",
        "accession_number": "ACC1",
        "placer_order_number": "PLC1",
        "filler_order_number": "FIL1",
        "study_instance_uid": "1.2.3.4",
        "requested_procedure_id": "RP1",
        "requested_procedure_description": "CT chest",
        "requested_procedure_code": "CTCH",
        "requested_procedure_code_scheme": "99X",
        "protocol_code": "PCTCH",
        "protocol_code_scheme": "99P",
        "scheduled_procedure_step_id": "SPS1",
        "scheduled_procedure_step_description": "Chest, plain",
        "scheduled_station_ae_title": "CT1",
        "modality": "CT",
        "medical_alerts": "Diabetes",
        "start_date": "20261124",
        "start_time": "0930",
        "priority": "STAT",
        "state": "SCHEDULED",
    }
    assert {name: getattr(step, name) for name in said} == said
    assert AuditEvent.objects.get().actor == "RIS"


def test_the_same_order_again_and_a_change_of_it_are_one_step() -> None:
    later = SEGMENTS["ORC"].replace("NW", "XO").replace("0930", "1045")
    for data in (message(), message(), message(ORC=later)):
        assert answer(data)[0] == "AA"
    assert ScheduledStep.objects.get().start_time == "1045"


def test_an_order_without_identifiers_of_its_procedure_gets_the_same_ones_each_time() -> None:
    bare = SEGMENTS["OBR"].replace("|ACC1|RP1|SPS1|", "||||")
    for _ in range(2):
        assert answer(message(OBR=bare, ZDS=None))[0] == "AA"
    step = ScheduledStep.objects.get()
    assert (step.accession_number, step.requested_procedure_id) == ("FIL1", "FIL1")
    assert step.study_instance_uid.startswith("2.25.")


@pytest.mark.parametrize("control", ["CA", "DC", "OC"])
def test_an_order_taken_back_is_off_the_worklist(control: str) -> None:
    answer(message())
    assert answer(message(ORC=SEGMENTS["ORC"].replace("NW", control)))[0] == "AA"
    assert ScheduledStep.objects.get().state == "DISCONTINUED"
    assert answer(message(ORC=SEGMENTS["ORC"].replace("NW", control)))[0] == "AE"


def test_an_order_is_taken_back_by_its_accession_number_only_of_the_same_patient() -> None:
    theirs = make_step(accession_number="ACC1", patient_id="somebody else")
    ours = make_step(accession_number="ACC1", patient_id="P-4711")
    assert answer(message(ORC=SEGMENTS["ORC"].replace("NW", "CA")))[0] == "AA"
    states = dict(ScheduledStep.objects.values_list("pk", "state"))
    assert states == {theirs.pk: "SCHEDULED", ours.pk: "DISCONTINUED"}


def test_several_orders_of_one_message_stand_or_fall_together() -> None:
    second = SEGMENTS["ORC"] + "\r" + SEGMENTS["OBR"].replace("SPS1", "SPS2")
    assert answer(message(ZDS=second))[0] == "AA"
    assert ScheduledStep.objects.count() == 2
    bad = SEGMENTS["ORC"] + "\r" + SEGMENTS["OBR"].replace("SPS1", "SPS3").replace("|CT1|||CT", "|CT1|||")
    assert answer(message(ZDS=bad, OBR=SEGMENTS["OBR"].replace("SPS1", "SPS4")))[0] == "AE"
    assert ScheduledStep.objects.count() == 2


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"MSH": SEGMENTS["MSH"].replace("ORM^O01", "ADT^A01")}, "AR", "ADT^A01"),
        ({"MSH": SEGMENTS["MSH"].replace("UNICODE UTF-8", "BIG-5")}, "AR", "BIG-5"),
        ({"PID": None}, "AE", "PID"),
        ({"ORC": None}, "AE", "ORC"),
        ({"OBR": None}, "AE", "0 orders"),
        ({"ORC": SEGMENTS["ORC"].replace("NW", "ZZ")}, "AE", "ZZ"),
        ({"ORC": SEGMENTS["ORC"].replace("202611240930", "soon")}, "AE", "start_date"),
        ({"OBR": SEGMENTS["OBR"].replace("ACC1", "A" * 17)}, "AE", "accession_number"),
        ({"ZDS": "ZDS|../../etc"}, "AE", "study_instance_uid"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words_without_the_patient(
    changed: dict[str, str | None], code: str, words: str
) -> None:
    found, control_id, said = answer(message(**changed))
    assert (found, control_id) == (code, "MSG42")
    assert words.replace("^", "\\S\\") in said and "DOE" not in said
    assert not ScheduledStep.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\n",
        b"MSH",
        b"MSH|",
        b"MSH|^~\\&",
        b"MSH|^~\\&|\xff\xfe",
        b"MSH" + b"|" * 70_000,
        b"\x00" * 99,
    ],
)
def test_what_is_no_message_is_answered_ar(data: bytes) -> None:
    assert answer_message(data, "10.0.0.5").decode().split("\r")[1].startswith("MSA|AR|")


def test_a_name_in_latin_1_is_read_as_such() -> None:
    text = message(
        MSH=SEGMENTS["MSH"].replace("UNICODE UTF-8", "8859/1"), PID="PID|||P-1||MÜLLER^JÖRG||19720301|M"
    ).decode()
    assert answer(text.encode("latin-1"))[0] == "AA"
    assert ScheduledStep.objects.get().patient_name == "MÜLLER^JÖRG"


def test_escaped_delimiters_are_text() -> None:
    assert answer(message(PID="PID|||P-1||DOE\\T\\CO^JANE||19720301|F"))[0] == "AA"
    assert ScheduledStep.objects.get().patient_name == "DOE&CO^JANE"
