"""Who reads and who writes reports: one line of the access table a function; what none allows is denied."""

from __future__ import annotations

from archive.access.roles import Role, has_role, roles_of
from archive.access.rules import may_read_reports
from archive.models import Study, User
from viewer.models import ReadingTask, Report, ReportVersion

Kind = ReportVersion.Kind
ROLE_GROUPS = frozenset(role.value for role in Role)


def reads_all_signed(who: User) -> bool:
    """Radiologists read every signed version of the site, preliminary ones too."""
    return has_role(who, Role.RADIOLOGIST)


def readable_versions(who: User, study: Study) -> list[ReportVersion]:
    """What this person may read of a study's signed report, oldest first; nothing before it is final but for readers."""
    if not may_read_reports(who, study):
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
