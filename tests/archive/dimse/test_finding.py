"""C-FIND over real associations: dcmtk's findscu, and pynetdicom's SCU where that has no option."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_charset_files, get_testdata_file
from pydicom.uid import SecondaryCaptureImageStorage
from pynetdicom import AE
from pynetdicom.dsutils import encode
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from archive.dimse.peers import PeerRule
from archive.dimse.refusals import Refusal
from archive.dimse.server import DicomServer
from archive.dimse.trail import trail
from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, Series, SeriesRequest
from tests.archive.dimse.conftest import CLOSED, DCMTK, StartReceiver
from tests.archive.dimse.raw import IMPLICIT, RawPeer, find_command, p_data
from tests.archive.querying.rows import make_many, make_series, make_study
from tests.journeys.sending import send_file
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_messages")]

PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"

Find = Callable[..., list[Dataset]]


@pytest.fixture
def find(receiver: DicomServer, tmp_path: Path) -> Find:
    """Ask with findscu; returns the answers. ``-S`` is Study Root, ``-P`` Patient Root."""

    def ask(*options: str, level: str = "STUDY", **keys: str) -> list[Dataset]:
        folder = tmp_path / "answers"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        done = findscu(receiver.port, *options, "-X", "-od", str(folder), level=level, **keys)
        assert "Success" in done.stdout, done.stdout
        return [pydicom.dcmread(path, force=True) for path in sorted(folder.iterdir())]

    return ask


def findscu(port: int, *options: str, level: str = "STUDY", **keys: str) -> subprocess.CompletedProcess[str]:
    model = [] if {"-P", "-S"} & set(options) else ["-S"]
    asked = [f"QueryRetrieveLevel={level}"] + [f"{keyword}={value}" for keyword, value in keys.items()]
    command = ["/usr/bin/findscu", "-v", *model, *options]
    for key in asked:
        command += ["-k", key]
    return subprocess.run(
        [*command, "127.0.0.1", str(port)],
        env=DCMTK,
        text=True,
        timeout=60,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture
def studies(db: None) -> None:
    one = make_study(1, patient_id="A1", name="DOE^JANE", study_date="20200105", accession_number="ACC1")
    make_series(one, 1, images=2)
    make_series(one, 2, modality="SR")
    two = make_study(2, patient_id="A1", name="DOE^JANE", study_date="20210105", accession_number="ACC2")
    make_series(two, 1, modality="MR")
    three = make_study(
        3, patient_id="B2", name="Müller^Jörg", study_date="20210106", referring_physician_name="山田^太郎"
    )
    make_series(three, 1)


@pytest.mark.usefixtures("studies")
def test_studies_are_found_with_what_was_asked_for(find: Find) -> None:
    (answer,) = find(PatientName="doe*", StudyDate="-20201231", ModalitiesInStudy="", StudyInstanceUID="", StudyTime="")

    assert answer.QueryRetrieveLevel == "STUDY"
    assert (answer.PatientName, answer.StudyDate, answer.StudyInstanceUID) == ("DOE^JANE", "20200105", "2.25.1")
    assert list(answer.ModalitiesInStudy) == ["CT", "SR"]
    assert answer.RetrieveAETitle == "PORTAL"
    assert "StudyTime" in answer and answer.StudyTime == ""
    assert "AccessionNumber" not in answer


@pytest.mark.usefixtures("studies")
@pytest.mark.parametrize(
    ("options", "level", "keys", "unique", "expected"),
    [
        (("-P",), "PATIENT", {"PatientID": "", "NumberOfPatientRelatedStudies": ""}, "PatientID", ["A1", "B2"]),
        (("-P",), "STUDY", {"PatientID": "A1", "StudyInstanceUID": ""}, "StudyInstanceUID", ["2.25.1", "2.25.2"]),
        (("-S",), "STUDY", {"PatientID": "A1", "StudyDate": "20210105"}, "StudyInstanceUID", ["2.25.2"]),
        (("-S",), "SERIES", {"StudyInstanceUID": "2.25.1", "Modality": "S?"}, "SeriesInstanceUID", ["2.25.1.2"]),
        (
            ("-P",),
            "SERIES",
            {"PatientID": "A1", "StudyInstanceUID": "2.25.1", "SeriesInstanceUID": ""},
            "SeriesInstanceUID",
            ["2.25.1.1", "2.25.1.2"],
        ),
        (
            ("-S",),
            "IMAGE",
            {"StudyInstanceUID": "2.25.1", "SeriesInstanceUID": "2.25.1.1", "InstanceNumber": "2"},
            "SOPInstanceUID",
            ["2.25.1.1.2"],
        ),
    ],
)
def test_every_level_of_both_roots_is_answered(
    find: Find, options: tuple[str, ...], level: str, keys: dict[str, str], unique: str, expected: list[str]
) -> None:
    answers = find(*options, level=level, **keys)

    assert sorted(str(ds[unique].value) for ds in answers) == expected
    assert {ds.QueryRetrieveLevel for ds in answers} == {level}


@pytest.mark.usefixtures("studies")
@pytest.mark.parametrize(
    ("level", "keys", "expected"),
    [
        pytest.param("STUDY", {"AccessionNumber": "ACC2"}, ["2.25.2"], id="single value"),
        pytest.param("STUDY", {"StudyInstanceUID": "2.25.1\\2.25.3"}, ["2.25.1", "2.25.3"], id="list of UIDs"),
        pytest.param("STUDY", {"PatientID": "", "PatientName": "*"}, ["2.25.1", "2.25.2", "2.25.3"], id="universal"),
        pytest.param("STUDY", {"AccessionNumber": "?CC*"}, ["2.25.1", "2.25.2"], id="wildcards"),
        pytest.param("STUDY", {"StudyDate": "20210105-"}, ["2.25.2", "2.25.3"], id="from a date"),
        pytest.param("STUDY", {"StudyDate": "20210105-20210105"}, ["2.25.2"], id="range of one day"),
        pytest.param("STUDY", {"PatientName": "muller^JORG"}, ["2.25.3"], id="name without case and accents"),
        pytest.param("STUDY", {"ModalitiesInStudy": "MR"}, ["2.25.2"], id="computed key"),
        pytest.param(
            "SERIES",
            {"StudyInstanceUID": "2.25.2", "RequestAttributesSequence[0].RequestedProcedureID": "RP?"},
            ["2.25.2.1"],
            id="sequence",
        ),
        pytest.param(
            "SERIES",
            {"StudyInstanceUID": "2.25.2", "RequestAttributesSequence[0].RequestedProcedureID": "OTHER"},
            [],
            id="sequence that does not match",
        ),
    ],
)
def test_findscu_matches_in_every_way_of_the_standard(
    find: Find, level: str, keys: dict[str, str], expected: list[str]
) -> None:
    """PS3.4 C.2.2.2.1 to C.2.2.2.6."""
    SeriesRequest.objects.create(
        series=Series.objects.get(series_instance_uid="2.25.2.1"), requested_procedure_id="RP1"
    )
    unique = "StudyInstanceUID" if level == "STUDY" else "SeriesInstanceUID"
    answers = find(level=level, **({unique: ""} | keys))
    assert sorted(str(ds[unique].value) for ds in answers) == expected


def test_findscu_cancels_after_a_few_answers(receiver: DicomServer) -> None:
    make_many(399)

    done = findscu(receiver.port, "--cancel", "3", StudyInstanceUID="", PatientName="")

    assert done.returncode == 0, done.stdout
    assert "Cancel: MatchingTerminatedDueToCancelRequest" in done.stdout
    assert done.stdout.count("Find Response: ") < 399


@pytest.mark.usefixtures("studies")
@pytest.mark.parametrize(
    ("options", "level", "keys", "words"),
    [
        (("-S",), "", {"PatientName": ""}, "No level: STUDY, SERIES, IMAGE."),
        (("-S",), "PATIENT", {}, "Level is 'PATIENT', not STUDY, SERIES, IMAGE."),
        (("-P",), "FRAME", {}, "Level is 'FRAME', not PATIENT, STUDY, SERIES, IMAGE."),
        (("-P",), "STUDY", {"StudyInstanceUID": ""}, "PatientID is missing at STUDY level."),
        (("-S",), "SERIES", {"SeriesInstanceUID": ""}, "StudyInstanceUID is missing at SERIES level."),
        (("-S",), "SERIES", {"StudyInstanceUID": "2.25.1\\2.25.2"}, "StudyInstanceUID must be one value"),
        (("-S",), "IMAGE", {"StudyInstanceUID": "2.25.1"}, "SeriesInstanceUID is missing at IMAGE level."),
        (("-S",), "STUDY", {"StudyDate": "soon"}, "StudyDate is neither a date (YYYYMMDD)"),
    ],
)
def test_an_identifier_that_does_not_fit_is_refused_in_words(
    receiver: DicomServer, options: tuple[str, ...], level: str, keys: dict[str, str], words: str
) -> None:
    status, comment, answers = ask(receiver.port, level, keys, PATIENT_ROOT if "-P" in options else STUDY_ROOT)

    assert (status, answers) == (0xA900, [])
    assert words in comment


def ask(
    port: int,
    level: str,
    keys: dict[str, Any],
    model: str = STUDY_ROOT,
    *,
    extended: bytes = b"",
    cancel_after: int = 0,
    character_set: str = "",
    statuses: list[int] | None = None,
) -> tuple[int, str, list[Dataset]]:
    """Ask with pynetdicom; returns the final status, its comment, and the answers."""
    ae = AE("WORKSTATION")
    ae.add_requested_context(model)
    items = []
    if extended:
        item = SOPClassExtendedNegotiation()
        item.sop_class_uid, item.service_class_application_information = model, extended
        items.append(item)
    assoc = ae.associate("127.0.0.1", port, ext_neg=items)
    assert assoc.is_established
    identifier = Dataset()
    if character_set:
        identifier.SpecificCharacterSet = character_set
    if level:
        identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    answers: list[Dataset] = []
    last = Dataset()
    for status, ds in assoc.send_c_find(identifier, model, msg_id=7):
        last = status
        if ds is not None:
            answers.append(ds)
            if statuses is not None:
                statuses.append(status.Status)
        if cancel_after and len(answers) == cancel_after:
            assoc.send_c_cancel(7, query_model=model)
    assoc.release()
    return last.Status, str(last.get("ErrorComment", "")), answers


@pytest.mark.usefixtures("studies")
def test_relational_queries_are_answered_where_they_were_agreed_on(receiver: DicomServer) -> None:
    keys = {"Modality": "MR", "SeriesInstanceUID": "", "PatientName": "doe*"}

    status, _, answers = ask(receiver.port, "SERIES", keys, extended=b"\1")

    assert (status, [ds.SeriesInstanceUID for ds in answers]) == (0x0000, ["2.25.2.1"])
    assert ask(receiver.port, "SERIES", keys, extended=b"\0")[0] == 0xA900
    assert len(ask(receiver.port, "STUDY", {"Modality": "MR", "StudyInstanceUID": ""}, extended=b"\1")[2]) == 1


def test_a_date_and_a_time_are_one_point_in_time_where_that_was_agreed_on(receiver: DicomServer) -> None:
    for number, (date, time) in enumerate([("20200101", "2300"), ("20200102", "0100"), ("20200102", "2359")], 1):
        make_series(make_study(number, study_date=date, study_time=time), 1)
    keys = {"StudyDate": "20200101-20200102", "StudyTime": "2200-0200", "StudyInstanceUID": ""}

    together = ask(receiver.port, "STUDY", keys, extended=b"\0\1")[2]
    apart = ask(receiver.port, "STUDY", keys)[2]

    assert sorted(ds.StudyInstanceUID for ds in together) == ["2.25.1", "2.25.2"]
    assert apart == []


@pytest.mark.usefixtures("studies")
def test_extended_negotiation_says_what_we_have_and_nothing_more(receiver: DicomServer) -> None:
    ae = AE("WORKSTATION")
    ae.add_requested_context(STUDY_ROOT)
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid, item.service_class_application_information = STUDY_ROOT, b"\1\1\1\1\1"

    assoc = ae.associate("127.0.0.1", receiver.port, ext_neg=[item])
    agreed = dict(assoc.acceptor.sop_class_extended)
    assoc.release()

    assert agreed == {STUDY_ROOT: b"\1\1\1\0\0"}


@pytest.mark.usefixtures("studies")
def test_keys_that_are_not_supported_are_answered_with_the_warning(receiver: DicomServer) -> None:
    with_warning: list[int] = []
    without: list[int] = []

    ask(receiver.port, "STUDY", {"PatientID": "A1", "KVP": ""}, statuses=with_warning)
    ask(receiver.port, "STUDY", {"PatientID": "A1", "StudyDescription": ""}, statuses=without)

    assert (with_warning, without) == ([0xFF01] * 2, [0xFF00] * 2)


def test_a_cancel_ends_the_answers(receiver: DicomServer) -> None:
    make_many(399)

    status, _, answers = ask(receiver.port, "STUDY", {"StudyInstanceUID": "", "PatientName": ""}, cancel_after=1)

    assert status == 0xFE00
    assert len(answers) < 399


def test_more_matches_than_the_site_answers_are_cut_and_said(receiver: DicomServer, settings: Any) -> None:
    settings.PORTAL_QUERY_RESULTS = 3
    for number in range(1, 6):
        make_study(number)

    status, comment, answers = ask(receiver.port, "STUDY", {"StudyInstanceUID": ""})

    assert (status, len(answers)) == (0xA700, 3)
    assert comment == "More than 3 matches; ask for less."


@pytest.mark.usefixtures("studies")
def test_a_peer_without_the_right_is_not_answered(start_receiver: StartReceiver, refused: list[Refusal]) -> None:
    rule = PeerRule("WORKSTATION", addresses=("127.0.0.1",), may_query=False)
    server = start_receiver([rule], CLOSED)

    status, comment, answers = ask_closed(server.port)

    assert (status, answers) == (0x0124, [])
    assert comment == "This AE title may not query here."
    server.stop()
    assert [(refusal.reason, refusal.calling_ae_title) for refusal in refused] == [("may not query", "WORKSTATION")]


@pytest.mark.usefixtures("studies")
def test_a_peer_with_the_right_is_answered_and_audited(start_receiver: StartReceiver) -> None:
    rule = PeerRule("WORKSTATION", addresses=("127.0.0.1",), may_retrieve=False)

    status, _, answers = ask_closed(start_receiver([rule], CLOSED).port)

    assert (status, len(answers)) == (0x0000, 2)
    trail.flush()
    event = AuditEvent.objects.get(event="queried")
    assert (event.actor, event.outcome, event.address) == ("WORKSTATION", "success", "127.0.0.1")
    assert event.details["matches"] == 2
    assert event.details["keys"] == ["PatientName"]
    assert "doe" not in str(event.details)


def ask_closed(port: int) -> tuple[int, str, list[Dataset]]:
    ae = AE("WORKSTATION")
    ae.add_requested_context(STUDY_ROOT)
    assoc = ae.associate("127.0.0.1", port, ae_title="PORTAL")
    identifier = Dataset()
    identifier.QueryRetrieveLevel, identifier.PatientName = "STUDY", "doe*"
    found = list(assoc.send_c_find(identifier, STUDY_ROOT))
    assoc.release()
    last = found[-1][0]
    return last.Status, str(last.get("ErrorComment", "")), [ds for _, ds in found if ds is not None]


@pytest.mark.usefixtures("studies")
def test_names_come_in_the_character_set_that_was_asked_in_or_in_utf_8(receiver: DicomServer) -> None:
    keys = {"PatientName": "müller*", "ReferringPhysicianName": ""}

    (latin,) = ask(receiver.port, "STUDY", {"PatientName": "müller*"}, character_set="ISO_IR 100")[2]
    (unicode,) = ask(receiver.port, "STUDY", keys, character_set="ISO_IR 100")[2]
    (none,) = ask(receiver.port, "STUDY", {"PatientName": "MULLER*"})[2]
    (ascii_only, _) = ask(receiver.port, "STUDY", {"PatientName": "doe*"})[2]

    assert (latin.SpecificCharacterSet, str(latin.PatientName)) == ("ISO_IR 100", "Müller^Jörg")
    assert (unicode.SpecificCharacterSet, str(unicode.ReferringPhysicianName)) == ("ISO_IR 192", "山田^太郎")
    assert (none.SpecificCharacterSet, str(none.PatientName)) == ("ISO_IR 192", "Müller^Jörg")
    assert "SpecificCharacterSet" not in ascii_only


@pytest.fixture
def many_languages(portal_data: Path) -> Iterator[dict[str, str]]:
    """pydicom's files of every character set, stored; their names by SOP Instance UID."""
    names = {}
    for path in map(Path, get_charset_files("chr*.dcm")):
        ds = pydicom.dcmread(path, force=True)
        if "PatientName" not in ds:
            continue
        if "SOPClassUID" not in ds:
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
        ds.StudyInstanceUID = f"2.25.{len(names) + 100}"
        ds.SeriesInstanceUID = f"{ds.StudyInstanceUID}.1"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.StudyInstanceUID}.1.1"
        target = portal_data / path.name
        ds.save_as(target)
        send_file(target)
        names[str(ds.StudyInstanceUID)] = str(ds.PatientName)
    index_waiting_files()
    assert Instance.objects.count() == len(names)
    yield names


