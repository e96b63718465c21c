"""Critical results for scripts: those of a study, flagging one, and what can be done with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_POST

from archive.access.roles import user_of
from archive.access.rules import may_read_reports
from archive.models import Study
from pacs_portal.middleware import client_address
from viewer.api.reports import STATUS, patient_of, read_body, refused, visible_study
from viewer.critical import errors
from viewer.critical.acknowledging import acknowledge
from viewer.critical.flagging import Flag, flag, tell_at_once, withdraw
from viewer.critical.words import choices_to_flag, results_for
from viewer.models import CriticalResult
from viewer.reports.errors import ReportRefusal
from viewer.worklist.claiming import Change, WorklistRefusal, may_read

ACTIONS = {"tell": tell_at_once, "withdraw": withdraw, "acknowledge": acknowledge}
STATUS |= {errors.CriticalRefused: 400, errors.NotYoursToAcknowledge: 403}


@require_http_methods(["GET", "HEAD", "POST"])
def critical_results(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """GET tells what was flagged and what can be chosen; POST flags: category, text, recipient, at_once, patient."""
    study = visible_study(request, study_instance_uid)
    if not (may_read(user_of(request)) or may_read_reports(user_of(request), study)):
        return JsonResponse({"error": "Your role does not read reports."}, status=403)
    if request.method == "POST":
        return _flag(request, study)
    return JsonResponse(_told(request, study) | (choices_to_flag(study) if may_read(user_of(request)) else {}))


def _told(request: HttpRequest, study: Study) -> dict[str, Any]:
    return {"results": [asdict(one) for one in results_for(user_of(request), study)]}


def _flag(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        values = read_body(request)
        asked = Flag(
            category=_number(values.get("category")),
            text=str(values.get("text", "")),
            recipient=_number(values.get("recipient")),
            patient=patient_of(values),
        )
        flag(Change(user_of(request), study, client_address(request)), asked, at_once=values.get("at_once") is True)
    except (ReportRefusal, WorklistRefusal) as refusal:
        return refused(refusal, {})
    return JsonResponse(_told(request, study), status=201)


def _number(value: Any) -> int:
    """A row's number as a script sends it; 0 is no row."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else 0


@require_POST
def critical_action(request: HttpRequest, study_instance_uid: str, pk: int, action: str) -> HttpResponse:
    """``tell`` at once, ``withdraw`` or ``acknowledge``."""
    study = visible_study(request, study_instance_uid)
    if action not in ACTIONS or not may_read_reports(user_of(request), study):
        raise Http404
    result = get_object_or_404(CriticalResult, pk=pk, study=study)
    try:
        ACTIONS[action](Change(user_of(request), study, client_address(request)), result)
    except (ReportRefusal, WorklistRefusal) as refusal:
        return refused(refusal, {})
    return JsonResponse(_told(request, study))
