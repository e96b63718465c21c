"""Tell those whom a study was given by name that its report was signed."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from archive.access.roles import Role
from archive.models import Grant, Study, User
from viewer.models import Notification, ReportVersion
from viewer.notifying.telling import tell, with_stand_ins


def tell_of_report(study: Study, version: ReportVersion) -> int:
    """Tell the clinicians to whom the study or the patient was given by name, and who stands in for them.

    A ward or team sees the report on its list; all of its members are not told of each.
    """
    now = timezone.now()
    valid = Grant.objects.filter(
        Q(study=study) | Q(patient=study.patient_id),
        Q(begins_at__isnull=True) | Q(begins_at__lte=now),
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        user__isnull=False,
    )
    clinicians = User.objects.filter(pk__in=valid.values("user"), groups__name=Role.CLINICIAN.value, is_active=True)
    people = [person for user in clinicians.distinct() for person in with_stand_ins(user)]
    return tell(people, Notification.Kind.REPORT, occasion=f"report version {version.pk}", study=study)
