"""Studies move to another patient and back; patients are merged and parted; what goes out follows, what lies stays."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pydicom
import pytest
from django.test import Client

from archive.dicom.part10 import write_file_meta
from archive.dimse.channel import AcceptedSyntax
from archive.dimse.outgoing import data_set_for, outgoing_instances
from archive.indexing.rebuilding import rebuild_study
from archive.mending.moving import MendingRefused, merge_patients, move_study, preview, undo
from archive.models import AuditEvent, Correction, Grant, Instance, Patient, QuarantinedFile, Study, User
from archive.storage import layout
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_image, ct_series

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., Client]
JANE = {"PatientID": "A1", "PatientName": "Doe^Jane", "PatientBirthDate": "19700101", "PatientSex": "F"}
JOSE = {"PatientID": "B2", "PatientName": "Núñez^José", "PatientBirthDate": "19650203", "PatientSex": "M"}
STUDY_OF_JOSE = {"StudyInstanceUID": "2.25.800", "SeriesInstanceUID": "2.25.801", "SpecificCharacterSet": "ISO_IR 192"}
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"


@pytest.fixture
def jane() -> Study:
    store(*ct_series(2, **JANE))
    return Study.objects.get(patient__patient_id="A1")


@pytest.fixture
def jose(jane: Study) -> Patient:
    store(ct_image(**JOSE, **STUDY_OF_JOSE))
    return Patient.objects.get(patient_id="B2")


def retrieved(client: Client, study: Study) -> list[bytes]:
    """The study's files as WADO-RS gives them, one instance after the other."""
    series = study.series.get()
    found = []
    for uid in series.instances.order_by("pk").values_list("sop_instance_uid", flat=True):
        address = f"/dicom-web/studies/{study.study_instance_uid}/series/{series.series_instance_uid}/instances/{uid}"
        answer = client.get(address, headers={"accept": 'application/dicom; transfer-syntax="*"'})
        assert answer.status_code == 200, answer.content
        found.append(b"".join(answer.streaming_content))
    return found


def over_dimse(study: Study, transfer_syntax_uid: str = "") -> list[bytes]:
    """The study's data sets as C-STORE sends them."""
    ids = list(Instance.objects.filter(series__study=study).order_by("pk").values_list("pk", flat=True))
    found = []
    for one in outgoing_instances(ids):
        with data_set_for(one, AcceptedSyntax(1, transfer_syntax_uid or one.transfer_syntax_uid)) as file:
            found.append(file.read())
    return found


def read_data_set(data: bytes, transfer_syntax_uid: str = EXPLICIT) -> pydicom.Dataset:
    head = write_file_meta(transfer_syntax_uid=transfer_syntax_uid, sop_class_uid="1", sop_instance_uid="1")
    return pydicom.dcmread(io.BytesIO(head + data))


def stored_bytes(study: Study) -> list[bytes]:
    rows = Instance.objects.filter(series__study=study).order_by("pk").values_list("stored_file__key", flat=True)
    return [layout.path_of(key).read_bytes() for key in rows]


