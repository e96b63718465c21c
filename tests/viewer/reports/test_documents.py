"""A signed report as DICOM: written by the intake, valid for dciodvfy, read back by others' tools."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import highdicom
import pydicom
import pytest
from django.test import Client
from django.utils import timezone
from pydicom import Dataset

from archive.indexing.writer import index_waiting_files
from archive.jobs import run
from archive.jobs.queue import enqueue
from archive.models import Instance, Job, QuarantinedFile, Series, Study
from archive.storage import layout
from tests.archive.receiving.sending import store
from tests.journeys.sending import forget_what_was_drawn
from tests.phantoms import ct_series
from viewer.models import Annotation, ReadingTask, Report, ReportVersion
from viewer.reports.drafting import Draft, save_draft
from viewer.reports.signing import Signature, sign
from viewer.stacks.manifest import study_manifest
from viewer.worklist.claiming import Change, claim

if TYPE_CHECKING:
    from archive.models import User
    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[["User | None"], Client]
FINDINGS = "Nodule à gauche, 8 mm.\n右肺に結節なし。"
DCIODVFY = "/usr/bin/dciodvfy"
ALLOWED = "Missing attribute or value that would be needed to build DICOMDIR"
"""The phantom's study has neither a time nor an ID, and a report says nothing that its study does not."""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    forget_what_was_drawn()


@pytest.fixture
def study() -> Study:
    store(*ct_series(3, PatientName="Yamada^Tarou=山田^太郎", PatientID="12345", SpecificCharacterSet="ISO_IR 192"))
    Study.objects.update(ready_at="2026-11-24T10:00:00Z")
    return Study.objects.get()


WORDS = "Nodule 8.2 mm (S1 Im 2)"


def measured(study: Study, who: User) -> dict[str, Any]:
    """A length on the second image, as a window drops it into the findings."""
    second = Instance.objects.filter(series__study=study).order_by("instance_number")[1]
    now = timezone.now()
    geometry = {"points": [[1, 1], [9, 1]]}
    one = Annotation.objects.create(
        study=study,
        stack=second.series.series_instance_uid,
        sop_instance_uid=second.sop_instance_uid,
        frame_number=1,
        kind="length",
        geometry=geometry,
        author=who,
        created_at=now,
        changed_at=now,
    )
    view = f"view={one.stack}~2"
    return {"id": str(one.pk), "section": "findings", "words": WORDS, "view": view, "drawn": {"geometry": geometry}}


def signed(
    study: Study, who: User, kind: str = "final", measurements: Sequence[Any] = (), **text: str
) -> ReportVersion:
    """Save and sign, and let the worker write what is owed."""
    change = Change(who, study)
    if kind != "addendum":
        claim(change)
    report = Report.objects.filter(study=study).first()
    number = report.draft_number if report else 0
    draft = Draft(text, began_with=number, patient=study.patient_id, measurements=list(measurements))
    save_draft(change, draft)
    version = sign(change, Signature(ReportVersion.Kind(kind), number + 1, study.patient_id))
    run.run_waiting_jobs()
    index_waiting_files()
    forget_what_was_drawn()
    return version


def documents() -> dict[str, list[Dataset]]:
    """Data sets by modality, in the order in which they were signed."""
    found: dict[str, list[Dataset]] = {}
    rows = Instance.objects.filter(series__is_derived=True).select_related("stored_file", "series")
    for row in rows.order_by("instance_number"):
        found.setdefault(row.series.modality, []).append(pydicom.dcmread(layout.path_of(row.stored_file.key)))
    return found


def complaints(path: Path) -> list[str]:
    """Errors and warnings of dciodvfy."""
    result = subprocess.run([DCIODVFY, "-new", str(path)], capture_output=True, text=True, timeout=60, check=False)
    return [line for line in (result.stdout + result.stderr).splitlines() if line.startswith(("Error", "Warning"))]


def test_a_final_report_comes_in_as_two_documents_after_the_originals(study: Study, cast: Cast) -> None:
    received = study.last_received_at
    version = signed(study, cast.reader, findings=FINDINGS, impression="Normal.")
    assert Job.objects.get(kind="report").state == Job.State.DONE
    assert not QuarantinedFile.objects.exists()
    study.refresh_from_db()
    assert (study.instance_count, study.modalities, study.last_received_at) == (3, "CT", received)
    assert ReadingTask.objects.get().state == "read"
    assert [(one["derived"], one["Modality"]) for one in study_manifest(study)["stacks"]] == [
        (False, "CT"),
        (True, "SR"),
        (True, "DOC"),
    ]
    assert set(Series.objects.filter(is_derived=True).values_list("processing", flat=True)) == {
        f"report: final, version {version.number}"
    }


