"""Critical results as pages and scripts show them: what this person may know, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from archive.access.rules import may_read_reports
from archive.models import Study, User
from viewer.critical.acknowledging import clock_of, may_acknowledge
from viewer.critical.flagging import clinicians, referrers_of
from viewer.models import CriticalCategory, CriticalResult
from viewer.worklist.claiming import may_read

State = CriticalResult.State
MOST_RECIPIENTS = 500


@dataclass(frozen=True, slots=True)
class ShownResult:
    """One critical result, for one person."""

    pk: int
    category: str
    text: str
    state: str
    words: str
    """Who was told, or who acknowledged it and when."""
    flagged: str
    waits: bool
    may_acknowledge: bool
    may_withdraw: bool


def results_for(who: User, study: Study) -> list[ShownResult]:
    """What was flagged of a study and not withdrawn; those who do not write reports see what was told."""
    reader = may_read(who)
    if not (reader or may_read_reports(who, study)):
        return []
    found = CriticalResult.objects.filter(study=study).exclude(state=State.WITHDRAWN)
    found = found.select_related("study", "category", "flagged_by")
    return [_shown(who, one, reader) for one in (found if reader else found.exclude(state=State.FLAGGED))]


def _shown(who: User, result: CriticalResult, reader: bool) -> ShownResult:
    return ShownResult(
        pk=result.pk,
        category=result.category.name,
        text=result.text,
        state=result.state,
        words=state_in_words(result),
        flagged=f"Flagged by {result.flagged_by}, {timezone.localtime(result.flagged_at):%Y-%m-%d %H:%M}",
        waits=result.state == State.TOLD,
        may_acknowledge=result.state == State.TOLD and may_acknowledge(who, result),
        may_withdraw=reader and result.state == State.FLAGGED,
    )


def state_in_words(result: CriticalResult) -> str:
    """``Acknowledged by Clara Clinician at 2026-11-24 10:42``, or whom it waits for."""
    if result.state == State.ACKNOWLEDGED:
        return f"Acknowledged by {result.acknowledged_name} at {clock_of(result)}"
    if result.state == State.FLAGGED:
        return f"{result.recipient_name} is told when the report is signed"
    told = f"{timezone.localtime(result.told_at):%H:%M}" if result.told_at else ""
    reminded = f", reminded {result.reminders} time{'' if result.reminders == 1 else 's'}" if result.reminders else ""
    escalated = ", escalated" if result.escalated_at else ""
    return f"{result.recipient_name} was told at {told}{reminded}{escalated}; not acknowledged yet"


def choices_to_flag(study: Study) -> dict[str, Any]:
    """Categories, and whom it can be told to: whoever referred the study stands first and is the default."""
    referrers = referrers_of(study, timezone.now())
    first = {user.pk for user in referrers}
    others = clinicians().exclude(pk__in=first).order_by("last_name", "first_name", "username")[:MOST_RECIPIENTS]
    return {
        "categories": [{"id": one.pk, "name": one.name} for one in CriticalCategory.objects.filter(is_active=True)],
        "recipients": [
            {"id": user.pk, "name": str(user), "is_referrer": user.pk in first} for user in (*referrers, *others)
        ],
    }