def test_a_moved_study_goes_out_coerced_and_comes_back_byte_for_byte(
    jane: Study, jose: Patient, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    as_received, as_sent, on_disk = retrieved(client, jane), over_dimse(jane), stored_bytes(jane)
    correction = move_study(jane, jose, reason="Wrong worklist entry chosen", by=cast.admin)
    jane.refresh_from_db()

    for content in retrieved(client, jane):
        ds = pydicom.dcmread(io.BytesIO(content))
        assert (ds.PatientID, str(ds.PatientName), ds.PatientBirthDate, ds.PatientSex) == (
            "B2",
            "Núñez^José",
            "19650203",
            "M",
        )
        (note,) = ds.OriginalAttributesSequence
        (before,) = note.ModifiedAttributesSequence
        assert (before.PatientID, before.PatientName, before.PatientBirthDate) == ("A1", "Doe^Jane", "19700101")
        assert (note.ReasonForTheAttributeModification, note.ModifyingSystem) == ("CORRECT", "PORTAL")
        assert note.AttributeModificationDateTime and "SourceOfPreviousValues" in note
    for now, then in zip(over_dimse(jane), as_sent, strict=True):
        changed, original = read_data_set(now), read_data_set(then)
        assert changed.PatientID == "B2" and changed.PixelData == original.PixelData
        assert changed.SOPInstanceUID == original.SOPInstanceUID
    assert stored_bytes(jane) == on_disk

    undo(correction, reason="It was hers after all", by=cast.admin)
    jane.refresh_from_db()
    assert retrieved(client, jane) == as_received
    assert over_dimse(jane) == as_sent


@pytest.mark.parametrize("transfer_syntax_uid", [IMPLICIT, EXPLICIT])
def test_it_is_coerced_in_whatever_transfer_syntax_it_goes(
    transfer_syntax_uid: str, jane: Study, jose: Patient, cast: Cast
) -> None:
    move_study(jane, jose, reason="Wrong worklist entry chosen", by=cast.admin)
    for data in over_dimse(jane, transfer_syntax_uid):
        assert read_data_set(data, transfer_syntax_uid).PatientName == "Núñez^José"


def test_metadata_queries_and_tags_say_the_same(jane: Study, jose: Patient, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    address = f"/dicom-web/studies/{jane.study_instance_uid}/metadata"
    assert client.get(address).json()[0]["00100020"]["Value"] == ["A1"]
    move_study(jane, jose, reason="Wrong worklist entry chosen", by=cast.admin)
    (first, second) = client.get(address).json()
    assert first["00100020"]["Value"] == second["00100020"]["Value"] == ["B2"]
    assert first["00100010"]["Value"] == [{"Alphabetic": "Núñez^José"}]
    assert first["04000561"]["Value"][0]["04000550"]["Value"][0]["00100020"]["Value"] == ["A1"]
    found = client.get("/dicom-web/studies", {"PatientID": "B2"}).json()
    assert jane.study_instance_uid in {one["0020000D"]["Value"][0] for one in found}
    assert client.get("/dicom-web/studies", {"PatientID": "A1"}).status_code == 204 or (
        client.get("/dicom-web/studies", {"PatientID": "A1"}).json() == []
    )
    uid = Instance.objects.filter(series__study=jane)[0].sop_instance_uid
    tags = {
        row["keyword"]: row["value"]
        for row in client.get(f"/api/instances/{uid}/tags").json()["tags"]
        if not row["depth"]
    }
    assert tags["PatientID"] == "B2"


def test_later_images_of_a_moved_study_belong_to_it(jane: Study, jose: Patient, cast: Cast) -> None:
    move_study(jane, jose, reason="Wrong worklist entry chosen", by=cast.admin)
    store(ct_image(**JANE, SOPInstanceUID="2.25.9001"))
    jane.refresh_from_db()
    assert (jane.instance_count, jane.patient, jane.name_note) == (3, jose, "")
    assert not QuarantinedFile.objects.exists()
    store(ct_image(**JANE | {"PatientID": "C3"}, SOPInstanceUID="2.25.9002"))
    assert QuarantinedFile.objects.get().reason == QuarantinedFile.Reason.OTHER_PATIENT


def test_reindexing_keeps_a_correction(jane: Study, jose: Patient, cast: Cast) -> None:
    move_study(jane, jose, reason="Wrong worklist entry chosen", by=cast.admin)
    rebuild_study(Study.objects.get(pk=jane.pk))
    jane.refresh_from_db()
    assert (jane.patient_name, jane.patient_birth_date) == ("Núñez^José", "19650203")


def test_merged_patients_are_one_also_for_what_comes_later_until_they_are_parted(
    jane: Study, jose: Patient, cast: Cast
) -> None:
    source = jane.patient
    correction = merge_patients(source, jose, reason="One person, two registrations", by=cast.admin)
    store(ct_image(**JANE, StudyInstanceUID="2.25.700", SeriesInstanceUID="2.25.701"))
    assert set(Study.objects.values_list("patient", flat=True)) == {jose.pk}
    later = Study.objects.get(study_instance_uid="2.25.700")
    assert read_data_set(over_dimse(later)[0]).PatientID == "B2"

    undo(correction, reason="They are two people", by=cast.admin)
    assert set(Study.objects.filter(patient=source).values_list("study_instance_uid", flat=True)) == {
        jane.study_instance_uid,
        "2.25.700",
    }
    assert Study.objects.filter(received_patient__isnull=False).count() == 0
    assert Study.objects.get(study_instance_uid="2.25.700").patient_name == "Doe^Jane"


def test_a_study_moved_twice_goes_back_in_order_only(jane: Study, jose: Patient, cast: Cast) -> None:
    store(ct_image(PatientID="C3", PatientName="Third", StudyInstanceUID="2.25.600", SeriesInstanceUID="2.25.601"))
    third = Patient.objects.get(patient_id="C3")
    first = move_study(jane, jose, reason="First attempt", by=cast.admin)
    second = move_study(jane, third, reason="Second attempt", by=cast.admin)
    with pytest.raises(MendingRefused, match=f"Correction {second.pk} came after it"):
        undo(first, reason="Too early", by=cast.admin)
    undo(second, reason="Not hers", by=cast.admin)
    undo(first, reason="Not his", by=cast.admin)
    jane.refresh_from_db()
    assert (jane.patient.patient_id, jane.received_patient, jane.patient_name) == ("A1", None, "Doe^Jane")


def test_a_study_moved_back_to_its_own_patient_is_as_received(jane: Study, jose: Patient, cast: Cast) -> None:
    own, as_sent = jane.patient, over_dimse(jane)
    move_study(jane, jose, reason="Wrong worklist entry", by=cast.admin)
    jane.refresh_from_db()
    move_study(jane, own, reason="Right after all", by=cast.admin)
    assert over_dimse(jane) == as_sent


def test_the_preview_counts_and_changes_nothing(jane: Study, jose: Patient, cast: Cast) -> None:
    Grant.objects.create(user=cast.referrer, patient=jane.patient)
    found = preview([jane], jose)
    assert (found.studies, found.series, found.images, found.grants_left) == (1, 1, 2, 1)
    assert found.changed == ("patient ID", "name", "birth date", "sex")
    assert not Correction.objects.exists()


def test_each_is_audited_with_numbers_and_reason_and_without_names(jane: Study, jose: Patient, cast: Cast) -> None:
    undo(move_study(jane, jose, reason="Wrong entry", by=cast.admin), reason="Right entry", by=cast.admin)
    restored, corrected = AuditEvent.objects.filter(event__startswith="identity-").order_by("-pk")
    assert corrected.user == cast.admin and corrected.study_instance_uid == jane.study_instance_uid
    assert (corrected.event, corrected.details["reason"]) == ("identity-corrected", "Wrong entry")
    assert (restored.event, restored.details["reason"]) == ("identity-restored", "Right entry")
    assert "Doe" not in str((corrected.details, restored.details))


@pytest.mark.parametrize("who", ["reader", "technologist", "referrer", "outsider"])
def test_only_administrators_mend(who: str, jane: Study, jose: Patient, cast: Cast) -> None:
    by: User = getattr(cast, who)
    with pytest.raises(MendingRefused, match="Administrators"):
        move_study(jane, jose, reason="Wrong entry", by=by)
    with pytest.raises(MendingRefused, match="Administrators"):
        merge_patients(jane.patient, jose, reason="Same person", by=by)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda jane, jose, by: move_study(jane, jane.patient, reason="Wrong entry", by=by), "already"),
        (lambda jane, jose, by: move_study(jane, jose, reason="no", by=by), "at least 5 characters"),
        (lambda jane, jose, by: merge_patients(jose, jose, reason="Same person", by=by), "not into itself"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, words: str, jane: Study, jose: Patient, cast: Cast) -> None:
    with pytest.raises(MendingRefused, match=words):
        make(jane, jose, cast.admin)
    assert not Correction.objects.exists()
