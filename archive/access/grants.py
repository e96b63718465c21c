"""Grants that follow from what the images say about their referrer.

Access is given automatically only by an identifier, or by a name mapping that an
administrator has confirmed once; any other match of names is only proposed.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from archive.access.roles import Role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.person_name import normalise
from archive.models import Grant, NameMapping, PersonIdentifier, ScheduledStep, Study, User, WardMapping


def grant_by_referrer(study: Study) -> None:
    """Give a study to the users its identifiers and confirmed name mappings mean; propose the rest."""
    for identifier in PersonIdentifier.objects.filter(value__in=study.referring_physician_identifiers):
        _grant(study, identifier.user_id, Grant.Source.IDENTIFIER)
    name_key = normalise(study.referring_physician_name)
    if not name_key:
        return
    for mapping in NameMapping.objects.filter(name_key=name_key, state=NameMapping.State.CONFIRMED):
        _grant(study, mapping.user_id, Grant.Source.MAPPING)
    propose_mappings(name_key)


def grant_by_order(study: Study) -> None:
    """Give a study to the users whom its order names, by identifier or by a confirmed name mapping.

    An order that names another patient gives nothing.
    """
    from archive.scheduling.linking import is_same_patient, orders_of

    for step in orders_of(study):
        if not is_same_patient(study, step):
            continue
        for identifier in PersonIdentifier.objects.filter(value__in=step.referring_physician_identifiers):
            _grant(study, identifier.user_id, Grant.Source.ORDER)
        if name_key := normalise(step.referring_physician_name):
            for mapping in NameMapping.objects.filter(name_key=name_key, state=NameMapping.State.CONFIRMED):
                _grant(study, mapping.user_id, Grant.Source.MAPPING)
            propose_mappings(name_key)
        _grant_wards(study, step)


def _grant_wards(study: Study, step: ScheduledStep) -> None:
    """Give a study to the groups that the ward or service of its order means now."""
    now = timezone.now()
    named = [name for name in (step.current_patient_location, step.requesting_service) if name]
    valid = WardMapping.objects.filter(
        Q(begins_at__isnull=True) | Q(begins_at__lte=now), Q(ends_at__isnull=True) | Q(ends_at__gt=now), name__in=named
    )
    for mapping in valid:
        if not Grant.objects.filter(group=mapping.group_id, study=study).exists():
            Grant.objects.create(group_id=mapping.group_id, study=study, source=Grant.Source.WARD)


def grant_for_critical_result(
    study: Study, user: User, *, by: User | None, lasts: timedelta, address: str = ""
) -> None:
    """Let somebody who is to be told of a critical result open the study, where nothing else lets them."""
    if Study.objects.visible_to(user).filter(pk=study.pk).exists():
        return
    values = {"source": Grant.Source.CRITICAL, "granted_by": by, "begins_at": None}
    Grant.objects.update_or_create(user=user, study=study, defaults=values | {"expires_at": timezone.now() + lasts})
    record_event(
        Event.RIGHTS_CHANGED,
        user=by,
        actor="" if by else "worker",
        address=address,
        study_instance_uid=study.study_instance_uid,
        subject="grant for a critical result",
        details={"to": user.get_username(), "days": lasts.days},
    )


def propose_mappings(name_key: str) -> None:
    """Propose clinicians whose own name could be meant; an administrator decides."""
    family, _, rest = name_key.partition("^")
    given = rest.partition("^")[0]
    if not family:
        return
    likely = User.objects.filter(groups__name=Role.CLINICIAN.value, is_active=True, last_name__iexact=family)
    if given:
        likely = likely.filter(Q(first_name__istartswith=given[0]) | Q(first_name=""))
    for user in likely[:5]:
        NameMapping.objects.get_or_create(name_key=name_key, user=user)


@transaction.atomic
def identifier_was_given(identifier: PersonIdentifier) -> int:
    """Grant the studies that already name a new identifier; returns how many."""
    pattern = f'"{identifier.value}"'
    studies = Study.objects.filter(referring_physician_identifiers__icontains=pattern)
    found = [study for study in studies if identifier.value in study.referring_physician_identifiers]
    for study in found:
        _grant(study, identifier.user_id, Grant.Source.IDENTIFIER)
    return len(found)


@transaction.atomic
def confirm_mapping(mapping: NameMapping, *, by: User) -> int:
    """Confirm once whom a name means, and grant the studies that carry it."""
    mapping.state = NameMapping.State.CONFIRMED
    mapping.confirmed_by = by
    mapping.confirmed_at = timezone.now()
    mapping.save()
    found = [
        study
        for study in Study.objects.exclude(referring_physician_name="").only("pk", "referring_physician_name")
        if normalise(study.referring_physician_name) == mapping.name_key
    ]
    for study in found:
        _grant(study, mapping.user_id, Grant.Source.MAPPING)
    record_event(Event.RIGHTS_CHANGED, user=by, subject=f"name mapping {mapping.pk}", details={"studies": len(found)})
    return len(found)


def _grant(study: Study, user_id: int, source: Grant.Source) -> None:
    Grant.objects.get_or_create(user_id=user_id, study=study, defaults={"source": source})
