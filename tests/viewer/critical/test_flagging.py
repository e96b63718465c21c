"""Flagging: whom it is told to, when, and that report and result stand or fall together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from archive.models import AuditEvent, Grant, Patient, Study
from viewer.critical.errors import AlreadyTold, CriticalRefused
from viewer.critical.flagging import Flag, flag, tell_at_once, withdraw
from viewer.critical.words import choices_to_flag, results_for
from viewer.models import CriticalCategory, CriticalResult, Notification, Report, ReportVersion
from viewer.reports.errors import NotForYou, OtherPatient
from viewer.worklist.claiming import Change, ClaimLost, claim, release
from viewer.worklist.rows import load_rows

if TYPE_CHECKING:
    from tests.conftest import Cast

Flagged = Callable[..., CriticalResult]
State = CriticalResult.State


def told(cast: Cast) -> list[tuple[str, str]]:
    return list(Notification.objects.order_by("pk").values_list("user__username", "kind"))


def test_it_is_told_with_the_signature_and_not_before(
    study: Study, cast: Cast, given: Grant, flagged: Flagged, save: Callable[..., Report], sign_as: Callable
) -> None:
    result = flagged()
    assert (result.state, told(cast)) == (State.FLAGGED, [])
    save()
    version: ReportVersion = sign_as()
    result.refresh_from_db()
    assert (result.state, result.told_with) == (State.TOLD, version)
    assert told(cast) == [("referrer", "critical"), ("referrer", "report")]
    # "immediate" reminds every 5 minutes and is escalated after 15: the site's own row says so.
    assert result.remind_at - result.told_at == timedelta(minutes=5)
    assert result.escalate_at - result.told_at == timedelta(minutes=15)


def test_it_can_be_told_at_once_or_later_without_a_signature(cast: Cast, given: Grant, flagged: Flagged) -> None:
    assert flagged(at_once=True).state == State.TOLD
    waiting = flagged(text="A second finding.")
    assert tell_at_once(Change(cast.reader, waiting.study), waiting).state == State.TOLD
    assert told(cast) == [("referrer", "critical"), ("referrer", "critical")]


def test_a_signature_that_is_refused_tells_nobody(
    study: Study, cast: Cast, given: Grant, flagged: Flagged, save: Callable[..., Report], sign_as: Callable
) -> None:
    result = flagged()
    save()
    other = Patient.objects.create(identity_key="id other\\", patient_id="other")
    CriticalResult.objects.filter(pk=result.pk).update(patient=other)
    with pytest.raises(OtherPatient):
        sign_as()
    assert not ReportVersion.objects.exists()
    assert (CriticalResult.objects.get().state, told(cast)) == (State.FLAGGED, [])


def test_an_addendum_neither_loses_nor_repeats_it_and_tells_what_was_flagged_since(
    study: Study, cast: Cast, given: Grant, flagged: Flagged, save: Callable[..., Report], sign_as: Callable
) -> None:
    flagged()
    save()
    sign_as()
    save(addendum="And a fracture.")
    later = flagged(text="Unstable fracture.")
    version = sign_as("addendum")
    first, second = CriticalResult.objects.order_by("pk")
    assert (first.state, second.state, second.pk, second.told_with) == (State.TOLD, State.TOLD, later.pk, version)
    assert told(cast).count(("referrer", "critical")) == 2


def test_whom_nothing_else_lets_see_the_study_is_let_in_for_a_month(study: Study, cast: Cast, flagged: Flagged) -> None:
    flagged(at_once=True, to=cast.referrer2)
    grant = Grant.objects.get(user=cast.referrer2)
    assert (grant.source, grant.granted_by) == ("critical", cast.reader)
    assert timedelta(days=29) < grant.expires_at - timezone.now() <= timedelta(days=30)
    assert Study.objects.visible_to(cast.referrer2).get() == study
    assert AuditEvent.objects.filter(event="rights-changed", study_instance_uid="2.25.1").count() == 1


def test_who_referred_the_study_is_the_first_choice(study: Study, cast: Cast, given: Grant) -> None:
    Grant.objects.create(user=cast.referrer2, study=study)
    names = [(one["name"], one["is_referrer"]) for one in choices_to_flag(study)["recipients"]]
    assert names == [("Clara Clinician", True), ("Carl Clinician", True)]


def test_a_flag_that_nobody_was_told_of_can_be_withdrawn_and_no_other(
    study: Study, cast: Cast, given: Grant, flagged: Flagged
) -> None:
    change = Change(cast.reader, study)
    withdraw(change, flagged())
    assert results_for(cast.reader, study) == []
    with pytest.raises(AlreadyTold):
        withdraw(change, flagged(at_once=True))


@pytest.mark.parametrize("name", ["referrer", "technologist", "admin", "outsider"])
def test_other_roles_flag_nothing(study: Study, cast: Cast, name: str) -> None:
    asked = Flag(CriticalCategory.objects.first().pk, "x", cast.referrer.pk, study.patient_id)
    with pytest.raises(NotForYou):
        flag(Change(getattr(cast, name), study), asked)


def test_a_reader_without_the_claim_flags_nothing_until_the_report_is_final(
    study: Study, cast: Cast, given: Grant, flagged: Flagged, save: Callable[..., Report], sign_as: Callable
) -> None:
    release(Change(cast.reader, study))
    with pytest.raises(ClaimLost):
        flagged()
    claim(Change(cast.reader, study))
    save()
    sign_as()
    assert flagged().state == State.FLAGGED


def test_what_is_missing_or_about_another_patient_is_refused(study: Study, cast: Cast) -> None:
    category, change = CriticalCategory.objects.first().pk, Change(cast.reader, study)
    for asked in (
        Flag(category, "  ", cast.referrer.pk, study.patient_id),
        Flag(category, "x" * 501, cast.referrer.pk, study.patient_id),
        Flag(0, "text", cast.referrer.pk, study.patient_id),
        Flag(category, "text", cast.technologist.pk, study.patient_id),
    ):
        with pytest.raises(CriticalRefused):
            flag(change, asked)
    with pytest.raises(OtherPatient):
        flag(change, Flag(category, "text", cast.referrer.pk, study.patient_id + 1))
    assert not CriticalResult.objects.exists()


def test_both_lists_show_it_to_those_who_read_reports(study: Study, cast: Cast, given: Grant, flagged: Flagged) -> None:
    flagged()
    shown = {who.username: load_rows([study.pk], who)[0].critical for who in cast.everybody()}
    assert shown["reader"] == "critical, told when signed"
    assert {shown[name] for name in ("referrer", "technologist", "admin")} == {""}
    flagged(at_once=True)
    shown = {who.username: load_rows([study.pk], who)[0].critical for who in cast.everybody()}
    assert shown["reader"] == shown["referrer"] == "critical, not acknowledged"
    assert {shown[name] for name in ("technologist", "admin")} == {""}
