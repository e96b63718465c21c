"""Drafts: who writes, what is kept, and that of two saves neither is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from archive.models import AuditEvent, Patient, Study
from tests.viewer.reports.conftest import make_silent
from viewer.models import Report
from viewer.reports.drafting import Draft, save_draft
from viewer.reports.errors import AlreadySigned, Conflict, InvalidText, NotForYou, NotSignedYet, OtherPatient
from viewer.worklist.claiming import Change, ClaimedByAnother, ClaimLost, claim, release

if TYPE_CHECKING:
    from tests.conftest import Cast

Save = Callable[..., Report]


def test_saves_count_up_and_leave_other_sections_as_they_are(save: Save) -> None:
    save(findings="No nodule.", technique="Helical CT.")
    kept = save(impression="Normal.")
    assert kept.draft_number == 2
    assert (kept.technique, kept.findings, kept.impression) == ("Helical CT.", "No nodule.", "Normal.")


def test_the_second_of_two_saves_is_told_with_the_text_that_is_kept(save: Save) -> None:
    save(findings="first window")
    with pytest.raises(Conflict, match="Rita Reader saved this draft") as told:
        save(began_with=0, findings="second window")
    assert told.value.theirs.text["findings"] == "first window"
    assert told.value.theirs.number == 1
    assert Report.objects.get().findings == "first window"


def test_only_who_claimed_the_study_writes(save: Save, study: Study, cast: Cast) -> None:
    with pytest.raises(ClaimedByAnother, match="Rita Reader is reading this study"):
        save(cast.reader2)
    with pytest.raises(NotForYou):
        save(cast.referrer)
    release(Change(cast.reader, study))
    with pytest.raises(ClaimLost):
        save(cast.reader)
    assert not Report.objects.exists()


def test_who_takes_a_silent_claim_over_goes_on_with_the_draft(save: Save, study: Study, cast: Cast) -> None:
    save(findings="as far as I came")
    make_silent(study)
    claim(Change(cast.reader2, study))
    kept = save(cast.reader2, impression="Normal.")
    assert (kept.author, kept.findings) == (cast.reader2, "as far as I came")
    with pytest.raises(ClaimedByAnother):
        save(cast.reader, findings="late words")
    events = AuditEvent.objects.filter(event="report-saved").order_by("pk").values_list("details", flat=True)
    assert list(events) == [{"begun": True}, {"taken_over_from": cast.reader.pk}]


def test_text_is_refused_while_the_images_are_another_patient_s(study: Study, cast: Cast) -> None:
    with pytest.raises(OtherPatient, match="belong to another patient"):
        save_draft(Change(cast.reader, study), Draft({"findings": "x"}, began_with=0, patient=study.patient_id + 1))


def test_a_study_that_was_moved_to_another_patient_needs_a_look(save: Save, study: Study, cast: Cast) -> None:
    save(findings="about the first")
    other = Patient.objects.create(identity_key="id other\\", patient_id="other", patient_name="ROE^Richard")
    Study.objects.filter(pk=study.pk).update(patient=other)
    draft = Draft({"findings": "more"}, began_with=1, patient=other.pk)
    with pytest.raises(OtherPatient, match="moved to another patient"):
        save_draft(Change(cast.reader, study), draft)
    confirmed = Draft({"findings": "more"}, began_with=1, patient=other.pk, patient_confirmed=True)
    assert save_draft(Change(cast.reader, study), confirmed).patient == other


def test_a_final_report_takes_no_more_text_but_an_addendum(
    save: Save, sign_as: Callable[..., object], cast: Cast
) -> None:
    with pytest.raises(NotSignedYet):
        save(addendum="too early")
    save()
    sign_as()
    with pytest.raises(AlreadySigned, match="An addendum can be added"):
        save(findings="changed my mind")
    assert save(cast.reader2, addendum="Also a rib.").addendum == "Also a rib."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ({"conclusion": "x"}, "no section"),
        ({"findings": 3}, "a text is needed"),
        ({"findings": "x" * 20_001}, "at most 20000"),
        ({}, "Nothing was given"),
    ],
)
def test_what_is_no_text_of_a_report_is_refused_in_words(
    study: Study, cast: Cast, text: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidText, match=words):
        save_draft(Change(cast.reader, study), Draft(text, began_with=0, patient=study.patient_id))


def test_control_characters_are_left_out_and_scripts_kept(save: Save) -> None:
    kept = save(findings="a\x00b\x1b\r\nNodule à gauche, 右肺, رئة\t8 mm")
    assert kept.findings == "ab\nNodule à gauche, 右肺, رئة\t8 mm"
