"""``visible_studies``: the one rule behind ``Study.objects.visible_to(who)``; what no line allows is denied."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from archive.access.entities import ApplicationEntity, Visitor
from archive.access.roles import Role, has_role, roles_of

if TYPE_CHECKING:
    from archive.models import Grant, Instance, QuarantinedFile, Study, User
    from archive.models.instance import InstanceQuerySet
    from archive.models.study import Seer, StudyQuerySet

REPORT_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("88.11", "88.22", "88.33", "88.34", "104.1", "104.2")
)
"""Instances that carry the text of a report: text SR of all kinds, Encapsulated PDF and CDA (PS3.4 B.5)."""
Studies = TypeVar("Studies", bound="StudyQuerySet")


def visible_studies(studies: Studies, who: Seer) -> Studies:
    """Narrow a queryset to what this person or peer may open."""
    if isinstance(who, ApplicationEntity):
        return studies if who.may_see_studies else studies.none()
    if isinstance(who, Visitor):
        return shareable_studies(studies.filter(pk=who.study_id), who.maker)
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


def shareable_studies(studies: Studies, maker: User) -> Studies:
    """What a person may show to others: radiologists the site's, clinicians what was granted to them."""
    if has_role(maker, Role.RADIOLOGIST):
        return studies
    return studies.filter(granted_to(maker)) if has_role(maker, Role.CLINICIAN) else studies.none()


def of_own_modality(who: User) -> Q:
    """Studies with a series of a modality that the technologist works at."""
    from archive.models import Series

    return Q(Exists(Series.objects.filter(study=OuterRef("pk"), modality__in=who.modalities or [])))


def granted_to(who: User) -> Q:
    """Studies granted to the person or to a group of theirs, singly or with all of the patient."""
    valid = valid_grants(who)
    return Q(pk__in=valid.filter(study__isnull=False).values("study")) | Q(
        patient__in=valid.filter(patient__isnull=False).values("patient")
    )


def valid_grants(who: User) -> QuerySet[Grant]:
    """What is granted now: to the person, to a group they are in or on call for, to a colleague they stand in for."""
    from archive.models import Duty, Grant

    now = timezone.now()
    on_call = Duty.objects.filter(user=who, begins_at__lte=now, ends_at__gt=now)
    to_whom = (
        Q(user=who)
        | Q(user__in=stood_in_for(who, now))
        | Q(group__in=who.groups.all())
        | Q(group__in=on_call.values("group"))
    )
    return Grant.objects.filter(
        to_whom,
        Q(begins_at__isnull=True) | Q(begins_at__lte=now),
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
    )


def stood_in_for(who: User, now: datetime) -> QuerySet[User]:
    """Clinicians who are away and named this person; whom those stand in for themselves is not handed on."""
    from archive.models import Delegation, User

    running = Delegation.objects.filter(delegate=who, begins_at__lte=now, ends_at__gt=now, ended_at__isnull=True)
    return User.objects.filter(
        is_active=True, groups__name=Role.CLINICIAN.value, pk__in=running.values("clinician")
    ).only("pk")


def opened_in_emergency(who: User) -> Q:
    """Studies that the person opened with a reason within the last hour."""
    from archive.models import BreakGlass

    return Q(pk__in=BreakGlass.objects.filter(user=who, expires_at__gt=timezone.now()).values("study"))


def may_download(who: User, study: Study) -> bool:
    """Whether the original files may be taken away."""
    from archive.models import BreakGlass

    if has_role(who, Role.RADIOLOGIST):
        return True
    now = timezone.now()
    if has_role(who, Role.CLINICIAN):
        valid = valid_grants(who).filter(may_download=True)
        if valid.filter(Q(study=study) | Q(patient=study.patient_id)).exists():
            return True
    return (
        has_role(who, Role.ADMINISTRATOR)
        and BreakGlass.objects.filter(user=who, study=study, expires_at__gt=now).exists()
    )


def may_have_values(who: object) -> bool:
    """Whether stored pixel values may be sent (value tiles and what the browser needs to draw them).

    People who may open a study may have its values; whoever else opens one, with a link
    that shares pictures, gets pictures.
    """
    from archive.models import User

    return isinstance(who, User) and who.is_active


def may_read_reports(who: User, study: Study) -> bool:
    """Whether the text of final reports may be read: radiologists, whom the study was given to, in an emergency."""
    if has_role(who, Role.RADIOLOGIST):
        return True
    allowed = type(study).objects.filter(pk=study.pk)
    if has_role(who, Role.CLINICIAN):
        return allowed.filter(granted_to(who) | opened_in_emergency(who)).exists()
    return has_role(who, Role.ADMINISTRATOR) and allowed.filter(opened_in_emergency(who)).exists()


def may_read_instance(who: User, instance: Instance) -> bool:
    """Whether the elements of an instance may be read: one that carries a report goes where reports go."""
    return instance.sop_class_uid not in REPORT_CLASSES or may_read_reports(who, instance.series.study)


def without_reports(instances: InstanceQuerySet, study: Study) -> InstanceQuerySet:
    """Leave out the series of a study that carry reports, whole: what is prepared of a series is for everybody."""
    from archive.models import Series

    reports = Series.objects.filter(study=study, instances__sop_class_uid__in=REPORT_CLASSES)
    return instances.exclude(series__in=reports.values("pk"))


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