def test_the_structured_report_says_what_was_signed_about_which_images(study: Study, cast: Cast) -> None:
    version = signed(study, cast.reader, findings=FINDINGS, impression="Normal.", technique="Helical CT.")
    (ds,) = documents()["SR"]
    assert (ds.StudyInstanceUID, ds.PatientID, str(ds.PatientName)) == (
        study.study_instance_uid,
        "12345",
        "Yamada^Tarou=山田^太郎",
    )
    assert (ds.CompletionFlag, ds.VerificationFlag, ds.PreliminaryFlag) == ("COMPLETE", "VERIFIED", "FINAL")
    assert ds.VerifyingObserverSequence[0].VerifyingObserverName == "Reader^Rita"
    content = highdicom.sr.ComprehensiveSR.from_dataset(ds).content
    sections = {
        item.name.meaning: item.ContentSequence[0].value.replace("\r\n", "\n") for item in content[0].ContentSequence
    }
    assert sections == {
        "Current Procedure Descriptions": "Helical CT.",
        "Findings": FINDINGS,
        "Impressions": "Normal.",
    }
    evidence = {
        item.ReferencedSOPInstanceUID
        for of_study in ds.get("CurrentRequestedProcedureEvidenceSequence", ds.get("PertinentOtherEvidenceSequence"))
        for of_series in of_study.ReferencedSeriesSequence
        for item in of_series.ReferencedSOPSequence
    }
    assert evidence == set(Instance.objects.filter(series__is_derived=False).values_list("sop_instance_uid", flat=True))
    assert ds.ContentDate == f"{version.signed_at.astimezone():%Y%m%d}"


def test_dsr2html_of_dcmtk_reads_the_structured_report(study: Study, cast: Cast, tmp_path: Path) -> None:
    signed(study, cast.reader, findings=FINDINGS, impression="Normal.")
    path = tmp_path / "sr.dcm"
    documents()["SR"][0].save_as(path)
    html = subprocess.run(["/usr/bin/dsr2html", "+U8", str(path)], capture_output=True, check=True, timeout=60).stdout
    text = html.decode()
    assert "Diagnostic Imaging Report" in text and "Nodule à gauche, 8 mm." in text and "右肺に結節なし。" in text


def test_text_with_a_measurement_is_inferred_from_its_image(study: Study, cast: Cast, tmp_path: Path) -> None:
    dropped = measured(study, cast.reader)
    signed(study, cast.reader, measurements=[dropped], findings=f"Right: {WORDS}.")
    image = Instance.objects.get(pk=Instance.objects.filter(series__is_derived=False).order_by("instance_number")[1].pk)
    ds = next(one for one in documents()["SR"] if one.SeriesDescription == "Final report")
    (words,) = ds.ContentSequence[0].ContentSequence
    (reference,) = words.ContentSequence
    assert (reference.ValueType, reference.RelationshipType) == ("IMAGE", "INFERRED FROM")
    assert reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == image.sop_instance_uid
    path = tmp_path / "sr.dcm"
    ds.save_as(path)
    html = subprocess.run(["/usr/bin/dsr2html", "+U8", str(path)], capture_output=True, check=True, timeout=60).stdout
    assert image.sop_instance_uid in html.decode() and WORDS in html.decode()


def test_an_addendum_is_a_new_document_with_the_whole_report(study: Study, cast: Cast) -> None:
    signed(study, cast.reader, findings=FINDINGS)
    signed(study, cast.reader2, "addendum", addendum="Also a rib.")
    first, second = documents()["SR"]
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    headings = [item.ConceptNameCodeSequence[0].CodeMeaning for item in second.ContentSequence]
    assert headings == ["Findings", "Addendum"]
    assert "Addendum signed by Rudi Reader" in second.ContentSequence[1].ContentSequence[0].TextValue


def test_nothing_of_a_report_is_written_for_a_study_without_images(study: Study, cast: Cast) -> None:
    Instance.objects.update(rejection=Instance.Rejection.QUALITY)
    signed(study, cast.reader, findings=FINDINGS)
    job = Job.objects.get(kind="report")
    assert job.state == Job.State.FAILED and "no image" in job.message


def test_the_job_writes_the_same_instances_when_it_runs_twice(study: Study, cast: Cast) -> None:
    version = signed(study, cast.reader, findings=FINDINGS)
    before = Instance.objects.count()
    enqueue("report", study=study, parameters={"version": version.pk})
    run.run_waiting_jobs()
    index_waiting_files()
    assert Instance.objects.count() == before
    assert not QuarantinedFile.objects.exists()


