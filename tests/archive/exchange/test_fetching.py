"""Other archives are searched and pulled from: a real Orthanc, by C-MOVE to us and by C-GET; what comes is as any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.dimse.asking import FoundStudy, PeerRefused
from archive.dimse.client import PeerUnreachable
from archive.dimse.peers import PeerRule
from archive.dimse.server import DicomServer
from archive.exchange.fetching import FetchRefused, enqueue_fetch, search_peer
from archive.exchange.priors import Examination, is_wanted, priors_of
from archive.indexing.writer import index_waiting_files
from archive.jobs.run import run_waiting_jobs
from archive.models import AuditEvent, Instance, Job, Patient, QuarantinedFile, Route, Study
from archive.models.peer import RetrieveBy
from archive.scheduling.orders import Source, put_step
from archive.storage import layout
from tests.archive.dimse.conftest import CLOSED, StartReceiver, data_set_of
from tests.archive.exchange.conftest import Orthanc, peer
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_image, ct_series, mr_image, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
HEAD = "ct_series/head_5mm"


@pytest.fixture
def head(orthanc: Orthanc, data_dir: Path) -> list[Path]:
    """A real CT that Orthanc has and we have not."""
    paths = sorted((data_dir / HEAD).glob("*.dcm"))[:6]
    for path in paths:
        orthanc.post("/instances", path.read_bytes())
    return paths


@pytest.fixture
def study_uid(orthanc: Orthanc, head: list[Path]) -> str:
    return str(orthanc.ask("/studies?expand")[0]["MainDicomTags"]["StudyInstanceUID"])


def listening(orthanc: Orthanc, start_receiver: StartReceiver, **rights: bool) -> DicomServer:
    """Our receiver, which Orthanc knows by our AE title."""
    receiver = start_receiver([PeerRule("ORTHANC", check_address=False, **rights)], CLOSED)
    orthanc.knows("PORTAL", receiver.port)
    return receiver


def test_a_search_answers_with_what_orthanc_says(orthanc: Orthanc, study_uid: str, cast: Cast) -> None:
    tags = orthanc.ask("/studies?expand")[0]["PatientMainDicomTags"]
    found = search_peer(peer(orthanc.dicom_port), {"PatientID": tags["PatientID"]}, by=cast.reader)
    (study,) = found.studies
    assert (study.study_instance_uid, study.patient_id) == (study_uid, tags["PatientID"])
    assert (study.modalities, study.series_count, study.instance_count) == (("CT",), 1, 6)
    asked = AuditEvent.objects.get(event="queried")
    assert asked.user == cast.reader and asked.details == {"service": "C-FIND", "keys": ["PatientID"], "studies": 1}
    assert search_peer(peer(orthanc.dicom_port, "O2"), {"PatientID": "NOBODY"}, by=cast.reader).studies == ()


def test_names_beyond_ascii_are_asked_and_answered(orthanc: Orthanc, cast: Cast) -> None:
    orthanc.post("/instances", to_part10_bytes(ct_image(PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 192")))
    (study,) = search_peer(peer(orthanc.dicom_port), {"PatientName": "Müller*"}, by=cast.reader).studies
    assert study.patient_name == "Müller^Jörg"


def test_too_many_answers_are_cut_and_said(orthanc: Orthanc, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from archive.dimse import asking

    for number in range(5):
        uids = {"StudyInstanceUID": f"2.25.6{number}", "SeriesInstanceUID": f"2.25.7{number}"}
        orthanc.post("/instances", to_part10_bytes(ct_image(**uids, SOPInstanceUID=f"2.25.8{number}")))
    target = PeerRule("ORTHANC", host="127.0.0.1", port=orthanc.dicom_port)
    found = asking.find_studies(target, {}, calling_ae_title="PORTAL", most=3)
    assert (len(found.studies), found.is_cut) == (3, True)
    assert not asking.find_studies(target, {}, calling_ae_title="PORTAL").is_cut


def test_a_study_is_pulled_with_c_move_byte_for_byte(
    orthanc: Orthanc, head: list[Path], study_uid: str, start_receiver: StartReceiver, cast: Cast
) -> None:
    listening(orthanc, start_receiver)
    job = enqueue_fetch(peer(orthanc.dicom_port), study_uid, by=cast.reader)
    run_waiting_jobs()
    job.refresh_from_db()
    assert (job.state, job.message, job.done_steps) == (Job.State.DONE, "6 images came from ORTHANC.", 6)
    index_waiting_files()
    rows = Instance.objects.all()
    assert {data_set_of(layout.path_of(row.stored_file.key)) for row in rows} == {data_set_of(path) for path in head}
    assert set(rows.values_list("calling_ae_title", "door")) == {("ORTHANC", "dimse")}


def test_a_study_is_pulled_with_c_get_byte_for_byte(
    orthanc: Orthanc, head: list[Path], study_uid: str, cast: Cast
) -> None:
    job = enqueue_fetch(peer(orthanc.dicom_port, retrieve_by=RetrieveBy.GET), study_uid, by=cast.reader)
    run_waiting_jobs()
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.DONE, "6 images came from ORTHANC.")
    index_waiting_files()
    rows = Instance.objects.all()
    assert {data_set_of(layout.path_of(row.stored_file.key)) for row in rows} == {data_set_of(path) for path in head}
    assert set(rows.values_list("calling_ae_title", flat=True)) == {"ORTHANC"}


def test_a_pulled_image_of_another_patient_is_held_back(orthanc: Orthanc, cast: Cast) -> None:
    store(ct_image(PatientID="A1"))
    orthanc.post("/instances", to_part10_bytes(ct_image(PatientID="B2", SOPInstanceUID="2.25.900")))
    uid = Study.objects.get().study_instance_uid
    enqueue_fetch(peer(orthanc.dicom_port, retrieve_by=RetrieveBy.GET), uid, by=cast.reader)
    run_waiting_jobs()
    index_waiting_files()
    assert QuarantinedFile.objects.get().reason == QuarantinedFile.Reason.OTHER_PATIENT
    assert Study.objects.get().instance_count == 1


def test_images_that_we_do_not_take_are_counted(
    orthanc: Orthanc, study_uid: str, start_receiver: StartReceiver, cast: Cast
) -> None:
    listening(orthanc, start_receiver, may_store=False)
    job = enqueue_fetch(peer(orthanc.dicom_port), study_uid, by=cast.reader)
    run_waiting_jobs()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED and not Instance.objects.exists()


def test_a_peer_that_does_not_know_us_says_so(orthanc: Orthanc, study_uid: str, cast: Cast) -> None:
    job = enqueue_fetch(peer(orthanc.dicom_port), study_uid, by=cast.reader)
    run_waiting_jobs()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED and "ORTHANC" in job.message and "status" in job.message


def test_a_peer_that_is_away_is_said_in_words(cast: Cast) -> None:
    away = peer(1)
    with pytest.raises(PeerUnreachable, match="ORTHANC does not answer: connection refused"):
        search_peer(away, {"PatientID": "1"}, by=cast.reader)
    assert AuditEvent.objects.get(event="queried").outcome == "failure"
    job = enqueue_fetch(away, "2.25.1", by=cast.reader)
    run_waiting_jobs()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.QUEUED, 1)


def test_a_peer_that_does_not_let_us_search_says_so(start_receiver: StartReceiver, cast: Cast) -> None:
    receiver = start_receiver([PeerRule("PORTAL", check_address=False, may_query=False)], CLOSED)
    with pytest.raises(PeerRefused, match="does not allow us this"):
        search_peer(peer(receiver.port, "PORTAL"), {"PatientID": "1"}, by=cast.reader)


def test_nothing_is_fetched_from_a_peer_that_is_not_searched(cast: Cast) -> None:
    with pytest.raises(FetchRefused, match="Nothing is fetched"):
        enqueue_fetch(peer(1, may_be_searched=False), "2.25.1", by=cast.reader)
    with pytest.raises(FetchRefused, match="no Study Instance UID"):
        enqueue_fetch(peer(1, "TWO"), "../etc", by=cast.reader)


# --- Priors -----------------------------------------------------------------------------------------------------------


def prior(number: int, study_date: str, **values: str) -> bytes:
    uids = {"StudyInstanceUID": f"2.25.5{number}", "SeriesInstanceUID": f"2.25.4{number}"}
    facts = {"PatientID": "A1", "PatientName": "Doe^Jane", "BodyPartExamined": "CHEST"} | values
    make = mr_image if facts.get("Modality") == "MR" else ct_image
    return to_part10_bytes(make(**uids, SOPInstanceUID=f"2.25.3{number}", StudyDate=study_date, **facts))


def rule(orthanc_peer: object, **values: object) -> Route:
    return Route.objects.create(name="priors", action=Route.Action.PREFETCH, peer=orthanc_peer, **values)


def test_a_rule_fetches_the_newest_priors_of_the_patient_that_are_not_here(
    orthanc: Orthanc, start_receiver: StartReceiver
) -> None:
    from archive.exchange.routing import route_study

    for number, (date, values) in enumerate(
        [
            ("20230101", {}),
            ("20220101", {}),
            ("20210101", {}),
            ("20230601", {"PatientID": "A12"}),
            ("20230701", {"PatientName": "Somebody^Else"}),
            ("20230801", {"Modality": "MR"}),
            ("20100101", {}),
        ]
    ):
        orthanc.post("/instances", prior(number, date, **values))
    listening(orthanc, start_receiver)
    rule(peer(orthanc.dicom_port), most_priors=2, oldest_months=60)
    store(*ct_series(1, PatientID="A1", PatientName="Doe^Jane", StudyDate="20240101", BodyPartExamined="CHEST"))
    (job,) = route_study(Study.objects.get().pk)
    run_waiting_jobs()
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.DONE, "2 priors fetched from ORTHANC.")
    index_waiting_files()
    assert sorted(Study.objects.values_list("study_date", flat=True)) == ["20220101", "20230101", "20240101"]
    # Once for a study, and a prior that came from there asks for nothing there.
    assert [len(route_study(pk)) for pk in Study.objects.values_list("pk", flat=True)] == [0, 0, 0]


ORDER = {
    "patient_id": "A1",
    "patient_name": "Doe^Jane",
    "study_instance_uid": "2.25.900",
    "requested_procedure_id": "RP1",
    "requested_procedure_description": "CT chest",
    "modality": "CT",
    "start_date": "20240101",
    "start_time": "0900",
}


def ordered(number: int = 1, **values: str) -> list[Job]:
    """Jobs that wait after a step has come."""
    step = {"scheduled_procedure_step_id": f"SPS{number}"}
    put_step(ORDER | step | values, source=Source(actor="test"))
    return list(Job.objects.filter(kind="priors", state=Job.State.QUEUED))


def test_an_order_fetches_priors_before_its_images_come(orthanc: Orthanc, start_receiver: StartReceiver) -> None:
    orthanc.post("/instances", prior(1, "20230101"))
    orthanc.post("/instances", prior(2, "20220101", Modality="MR"))
    orthanc.post("/instances", prior(3, "20230601", PatientName="Somebody^Else"))
    listening(orthanc, start_receiver)
    rule(peer(orthanc.dicom_port), trigger=Route.Trigger.ORDER, description_contains="chest")
    assert ordered(1, study_instance_uid="2.25.901", requested_procedure_description="CT head") == []
    (job,) = ordered()
    # One for the order, not for each of its steps, and not again when the order comes again.
    assert ordered(2) == ordered() == [job]
    run_waiting_jobs()
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.DONE, "1 prior fetched from ORTHANC.")
    index_waiting_files()
    assert list(Study.objects.values_list("study_date", flat=True)) == ["20230101"]
    # An order that was for somebody else is another question.
    assert len(ordered(patient_id="A2", patient_name="Roe^Richard")) == 1


@pytest.mark.parametrize(
    ("trigger", "orders", "arrivals"),
    [(Route.Trigger.ARRIVAL, 0, 1), (Route.Trigger.ORDER, 1, 0), (Route.Trigger.EITHER, 1, 1)],
)
def test_a_rule_begins_with_what_it_names(trigger: Route.Trigger, orders: int, arrivals: int) -> None:
    from archive.exchange.routing import route_study

    rule(peer(1), trigger=trigger)
    assert len(ordered()) == orders
    store(*ct_series(1, PatientID="A1", PatientName="Doe^Jane"))
    assert len(route_study(Study.objects.get().pk)) == arrivals


def test_priors_of_the_same_body_part_only_where_the_rule_says_so(orthanc: Orthanc) -> None:
    orthanc.post("/instances", prior(1, "20230101", BodyPartExamined="HEAD"))
    orthanc.post("/instances", prior(2, "20220101"))
    there = peer(orthanc.dicom_port)
    store(*ct_series(1, PatientID="A1", PatientName="Doe^Jane", StudyDate="20240101", BodyPartExamined="CHEST"))
    study = Study.objects.get()
    found = priors_of(Examination.of_study(study), rule(there, same_body_part=True), there)
    assert [one.study_instance_uid for one in found] == ["2.25.52"]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({}, True),
        ({"patient_id": "A12"}, False),
        ({"issuer_of_patient_id": "OTHER"}, False),
        ({"patient_birth_date": "19800101"}, False),
        ({"patient_name": "Somebody^Else"}, False),
        ({"modalities": ("MR",)}, False),
        ({"modalities": ("MR", "CT")}, True),
        ({"study_date": "20220301"}, True),
        ({"study_date": "20220228"}, False),
        ({"study_date": ""}, False),
        ({"study_instance_uid": "2.25.1"}, False),
    ],
)
def test_what_counts_as_a_prior(found: dict[str, object], wanted: bool) -> None:
    patient = Patient(patient_id="A1", patient_name="Doe^Jane", patient_birth_date="19700101", issuer_of_patient_id="H")
    study = Study(study_instance_uid="2.25.1", patient=patient, study_date="20240301", modalities="CT")
    given = {"study_instance_uid": "2.25.2", "patient_id": "A1", "modalities": ("CT",), "study_date": "20230101"}
    examination = Examination.of_study(study)
    assert is_wanted(FoundStudy(**given | found), examination, Route(oldest_months=24)) is wanted  # type: ignore[arg-type]
