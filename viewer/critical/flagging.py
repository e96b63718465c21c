"""Flag a critical result beside the report, tell it with the signature or at once, or withdraw it before that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from archive.access.grants import grant_for_critical_result
from archive.access.roles import Role
from archive.audit.events import Event
from archive.models import Grant, Study, User
from viewer.critical.errors import AlreadyTold, CriticalRefused
from viewer.models import CriticalCategory, CriticalResult, Notification, Report, ReportVersion
from viewer.notifying.telling import tell, with_stand_ins
from viewer.reports.drafting import report_of, require_same_patient
from viewer.reports.errors import NotForYou, OtherPatient
from viewer.worklist.claiming import Change, may_read, require_claim

LONGEST_TEXT = 500
GRANT_LASTS = timedelta(days=30)
"""For whom nothing else lets see the study."""
State = CriticalResult.State


@dataclass(frozen=True, slots=True)
class Flag:
    """What is flagged, and who must know."""

    category: int
    text: str
    recipient: int
    patient: int
    """The portal's number of the patient whose images the window shows."""


@transaction.atomic
def flag(change: Change, asked: Flag, *, at_once: bool = False) -> CriticalResult:
    """Flag a critical result; without ``at_once`` it is told when the report, or an addendum, is signed.

    Raises
    ------
    NotForYou, WorklistRefusal
        The person is no reader, or has not claimed a study whose report is not final.
    OtherPatient, CriticalRefused
    """
    study = _held_study(change)
    require_same_patient(study, report_of(study), asked.patient)
    text = " ".join(asked.text.split())
    if not text or len(text) > LONGEST_TEXT:
        raise CriticalRefused(f"Please say in 1 to {LONGEST_TEXT} characters what was found.")
    category = CriticalCategory.objects.filter(pk=asked.category, is_active=True).first()
    recipient = clinicians().filter(pk=asked.recipient).first()
    if category is None:
        raise CriticalRefused("Please choose how soon somebody must know.")
    if recipient is None:
        raise CriticalRefused("Please choose who must know: a clinician with an active account.")
    result = CriticalResult.objects.create(
        study=study,
        patient=study.patient,
        category=category,
        text=text,
        recipient=recipient,
        recipient_name=str(recipient),
        flagged_by=change.user,
        flagged_at=timezone.now(),
    )
    change.record(Event.CRITICAL_FLAGGED, result=result.pk, category=category.name, to=recipient.get_username())
    if at_once:
        _tell(change, result, None)
        result.refresh_from_db()
    return result


def _held_study(change: Change) -> Study:
    """The study, locked, if this reader may flag something of it now."""
    if not may_read(change.user):
        raise NotForYou("Only radiologists flag critical results.")
    study = Study.objects.select_for_update().get(pk=change.study.pk)
    if not Report.objects.filter(study=study, state=Report.State.FINAL).exists():
        require_claim(change)
    return study


@transaction.atomic
def tell_at_once(change: Change, result: CriticalResult) -> CriticalResult:
    """Tell what was to be told with the signature.

    Raises
    ------
    NotForYou, WorklistRefusal, OtherPatient, AlreadyTold
    """
    _held_study(change)
    found = CriticalResult.objects.select_for_update().get(pk=result.pk)
    if found.state != State.FLAGGED:
        raise AlreadyTold(f"This critical result is {found.get_state_display()} already.")
    _tell(change, found, None)
    found.refresh_from_db()
    return found


@transaction.atomic
def withdraw(change: Change, result: CriticalResult) -> CriticalResult:
    """Take a flag back that nobody was told of yet.

    Raises
    ------
    NotForYou, WorklistRefusal, AlreadyTold
    """
    _held_study(change)
    if not CriticalResult.objects.filter(pk=result.pk, state=State.FLAGGED).update(state=State.WITHDRAWN):
        raise AlreadyTold("Somebody was told already: it can no longer be withdrawn. An addendum can say what changed.")
    change.record(Event.CRITICAL_WITHDRAWN, result=result.pk)
    result.refresh_from_db()
    return result


def tell_with_signature(change: Change, version: ReportVersion) -> int:
    """Tell everything that waits for a signature, in the signature's transaction; returns how many.

    Raises
    ------
    OtherPatient
        The study was moved to another patient after something was flagged.
    """
    waiting = list(CriticalResult.objects.filter(study=change.study, state=State.FLAGGED))
    for result in waiting:
        _tell(change, result, version)
    return len(waiting)


def _tell(change: Change, result: CriticalResult, version: ReportVersion | None) -> None:
    now = timezone.now()
    study = Study.objects.get(pk=result.study_id)
    if study.patient_id != result.patient_id:
        raise OtherPatient(
            "This study was moved to another patient after a critical result was flagged. Withdraw it and flag it again."
        )
    CriticalResult.objects.filter(pk=result.pk).update(
        state=State.TOLD,
        told_at=now,
        told_with=version,
        remind_at=now + timedelta(minutes=result.category.remind_every_minutes),
        escalate_at=now + timedelta(minutes=result.category.escalate_after_minutes),
    )
    grant_for_critical_result(study, result.recipient, by=change.user, lasts=GRANT_LASTS, address=change.address)
    tell(with_stand_ins(result.recipient), Notification.Kind.CRITICAL, occasion=occasion_of(result), study=study)
    change.record(Event.CRITICAL_NOTIFIED, result=result.pk, to=result.recipient.get_username())


def occasion_of(result: CriticalResult) -> str:
    """What all that is told of one result has in common."""
    return f"critical {result.pk}"


def clinicians() -> QuerySet[User]:
    """Whom a critical result can be told to."""
    return User.objects.filter(is_active=True, groups__name=Role.CLINICIAN.value).distinct()


def referrers_of(study: Study, now: datetime) -> list[User]:
    """Clinicians to whom the study was given because they referred it, then those it was given to by hand."""
    by_referral = (Grant.Source.ORDER, Grant.Source.IDENTIFIER, Grant.Source.MAPPING)
    granted = Grant.objects.filter(study=study, user__in=clinicians()).select_related("user")
    valid = [one for one in granted.order_by("pk") if one.expires_at is None or one.expires_at > now]
    ordered = sorted(valid, key=lambda one: one.source not in by_referral)
    return [one.user for one in ordered if one.user is not None]