def test_names_of_every_character_set_are_found_in_utf_8(receiver: DicomServer, many_languages: dict[str, str]) -> None:
    for uid, name in many_languages.items():
        for group in filter(None, name.split("=")):
            found = ask(
                receiver.port,
                "STUDY",
                {"PatientName": f"{group.split(chr(94))[0]}*", "StudyInstanceUID": uid},
                character_set="ISO_IR 192",
            )[2]
            assert [str(ds.PatientName).rstrip("=") for ds in found] == [name.rstrip("=")], group


@pytest.mark.parametrize(
    ("file", "character_set", "pattern"),
    [
        ("chrGerm.dcm", "ISO_IR 100", "Äneas^Rüdiger"),
        ("chrGerm.dcm", "ISO_IR 100", "ÄNEAS*"),
        ("chrFren.dcm", "ISO_IR 100", "Buc^J*"),
        ("chrGreek.dcm", "ISO_IR 126", "Διονυσιος"),
        ("chrRuss.dcm", "ISO_IR 144", "люкceмбypг"),
        ("chrH31.dcm", "ISO 2022 IR 87", "山田*"),
        ("chrH32.dcm", "ISO 2022 IR 87", "*太郎"),
    ],
)
def test_a_name_is_found_in_the_set_of_the_one_who_asks(
    receiver: DicomServer, many_languages: dict[str, str], file: str, character_set: str, pattern: str
) -> None:
    expected = str(pydicom.dcmread(get_charset_files(file)[0]).PatientName).rstrip("=")
    asked = ["", character_set] if character_set.startswith("ISO 2022") else character_set

    found = ask(
        receiver.port,
        "STUDY",
        {"PatientName": pattern, "StudyInstanceUID": ""},
        character_set=asked,  # type: ignore[arg-type]
    )[2]

    assert expected in [str(ds.PatientName).rstrip("=") for ds in found]


