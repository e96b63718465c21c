"""``visible_studies``: the one rule behind ``Study.objects.visible_to(who)``; what no line allows is denied."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from archive.access.entities import ApplicationEntity
from archive.access.roles import Role, has_role, roles_of

if TYPE_CHECKING:
    from archive.models import QuarantinedFile, Study, User
    from archive.models.study import Seer, StudyQuerySet

Studies = TypeVar("Studies", bound="StudyQuerySet")


def visible_studies(studies: Studies, who: Seer) -> Studies:
    """Narrow a queryset to what this person or peer may open."""
    if isinstance(who, ApplicationEntity):
        return studies if who.may_see_studies else studies.none()
    roles = roles_of(who)
    if Role.RADIOLOGIST in roles:
        return studies
    allowed = Q(pk__in=[])
    if Role.TECHNOLOGIST in roles:
        allowed |= of_own_modality(who)
    if Role.CLINICIAN in roles:
        allowed |= granted_to(who)
    if roles:
        allowed |= opened_in_emergency(who)
    return studies.filter(allowed)


def of_own_modality(who: User) -> Q:
    """Studies with a series of a modality that the technologist works at."""
    from archive.models import Series

    return Q(Exists(Series.objects.filter(study=OuterRef("pk"), modality__in=who.modalities or [])))


def granted_to(who: User) -> Q:
    """Studies granted to the person or to a group of theirs, singly or with all of the patient."""
    from archive.models import Grant

    valid = Grant.objects.filter(Q(user=who) | Q(group__in=who.groups.all())).filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    )
    return Q(pk__in=valid.filter(study__isnull=False).values("study")) | Q(
        patient__in=valid.filter(patient__isnull=False).values("patient")
    )


def opened_in_emergency(who: User) -> Q:
    """Studies that the person opened with a reason within the last hour."""
    from archive.models import BreakGlass

    return Q(pk__in=BreakGlass.objects.filter(user=who, expires_at__gt=timezone.now()).values("study"))


def may_download(who: User, study: Study) -> bool:
    """Whether the original files may be taken away."""
    from archive.models import BreakGlass, Grant

    if has_role(who, Role.RADIOLOGIST):
        return True
    now = timezone.now()
    if has_role(who, Role.CLINICIAN):
        valid = Grant.objects.filter(Q(user=who) | Q(group__in=who.groups.all()), may_download=True).filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now)
        )
        if valid.filter(Q(study=study) | Q(patient=study.patient_id)).exists():
            return True
    return (
        has_role(who, Role.ADMINISTRATOR)
        and BreakGlass.objects.filter(user=who, study=study, expires_at__gt=now).exists()
    )


def may_upload(who: User) -> bool:
    return bool(roles_of(who))


def uploads_are_held(who: User) -> bool:
    """A clinician's upload waits in quarantine for a look."""
    return not has_role(who, Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.ADMINISTRATOR)


def visible_quarantine(files: QuerySet[QuarantinedFile], who: User) -> QuerySet[QuarantinedFile]:
    """Administrators see all of it, technologists their own modality and what names none."""
    if has_role(who, Role.ADMINISTRATOR):
        return files
    if has_role(who, Role.TECHNOLOGIST):
        return files.filter(Q(modality__in=who.modalities or []) | Q(modality=""))
    return files.none()


def may_break_glass(who: User) -> bool:
    """Radiologists, clinicians and administrators may open a study in an emergency."""
    return has_role(who, Role.RADIOLOGIST, Role.CLINICIAN, Role.ADMINISTRATOR)


def may_reject(who: User) -> bool:
    """Who may hide images with a coded reason."""
    return has_role(who, Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.ADMINISTRATOR)
