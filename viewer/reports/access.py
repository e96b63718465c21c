"""Who reads and who writes reports: one line of the access table a function; what none allows is denied."""

from __future__ import annotations

from archive.access.roles import Role, has_role, roles_of
from archive.access.rules import granted_to, opened_in_emergency
from archive.models import Instance, Study, User
from viewer.models import ReadingTask, Report, ReportVersion

Kind = ReportVersion.Kind
REPORT_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("88.11", "88.22", "88.33", "88.34", "104.1", "104.2")
)
"""Instances that carry the text of a report: text SR of all kinds, Encapsulated PDF and CDA (PS3.4 B.5)."""
ROLE_GROUPS = frozenset(role.value for role in Role)


def reads_all_signed(who: User) -> bool:
    """Radiologists read every signed version of the site, preliminary ones too."""
    return has_role(who, Role.RADIOLOGIST)


def reads_final(who: User, study: Study) -> bool:
    """Radiologists; clinicians the studies given to them; administrators and clinicians in an emergency."""
    if reads_all_signed(who):
        return True
    allowed = Study.objects.filter(pk=study.pk)
    if has_role(who, Role.CLINICIAN):
        return allowed.filter(granted_to(who) | opened_in_emergency(who)).exists()
    return has_role(who, Role.ADMINISTRATOR) and allowed.filter(opened_in_emergency(who)).exists()


def reads_instance(who: User, instance: Instance) -> bool:
    """Whether the elements of an instance may be given out: those that carry a report go where reports go."""
    return instance.sop_class_uid not in REPORT_CLASSES or reads_final(who, instance.series.study)


def readable_versions(who: User, study: Study) -> list[ReportVersion]:
    """What this person may read of a study's signed report, oldest first; nothing before it is final but for readers."""
    if not reads_final(who, study):
        return []
    versions = list(
        ReportVersion.objects.filter(report__study=study).select_related("report__study", "author").order_by("number")
    )
    return versions if reads_all_signed(who) else [one for one in versions if one.kind != Kind.PRELIMINARY]


def reads_draft(who: User, report: Report) -> bool:
    """The author, whoever holds the study, and readers of a group that the author is in (roles are no such group)."""
    if not has_role(who, Role.RADIOLOGIST):
        return False
    if report.author_id in (None, who.pk):
        return True
    if ReadingTask.objects.filter(study=report.study_id, claimed_by=who, state=ReadingTask.State.IN_PROGRESS).exists():
        return True
    shared = who.groups.exclude(name__in=ROLE_GROUPS).filter(user=report.author_id)
    return shared.exists()


def knows_of_reports(who: User) -> bool:
    """Whether a refusal may say that there are reports at all: every role sees their state on its list."""
    return bool(roles_of(who))