@pytest.mark.parametrize("modality", ["SR", "DOC"])
def test_dciodvfy_finds_no_error(study: Study, cast: Cast, tmp_path: Path, modality: str) -> None:
    dropped = measured(study, cast.reader)
    signed(study, cast.reader, measurements=[dropped], findings=f"{FINDINGS}\n{WORDS}", impression="Normal.")
    signed(study, cast.reader2, "addendum", addendum="Also a rib.")
    for number, ds in enumerate(documents()[modality]):
        path = tmp_path / f"{number}.dcm"
        ds.save_as(path)
        assert [line for line in complaints(path) if ALLOWED not in line] == []


def test_the_encapsulated_pdf_is_the_printed_report(study: Study, cast: Cast, tmp_path: Path) -> None:
    signed(study, cast.reader, findings=FINDINGS, impression="Normal.")
    (ds,) = documents()["DOC"]
    assert ds.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert ds.SourceInstanceSequence[0].ReferencedSOPInstanceUID == documents()["SR"][0].SOPInstanceUID
    path = tmp_path / "report.pdf"
    path.write_bytes(ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength])
    text = subprocess.run(["/usr/bin/pdftotext", str(path), "-"], capture_output=True, check=True, timeout=60).stdout
    assert "Nodule à gauche, 8 mm." in text.decode() and re.search(r"Signed as final by Rita Reader", text.decode())


def test_the_documents_elements_go_where_reports_go(study: Study, cast: Cast, client_of: ClientOf) -> None:
    signed(study, cast.reader, findings=FINDINGS)
    uid = documents()["SR"][0].SOPInstanceUID
    image: Any = Instance.objects.filter(series__is_derived=False).first()
    assert client_of(cast.reader2).get(f"/api/instances/{uid}/tags").status_code == 200
    assert client_of(cast.technologist).get(f"/api/instances/{uid}/tags").status_code == 404
    assert client_of(cast.technologist).get(f"/api/instances/{image.sop_instance_uid}/tags").status_code == 200
    study_address = f"/dicom-web/studies/{study.study_instance_uid}"
    assert "8 mm" in client_of(cast.reader2).get(f"{study_address}/metadata").content.decode()
    told = client_of(cast.technologist).get(f"{study_address}/metadata")
    assert told.status_code == 200 and image.sop_instance_uid in told.content.decode()
    assert "8 mm" not in told.content.decode()
    series = documents()["SR"][0].SeriesInstanceUID
    assert client_of(cast.technologist).get(f"{study_address}/series/{series}/metadata").status_code == 404


def test_the_documents_are_not_rendered_for_who_reads_no_reports(study: Study, cast: Cast, client_of: ClientOf) -> None:
    signed(study, cast.reader, findings=FINDINGS)
    for modality, media in (("SR", "text/html"), ("DOC", "application/pdf")):
        ds = documents()[modality][0]
        address = (
            f"/dicom-web/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}"
            f"/instances/{ds.SOPInstanceUID}/rendered"
        )
        assert client_of(cast.reader2).get(address, headers={"Accept": media}).status_code == 200
        assert client_of(cast.technologist).get(address, headers={"Accept": media}).status_code == 404


def test_what_was_measured_and_marked_is_written_and_named_by_the_report(
    study: Study, cast: Cast, client_of: ClientOf
) -> None:
    first = Instance.objects.order_by("instance_number")[0]
    for kind, points in (("length", [[1, 1], [4, 5]]), ("key_image", [])):
        body = {
            "version": 0,
            "kind": kind,
            "geometry": {"points": points},
            "stack": first.series.series_instance_uid,
            "SOPInstanceUID": first.sop_instance_uid,
            "FrameNumber": 1,
        }
        address = f"/api/studies/{study.study_instance_uid}/annotations/{uuid4()}"
        assert client_of(cast.reader).put(address, body, content_type="application/json").status_code == 200
    signed(study, cast.reader, findings=FINDINGS)
    written = documents()
    assert sorted(written) == ["DOC", "KO", "PR", "SR"]
    by_title = {ds.ConceptNameCodeSequence[0].CodeMeaning: ds for ds in written["SR"]}
    report, measured = by_title["Diagnostic Imaging Report"], by_title["Imaging Measurement Report"]
    sections = {one.ConceptNameCodeSequence[0].CodeMeaning: one for one in report.ContentSequence}
    (key,) = sections["Key Images"].ContentSequence
    (measurements,) = sections["Imaging Measurements"].ContentSequence
    assert key.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.sop_instance_uid
    assert measurements.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == measured.SOPInstanceUID
    for row in Instance.objects.filter(series__is_derived=True).select_related("stored_file"):
        found = complaints(layout.path_of(row.stored_file.key))
        assert [line for line in found if line.startswith("Error")] == []
