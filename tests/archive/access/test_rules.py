"""Who may see which study: default deny, each cell in both directions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from archive.access.break_glass import NotAllowed, ReasonTooShort, open_in_emergency
from archive.access.delegations import DelegationRefused, delegate, end_delegation
from archive.access.grants import confirm_mapping, grant_by_order, grant_by_referrer, identifier_was_given
from archive.access.rules import may_download
from archive.models import (
    AuditEvent,
    BreakGlass,
    Delegation,
    Duty,
    Grant,
    NameMapping,
    Patient,
    PersonIdentifier,
    ScheduledStep,
    Series,
    Study,
    User,
    WardMapping,
)

if TYPE_CHECKING:
    from tests.conftest import Cast


@pytest.fixture
def study(db: None) -> Study:
    return make_study("1.2.3", "CT")


def make_study(uid: str, modality: str, **values: object) -> Study:
    now = timezone.now()
    patient, _ = Patient.objects.get_or_create(identity_key=f"id {uid[:3]}\\")
    study = Study.objects.create(
        study_instance_uid=uid, patient=patient, first_received_at=now, last_received_at=now, instance_count=1, **values
    )
    Series.objects.create(
        study=study, series_instance_uid=f"{uid}.1", modality=modality, last_received_at=now, instance_count=1
    )
    return study


def sees(user: User, study: Study) -> bool:
    fresh = User.objects.get(pk=user.pk)
    return Study.objects.visible_to(fresh).filter(pk=study.pk).exists()


def test_without_a_grant_only_radiologists_and_the_modality_s_technologists_see_a_study(
    cast: Cast, study: Study
) -> None:
    seeing = {user.username for user in cast.everybody() if sees(user, study)}
    assert seeing == {"reader", "reader2", "technologist"}


def test_a_technologist_does_not_see_another_modality(cast: Cast, study: Study) -> None:
    assert not sees(cast.technologist, make_study("1.2.4", "MG"))


def test_a_disabled_account_sees_nothing(cast: Cast, study: Study) -> None:
    User.objects.filter(pk=cast.reader.pk).update(is_active=False)
    assert not sees(cast.reader, study)


def test_a_grant_to_the_person_opens_one_study_for_them_alone(cast: Cast, study: Study) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    assert sees(cast.referrer, study)
    assert not sees(cast.referrer2, study)
    assert not sees(cast.referrer, make_study("1.2.4", "CT"))


def test_a_grant_of_the_patient_opens_all_their_studies(cast: Cast, study: Study) -> None:
    Grant.objects.create(user=cast.referrer, patient=study.patient)
    assert sees(cast.referrer, study) and sees(cast.referrer, make_study("1.2.4", "MR"))
    assert not sees(cast.referrer, make_study("9.9.9", "MR"))


def test_a_grant_to_a_ward_opens_it_for_its_members(cast: Cast, study: Study) -> None:
    ward = Group.objects.create(name="ward 3")
    cast.referrer.groups.add(ward)
    Grant.objects.create(group=ward, study=study)
    assert sees(cast.referrer, study) and not sees(cast.referrer2, study)


def test_a_grant_without_the_role_opens_nothing(cast: Cast, study: Study) -> None:
    Grant.objects.create(user=cast.outsider, study=study)
    assert not sees(cast.outsider, study)


def test_an_expired_grant_opens_nothing(cast: Cast, study: Study) -> None:
    Grant.objects.create(user=cast.referrer, study=study, expires_at=timezone.now() - timedelta(seconds=1))
    assert not sees(cast.referrer, study)


def test_an_identifier_in_the_images_grants_and_is_granted_backwards(cast: Cast) -> None:
    before = make_study("1.2.4", "CT", referring_physician_identifiers=["REF-0001"])
    identifier = PersonIdentifier.objects.create(user=cast.referrer, value="REF-0001")
    assert identifier_was_given(identifier) == 1
    after = make_study("1.2.5", "CT", referring_physician_identifiers=["X", "REF-0001"])
    other = make_study("1.2.6", "CT", referring_physician_identifiers=["REF-00011"])
    for study in (after, other):
        grant_by_referrer(study)
    assert [sees(cast.referrer, study) for study in (before, after, other)] == [True, True, False]


def test_a_name_is_only_proposed_until_an_administrator_confirms_it(cast: Cast) -> None:
    study = make_study("1.2.4", "CT", referring_physician_name="CLINICIAN^C")
    grant_by_referrer(study)
    proposed = NameMapping.objects.filter(state=NameMapping.State.PROPOSED)
    assert {mapping.user.username for mapping in proposed} == {"referrer", "referrer2"}
    assert not sees(cast.referrer, study) and not sees(cast.referrer2, study)
    confirm_mapping(proposed.get(user=cast.referrer), by=cast.admin)
    assert sees(cast.referrer, study) and not sees(cast.referrer2, study)
    later = make_study("1.2.5", "CT", referring_physician_name="Clinician^C")
    grant_by_referrer(later)
    assert sees(cast.referrer, later)


@pytest.mark.parametrize("name", ["reader", "referrer", "admin"])
def test_an_emergency_opens_one_study_for_an_hour_and_is_audited(cast: Cast, study: Study, name: str) -> None:
    user = getattr(cast, name)
    open_in_emergency(user=user, study=study, reason="unconscious in the emergency room")
    assert sees(user, study)
    event = AuditEvent.objects.get(event="emergency-access")
    assert (event.user_id, event.study_instance_uid) == (user.pk, "1.2.3")
    BreakGlass.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sees(user, study) is (name == "reader")


def test_an_emergency_needs_a_reason_and_a_role(cast: Cast, study: Study) -> None:
    with pytest.raises(ReasonTooShort):
        open_in_emergency(user=cast.referrer, study=study, reason="  asap    ")
    for user in (cast.technologist, cast.outsider):
        with pytest.raises(NotAllowed):
            open_in_emergency(user=user, study=study, reason="unconscious in the emergency room")


def test_the_originals_go_to_radiologists_and_clinicians_who_may(cast: Cast, study: Study) -> None:
    Grant.objects.create(user=cast.referrer, study=study, may_download=True)
    Grant.objects.create(user=cast.referrer2, study=study)
    allowed = {user.username for user in cast.everybody() if may_download(user, study)}
    assert allowed == {"reader", "reader2", "referrer"}


def test_an_order_gives_its_referrer_the_study_by_identifier_and_only_for_the_same_patient(cast: Cast) -> None:
    from archive.access.grants import grant_by_order
    from tests.archive.scheduling.steps import make_step

    PersonIdentifier.objects.create(user=cast.referrer, value="D-1")
    mine = make_study("1.2.3", "CT", accession_number="A1")
    Patient.objects.update(patient_id="P1", identity_key="id P1\\")
    make_step(accession_number="A1", patient_id="P1", referring_physician_identifiers=["D-1"])
    make_step(accession_number="A1", patient_id="P2", referring_physician_identifiers=["D-2"])
    PersonIdentifier.objects.create(user=cast.referrer2, value="D-2")
    mine.patient.refresh_from_db()
    grant_by_order(mine)
    assert sees(cast.referrer, mine) and not sees(cast.referrer2, mine)
    assert Grant.objects.get().source == Grant.Source.ORDER


def test_a_referrer_s_name_on_an_order_alone_gives_nothing(cast: Cast) -> None:
    from archive.access.grants import grant_by_order
    from tests.archive.scheduling.steps import make_step

    study = make_study("1.2.3", "CT")
    make_step(study_instance_uid="1.2.3", patient_id="", referring_physician_name="Clinician^Clara")
    grant_by_order(study)
    assert not sees(cast.referrer, study)


# --- For a time: on call, wards, colleagues who stand in --------------------------------------------------------------


DAY = timedelta(days=1)


def test_a_grant_opens_nothing_before_it_begins(cast: Cast, study: Study) -> None:
    grant = Grant.objects.create(user=cast.referrer, study=study, begins_at=timezone.now() + DAY, may_download=True)
    assert not sees(cast.referrer, study) and not may_download(cast.referrer, study)
    Grant.objects.filter(pk=grant.pk).update(begins_at=timezone.now() - DAY)
    assert sees(cast.referrer, study) and may_download(cast.referrer, study)


@pytest.mark.parametrize(("begins", "ends", "seen"), [(-1, 1, True), (-2, -1, False), (1, 2, False)])
def test_who_is_on_call_sees_what_the_group_was_given_for_that_time(
    cast: Cast, study: Study, begins: int, ends: int, seen: bool
) -> None:
    group = Group.objects.create(name="on call")
    Grant.objects.create(group=group, study=study)
    now = timezone.now()
    Duty.objects.create(user=cast.referrer, group=group, begins_at=now + begins * DAY, ends_at=now + ends * DAY)
    assert sees(cast.referrer, study) is seen
    assert not sees(cast.referrer2, study)


def away(cast: Cast, *, begins: int = -1, ends: int = 1) -> Delegation:
    now = timezone.now()
    return Delegation.objects.create(
        clinician=cast.referrer, delegate=cast.referrer2, begins_at=now + begins * DAY, ends_at=now + ends * DAY
    )


def test_a_colleague_who_stands_in_sees_what_was_given_by_name_and_not_the_ward_s(cast: Cast, study: Study) -> None:
    ward = Group.objects.create(name="ward 3")
    cast.referrer.groups.add(ward)
    other = make_study("1.2.4", "CT")
    Grant.objects.create(user=cast.referrer, study=study)
    Grant.objects.create(group=ward, study=other)
    assert not sees(cast.referrer2, study)
    away(cast)
    assert sees(cast.referrer2, study) and not sees(cast.referrer2, other)
    assert sees(cast.referrer, study)


@pytest.mark.parametrize(("begins", "ends"), [(-2, -1), (1, 2)])
def test_nobody_stands_in_before_or_after_the_time(cast: Cast, study: Study, begins: int, ends: int) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    away(cast, begins=begins, ends=ends)
    assert not sees(cast.referrer2, study)


def test_standing_in_ends_at_once_and_with_the_colleague_s_account_or_role(cast: Cast, study: Study) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    first = away(cast)
    end_delegation(first, by=cast.referrer)
    assert not sees(cast.referrer2, study)
    away(cast)
    User.objects.filter(pk=cast.referrer.pk).update(is_active=False)
    assert not sees(cast.referrer2, study)
    User.objects.filter(pk=cast.referrer.pk).update(is_active=True)
    cast.referrer.groups.clear()
    assert not sees(cast.referrer2, study)


def test_whom_a_colleague_stands_in_for_is_not_handed_on(cast: Cast, study: Study) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    away(cast)
    third = User.objects.create_user("third")
    third.groups.add(Group.objects.get(name="referring clinician"))
    now = timezone.now()
    Delegation.objects.create(clinician=cast.referrer2, delegate=third, begins_at=now - DAY, ends_at=now + DAY)
    assert sees(cast.referrer2, study) and not sees(third, study)


def test_a_clinician_arranges_it_themselves_and_it_is_on_record(cast: Cast) -> None:
    now = timezone.now()
    made = delegate(clinician=cast.referrer, to=cast.referrer2, begins_at=now, ends_at=now + DAY, address="10.0.0.7")
    event = AuditEvent.objects.get(event="rights-changed")
    assert (event.user_id, event.address, event.details["to"]) == (cast.referrer.pk, "10.0.0.7", "referrer2")
    assert end_delegation(made, by=cast.referrer) and not end_delegation(made, by=cast.referrer)


@pytest.mark.parametrize(("who", "to"), [("reader", "referrer"), ("referrer", "reader"), ("referrer", "referrer")])
def test_only_another_clinician_stands_in_for_a_clinician(cast: Cast, who: str, to: str) -> None:
    now = timezone.now()
    with pytest.raises(DelegationRefused):
        delegate(clinician=getattr(cast, who), to=getattr(cast, to), begins_at=now, ends_at=now + DAY)
    assert not Delegation.objects.exists()


@pytest.mark.parametrize("days", [-1, 0, 93])
def test_standing_in_has_an_end_that_is_not_too_far(cast: Cast, days: int) -> None:
    now = timezone.now()
    with pytest.raises(DelegationRefused):
        delegate(clinician=cast.referrer, to=cast.referrer2, begins_at=now, ends_at=now + days * DAY)


@pytest.mark.parametrize("field", ["current_patient_location", "requesting_service"])
def test_the_ward_that_an_order_names_sees_the_study_while_the_mapping_holds(cast: Cast, field: str) -> None:
    ward = Group.objects.create(name="ward 3")
    cast.referrer.groups.add(ward)
    mapping = WardMapping.objects.create(name="W3", group=ward, ends_at=timezone.now() - DAY)
    study = make_study("1.2.5", "CT", accession_number="A-5")
    Patient.objects.filter(pk=study.patient_id).update(patient_id="P5", patient_name="DOE^Jane")
    study.refresh_from_db()
    ScheduledStep.objects.create(
        study_instance_uid="1.2.5", patient_id="P5", patient_name="DOE^Jane", modality="CT", **{field: "W3"}
    )
    grant_by_order(study)
    assert not sees(cast.referrer, study)
    WardMapping.objects.filter(pk=mapping.pk).update(ends_at=None)
    for _ in range(2):
        grant_by_order(study)
    assert sees(cast.referrer, study) and not sees(cast.referrer2, study)
    assert Grant.objects.get().source == "ward"
