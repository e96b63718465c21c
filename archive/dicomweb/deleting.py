"""DELETE of a study, a series or an instance: it is rejected with a reason, its bytes stay, and it can be restored.

PS3.18 leaves the meaning of DELETE to the archive. Here it is what a rejection note says (PS3.3 A.35.4, CID 7011).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import may_reject
from archive.dicomweb.errors import BadRequest, Forbidden, Gone, NotFound
from archive.dicomweb.responses import answers_errors
from archive.indexing.rejecting import codes_of, reject_instances
from archive.models import Instance, Study, User
from archive.models.instance import InstanceQuerySet, Rejection
from pacs_portal.middleware import client_address

ASKED: Final = {"code": "Rejection-Code", "reason": "Rejection-Reason"}
"""Query parameter -> header field that may stand in its place."""


@answers_errors
def delete(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> HttpResponseBase:
    """Reject what the address names: 204; 403 where this person may not, 410 where it was done before."""
    user = user_of(request)
    found = _find(user, study_instance_uid, series_instance_uid, sop_instance_uid)
    reject_instances(
        found, code=_code(request, user), reason=_asked(request, "reason"), by=user, address=client_address(request)
    )
    return HttpResponse(status=204)


def _find(user: User, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str) -> InstanceQuerySet:
    """Instances that are shown; administrators reject what they may not look at, as on the page for it.

    Raises
    ------
    NotFound, Forbidden, Gone
    """
    studies = Study.objects.all() if has_role(user, Role.ADMINISTRATOR) else Study.objects.visible_to(user)
    rows = Instance.objects.filter(series__study__in=studies.filter(study_instance_uid=study_instance_uid))
    if series_instance_uid:
        rows = rows.filter(series__series_instance_uid=series_instance_uid)
    if sop_instance_uid:
        rows = rows.filter(sop_instance_uid=sop_instance_uid)
    if not rows.exists():
        raise NotFound("There is no such resource.")
    if not may_reject(user):
        raise Forbidden("You may look at this study, but not reject its images.")
    if not rows.shown().exists():
        raise Gone("It was rejected before; those who may can restore it.")
    return rows


def _code(request: HttpRequest, user: User) -> str:
    code = _asked(request, "code")
    if code not in Rejection.values or not code:
        words = ", ".join(f"{one.value} ({one.label})" for one in codes_of(user))
        raise BadRequest(f"code (or the header {ASKED['code']}): one of {words} is accepted, not {code[:32]!r}.")
    return code


def _asked(request: HttpRequest, name: str) -> str:
    return request.GET.get(name) or unquote(request.headers.get(ASKED[name], ""))