def test_what_no_row_keeps_is_read_from_the_stored_file(find: Find, portal_data: Path) -> None:
    send_file(Path(str(get_testdata_file("CT_small.dcm", download=False))))
    index_waiting_files()
    stored = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    unique = {"StudyInstanceUID": stored.StudyInstanceUID, "SeriesInstanceUID": stored.SeriesInstanceUID}

    (image,) = find(level="IMAGE", **unique, KVP="", Rows="", SliceLocation="", OtherPatientIDsSequence="")
    (series,) = find(level="SERIES", StudyInstanceUID=stored.StudyInstanceUID, ManufacturerModelName="", KVP="")

    assert (image.KVP, image.Rows, image.SliceLocation) == (stored.KVP, 128, stored.SliceLocation)
    assert [item.PatientID for item in image.OtherPatientIDsSequence] == ["ABCD1234", "1234ABCD"]
    assert series.ManufacturerModelName == "RHAPSODE"
    assert "KVP" not in series


def test_a_peer_that_does_not_read_holds_no_transaction_and_no_memory(start_receiver: StartReceiver) -> None:
    make_many(2000, study_description="x" * 250)
    server = start_receiver(limits={"send_deadline_s": 2.0})
    peer = RawPeer(server.port)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.associate(contexts=[(1, STUDY_ROOT, [IMPLICIT])])

    identifier = Dataset()
    identifier.QueryRetrieveLevel, identifier.StudyDescription = "STUDY", ""
    data = encode(identifier, True, True)
    assert data is not None
    # Together more than the system's buffers take.
    peer.send((p_data(1, 3, find_command(STUDY_ROOT, data_set=1)) + p_data(1, 2, data)) * 15)
    make_study(5000)

    assert ask(server.port, "STUDY", {"StudyInstanceUID": "2.25.5000"})[0] == 0x0000
    wait_until(lambda: not server.associations(), patience_s=15, what="the association stands for ever")
