"""What one person is told of a study's report: its state, the text they may read, what they may do."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from archive.models import Study, User
from viewer.models import ReadingTask, Report, ReportPolicy, ReportVersion
from viewer.reports.access import readable_versions, reads_draft
from viewer.reports.drafting import report_of
from viewer.reports.earlier import in_json
from viewer.reports.identity import identity_of
from viewer.reports.measurements import told
from viewer.reports.reauthentication import needs_second_factor
from viewer.reports.sections import draft_text
from viewer.results.sending import sent_of
from viewer.worklist.claiming import can_be_claimed_by, may_read
from viewer.worklist.rows import reader_in_words, task_of


def state_of(report: Report | None) -> str:
    """``none``, ``draft``, ``preliminary``, ``final`` or ``addendum``."""
    if report is None:
        return "none"
    return "addendum" if report.has_addendum else str(report.state)


def overview(who: User, study: Study) -> dict[str, Any]:
    """Everything that the panel and the page show; what the person may not read is not in it."""
    report = report_of(study)
    versions = readable_versions(who, study)
    reader = may_read(who)
    shown = reader and (report is None or reads_draft(who, report))
    return {
        "state": state_of(report) if reader else (versions[-1].kind if versions else "none"),
        "identity": identity_of(study),
        "patient": study.patient_id,
        "number": report.draft_number if report and reader else 0,
        "draft": draft_text(report) if shown else None,
        "saved_at": report.saved_at.isoformat() if report and shown and report.draft_number else None,
        "saved_by": str(report.author) if report and report.author and reader else None,
        "patient_moved": bool(report and reader and report.patient_id != study.patient_id),
        "measurements": told(report.measurements, study) if report and shown else [],
        "versions": [version_in_json(version, study) for version in versions],
        "earlier": in_json(report) if report and shown else [],
        "sent": sent_of(study) if reader else [],
        "may_dictate": reader and ReportPolicy.current().dictation,
        **claim_in_json(who, study, report),
        "asks_code": reader and needs_second_factor(who),
    }


def claim_in_json(who: User, study: Study, report: Report | None) -> dict[str, Any]:
    """Whether the person may type now, and if not, why."""
    task = task_of(study)
    is_final = report is not None and report.state == Report.State.FINAL
    holds = task is not None and task.state == ReadingTask.State.IN_PROGRESS and task.claimed_by_id == who.pk
    now = timezone.now()
    can_claim = task is not None and can_be_claimed_by(who, task, arriving=study.is_arriving, now=now)
    return {
        "may_write": may_read(who) and holds and not is_final,
        "may_addend": may_read(who) and is_final,
        "may_claim": can_claim and not is_final and not holds,
        "reader": reader_in_words(task, now) if may_read(who) else "",
    }


def version_in_json(version: ReportVersion, study: Study) -> dict[str, Any]:
    return {
        "number": version.number,
        "kind": version.kind,
        "text": version.text,
        "author": version.author_name,
        "signed_at": version.signed_at.isoformat(),
        "sha256": version.sha256,
        "measurements": told(version.measurements, study),
    }
