"""Signatures: what they need, what they move, and that nothing changes after them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection, transaction

from archive.models import AuditEvent, Job, Patient, Study
from tests.viewer.reports.conftest import TEXT
from viewer.models import ReadingTask, Report, ReportVersion
from viewer.models.report import SignedVersionChanged
from viewer.reports.errors import AlreadySigned, Conflict, NotForYou, NothingToSign, NotSignedYet, OtherPatient
from viewer.reports.signing import Signature, digest_of, is_intact, sign
from viewer.worklist.claiming import Change, ClaimedByAnother, claim, release
from viewer.worklist.rows import load_rows

if TYPE_CHECKING:
    from tests.conftest import Cast

Save = Callable[..., Report]
Sign = Callable[..., ReportVersion]


def mark_of(study: Study, cast: Cast) -> tuple[str, str, str]:
    row = load_rows([study.pk], cast.reader)[0]
    return row.state.shape, row.state.word, row.state_for_referrer


def test_a_final_signature_ends_the_reading_and_says_so_everywhere(
    save: Save, sign_as: Sign, study: Study, cast: Cast
) -> None:
    save()
    version = sign_as()
    task = ReadingTask.objects.get()
    assert (version.kind, version.number, version.text["findings"]) == ("final", 1, "No nodule.")
    assert version.about["patient"] == "DOE, Jane" and version.about["accession"] == "A-77"
    assert (task.state, task.read_by, task.claimed_by) == ("read", cast.reader, None)
    assert mark_of(study, cast) == ("final", "final", "report ready")
    signed = AuditEvent.objects.get(event="report-signed")
    assert signed.details == {"kind": "final", "version": 1, "sha256": version.sha256}
    assert Job.objects.get().parameters == {"version": version.pk, "drawn": []}


def test_a_preliminary_report_waits_for_the_final_one(save: Save, sign_as: Sign, study: Study, cast: Cast) -> None:
    save()
    sign_as("preliminary")
    assert ReadingTask.objects.get().state == "preliminary"
    assert mark_of(study, cast) == ("preliminary", "preliminary", "being read")
    assert not Job.objects.exists()
    claim(Change(cast.reader2, study))
    assert mark_of(study, cast)[1] == "being read"
    release(Change(cast.reader2, study))
    assert mark_of(study, cast)[1] == "preliminary"
    claim(Change(cast.reader2, study))
    save(cast.reader2, impression="Normal, confirmed.")
    final = sign_as("final", cast.reader2)
    assert (final.number, final.author) == (2, cast.reader2)
    assert final.previous_sha256 == ReportVersion.objects.get(number=1).sha256


def test_any_radiologist_adds_to_a_final_report_without_a_claim(
    save: Save, sign_as: Sign, study: Study, cast: Cast
) -> None:
    save()
    with pytest.raises(NotSignedYet):
        sign_as("addendum")
    sign_as()
    with pytest.raises(NothingToSign, match="addendum is empty"):
        sign_as("addendum")
    save(cast.reader2, addendum="Also a rib.")
    added = sign_as("addendum", cast.reader2)
    assert (added.number, added.text, added.author_name) == (2, {"addendum": "Also a rib."}, "Rudi Reader")
    assert Report.objects.get().addendum == ""
    assert mark_of(study, cast) == ("addendum", "addendum", "report ready, with addendum")


def test_a_signature_needs_the_claim_the_role_and_a_text(save: Save, sign_as: Sign, cast: Cast) -> None:
    save(findings="  ", impression="\n")
    with pytest.raises(NothingToSign, match="Findings and impression are empty"):
        sign_as()
    save()
    with pytest.raises(ClaimedByAnother):
        sign_as("final", cast.reader2)
    with pytest.raises(NotForYou):
        sign_as("final", cast.technologist)
    sign_as()
    with pytest.raises(AlreadySigned):
        sign_as()


def test_a_signature_on_a_stale_draft_is_refused(save: Save, study: Study, cast: Cast) -> None:
    save()
    save(impression="Changed in the other window.")
    with pytest.raises(Conflict) as told:
        sign(Change(cast.reader, study), Signature(ReportVersion.Kind.FINAL, 1, study.patient_id))
    assert told.value.theirs.text["impression"] == "Changed in the other window."
    assert not ReportVersion.objects.exists()


def test_a_signature_is_refused_when_the_study_was_moved_to_another_patient(
    save: Save, study: Study, cast: Cast
) -> None:
    save()
    other = Patient.objects.create(identity_key="id other\\", patient_id="other", patient_name="ROE^Richard")
    Study.objects.filter(pk=study.pk).update(patient=other)
    for patient in (study.patient_id, other.pk):
        with pytest.raises(OtherPatient):
            sign(Change(cast.reader, study), Signature(ReportVersion.Kind.FINAL, 1, patient))
    assert not ReportVersion.objects.exists()


def test_a_signed_version_never_changes(save: Save, sign_as: Sign) -> None:
    save()
    version = sign_as()
    version.text = {"findings": "other"}
    with pytest.raises(SignedVersionChanged):
        version.save()
    with pytest.raises(SignedVersionChanged):
        version.delete()
    with pytest.raises(SignedVersionChanged):
        ReportVersion.objects.update(kind="preliminary")
    with pytest.raises(SignedVersionChanged):
        ReportVersion.objects.all().delete()
    for change in ("UPDATE viewer_reportversion SET kind = 'preliminary'",):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert ReportVersion.objects.get().text["findings"] == TEXT["findings"]


def test_tampering_behind_the_guards_is_seen_in_the_chain(save: Save, sign_as: Sign) -> None:
    save()
    sign_as("final")
    save(addendum="Also a rib.")
    sign_as("addendum")
    report = Report.objects.get()
    assert is_intact(report)
    first = ReportVersion.objects.get(number=1)
    first.text = first.text | {"findings": "A nodule."}
    assert digest_of(first) != first.sha256
    forged = ReportVersion(**{field.attname: getattr(first, field.attname) for field in first._meta.concrete_fields})
    forged.pk, forged.number, forged.previous_sha256 = None, 3, first.sha256
    forged.save()
    assert not is_intact(report)
