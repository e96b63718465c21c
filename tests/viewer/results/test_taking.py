"""ORU^R01 of others: kept beside the study of the same patient, replaced by corrections, refused in words else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from archive.hl7.listener import answer_message
from archive.models import AuditEvent, Patient, Study
from viewer.models import OutsideReport, Report, ReportVersion, ResultReceiver
from viewer.results.message import oru_message
from viewer.results.sending import result_of

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = pytest.mark.django_db
SEGMENTS = {
    "MSH": "MSH|^~\\&|RIS|HOSP|PORTAL|HOSP|20261124080000||ORU^R01|MSG42|P|2.5||||||UNICODE UTF-8",
    "PID": "PID|1||999^^^OTHER^PI~P-4711^^^^PI||DOE^Jane||19720301|F",
    "OBR": "OBR|1|PLC1|FIL1|CTCH^CT chest^99X|||202611240930|||||||||D-77^SMITH||A-77||||202611241000||CT|F|||||||77&Brown&Ann",
    "OBX": "OBX|1|FT|59776-5^Findings^LN||Nodule \\F\\ 8 mm.\\.br\\No effusion.~größer||||||F",
    "OBX2": "OBX|2|NM|DLP^Dose length product^99X||412.5|mGy.cm|||||F",
    "NTE": "NTE|1||Read twice.",
}


@pytest.fixture(autouse=True)
def somebody(study: Study) -> None:
    """The patient has an ID that names one person."""
    Patient.objects.update(patient_id="P-4711", identity_key="id P-4711\\")


def message(**changed: str | None) -> bytes:
    segments = {name: changed.get(name, text) for name, text in SEGMENTS.items()}
    return "\r".join(text for text in segments.values() if text is not None).encode() + b"\r"


def answer(data: bytes) -> tuple[str, str]:
    """Code and words of the acknowledgement."""
    fields = [*answer_message(data, "10.0.0.5").decode().split("\r")[1].split("|"), ""]
    assert fields[0] == "MSA"
    return fields[1], fields[3]


def test_a_report_from_elsewhere_is_kept_with_its_study(study: Study) -> None:
    assert answer(message()) == ("AA", "")
    kept = OutsideReport.objects.get()
    assert kept.study == study
    assert (kept.sender, kept.status, kept.title) == ("RIS HOSP", "F", "CT chest")
    assert (kept.reported_by, kept.reported_at) == ("Brown, Ann", "202611241000")
    assert kept.text == (
        "Findings\nNodule | 8 mm.\nNo effusion.\ngrößer\n\nDose length product\n412.5 mGy.cm\nRead twice."
    )
    assert AuditEvent.objects.filter(event="result-received", actor="RIS").count() == 1


def test_the_same_again_changes_nothing_and_a_correction_replaces(study: Study) -> None:
    for _ in range(2):
        assert answer(message())[0] == "AA"
    assert OutsideReport.objects.count() == 1
    corrected = SEGMENTS["OBR"].replace("|CT|F|", "|CT|C|")
    assert answer(message(OBR=corrected, OBX=SEGMENTS["OBX"].replace("8 mm", "9 mm")))[0] == "AA"
    assert OutsideReport.objects.get(replaced_at=None).text.startswith("Findings\nNodule | 9 mm")
    assert OutsideReport.objects.count() == 2
    code, words = answer(message(OBR=SEGMENTS["OBR"].replace("|CT|F|", "|CT|P|")))
    assert code == "AE" and "does not replace" in words


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"PID": SEGMENTS["PID"].replace("~P-4711^^^^PI", "")}, "another patient"),
        ({"PID": SEGMENTS["PID"].replace("19720301", "19550505")}, "another patient"),
        ({"PID": SEGMENTS["PID"].replace("DOE^Jane", "SMITH^Ann")}, "another patient"),
        ({"PID": SEGMENTS["PID"].replace("|F", "|M")}, "another patient"),
        ({"PID": "PID|1||||DOE^Jane||19720301|F"}, "another patient"),
        ({"PID": SEGMENTS["PID"].replace("P-4711", "UNKNOWN")}, "another patient"),
        ({"PID": None}, "PID is missing"),
        ({"OBR": None}, "0 results"),
        ({"OBR": "OBR|1||||||||||||||||||||||CT|F"}, "names no order"),
        ({"OBR": SEGMENTS["OBR"].replace("A-77", "A-78")}, "No study with the number A-78"),
        ({"OBR": SEGMENTS["OBR"].replace("|CT|F|", "|CT|X|")}, "P, F and C"),
        ({"OBX": "OBX|1|ED|PDF||^application^pdf^Base64^AAAA||||||F"}, "'ED' is not read"),
        ({"OBX": None, "OBX2": None, "NTE": None}, "0 characters"),
    ],
)
def test_what_fits_no_study_or_patient_is_refused_in_words_without_the_patient(
    study: Study, changed: dict[str, str | None], words: str
) -> None:
    code, said = answer(message(**changed))
    assert code == "AE" and words in said
    assert "DOE" not in said and "P-4711" not in said
    assert not OutsideReport.objects.exists()


def test_what_we_send_is_read_back_with_every_character(
    study: Study, cast: Cast, save: Callable[..., Report], sign_as: Callable[..., ReportVersion]
) -> None:
    text = "a | b ^ c & d ~ e \\ f\n\n右肺 – größer"
    save(findings=text)
    receiver = ResultReceiver(name="self", host="h", receiving_application="P")
    version = sign_as()
    data = oru_message(result_of(version), receiver, control_id="C9", at=version.signed_at)
    assert answer(data) == ("AA", "")
    assert OutsideReport.objects.get().text == f"Findings\n{text}"
