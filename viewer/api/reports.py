"""Reports for scripts: the draft under ``If-Match``, signing, what was signed, templates and macros.

A draft's number is its ETag. A save or a signature without ``If-Match`` is 428 (RFC 6585),
one that began with another draft than the one kept is 409 with both texts.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive.access.roles import user_of
from archive.access.rules import may_read_reports
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Study
from pacs_portal.middleware import client_address
from viewer.errors import ViewerError
from viewer.models import ReportVersion
from viewer.reports import errors
from viewer.reports.access import knows_of_reports, readable_versions
from viewer.reports.document import compose
from viewer.reports.drafting import Draft, save_draft
from viewer.reports.overview import overview, version_in_json
from viewer.reports.plain_text import as_plain_text
from viewer.reports.reauthentication import Proof, require_proof
from viewer.reports.signing import Signature, kind_of_signature, sign
from viewer.reports.template_fields import values_for
from viewer.reports.writing_aids import macros_for, templates_for, texts_of
from viewer.worklist.claiming import Change, NotOnWorklist, NotYours, WorklistRefusal, may_read

LONGEST_BODY = 600_000
"""Bytes of a draft: all sections at their longest, in UTF-8."""
NUMBER = re.compile(r'(?:W/)?"(\d{1,9})"')
STATUS: dict[type[ViewerError], int] = {
    errors.NotForYou: 403,
    errors.WrongPassword: 403,
    errors.NoSecondFactor: 403,
    errors.TooManyTries: 429,
    errors.InvalidText: 400,
    errors.NothingToSign: 400,
    NotYours: 403,
    NotOnWorklist: 404,
}
"""Every other refusal is a conflict with what somebody did: 409."""


class NumberMissing(errors.ReportRefusal):
    """A change that does not say with which draft it began."""


STATUS[NumberMissing] = 428


@require_http_methods(["GET", "HEAD", "PUT"])
def report(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """GET tells the state and the text that the person may read; PUT keeps a draft."""
    study = visible_study(request, study_instance_uid)
    if request.method == "PUT":
        return _save(request, study)
    if not (may_read(user_of(request)) or may_read_reports(user_of(request), study)):
        return _forbidden(request)
    told = overview(user_of(request), study)
    if told["versions"]:
        record_view(request, study)
    response = JsonResponse(told)
    response["ETag"] = f'"{told["number"]}"'
    return response


def visible_study(request: HttpRequest, study_instance_uid: str) -> Study:
    studies = Study.objects.visible_to(user_of(request)).select_related("patient", "reading_task__claimed_by")
    return get_object_or_404(studies, study_instance_uid=study_instance_uid)


def record_view(request: HttpRequest, study: Study) -> None:
    """Somebody was given the text of a signed report."""
    record_event(
        Event.REPORT_VIEWED,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=study.study_instance_uid,
    )


def _forbidden(request: HttpRequest) -> HttpResponse:
    if not knows_of_reports(user_of(request)):
        raise Http404
    return JsonResponse({"error": "Your role does not read reports."}, status=403)


def _save(request: HttpRequest, study: Study) -> HttpResponse:
    yours: dict[str, Any] = {}
    try:
        values = read_body(request)
        given = values.get("text")
        yours = given if isinstance(given, dict) else {}
        draft = Draft(
            text=yours,
            began_with=number_of(request),
            patient=patient_of(values),
            patient_confirmed=values.get("patient_confirmed") is True,
            puts_back=values.get("puts_back") is True,
            measurements=values.get("measurements") or (),
        )
        saved = save_draft(_change(request, study), draft)
    except (errors.ReportRefusal, WorklistRefusal) as refusal:
        return refused(refusal, yours)
    response = JsonResponse({"number": saved.draft_number, "saved_at": saved.saved_at.isoformat()})
    response["ETag"] = f'"{saved.draft_number}"'
    return response


def _change(request: HttpRequest, study: Study) -> Change:
    return Change(user_of(request), study, client_address(request))


def read_body(request: HttpRequest) -> dict[str, Any]:
    """A JSON object.

    Raises
    ------
    InvalidText
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        raise errors.InvalidText("This is longer than a report can be.")
    try:
        values = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise errors.InvalidText("A JSON object is needed.")
    return values


def number_of(request: HttpRequest) -> int:
    """The draft that the window began with, from ``If-Match``.

    Raises
    ------
    NumberMissing
    """
    found = NUMBER.fullmatch(request.headers.get("If-Match", "").strip())
    if found is None:
        raise NumberMissing('If-Match is needed: the number of the draft that you began with, such as "3".')
    return int(found[1])


def patient_of(values: dict[str, Any]) -> int:
    """The portal's number of the patient whose images are shown.

    Raises
    ------
    InvalidText
    """
    found = values.get("patient")
    if not isinstance(found, int) or isinstance(found, bool):
        raise errors.InvalidText("patient: the number of the patient whose images are shown is needed.")
    return found


def refused(refusal: ViewerError, yours: dict[str, Any]) -> JsonResponse:
    """A refusal in words; a conflict carries both texts, so that nothing is lost."""
    status = next((STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS), 409)
    answer: dict[str, Any] = {"error": str(refusal), "reason": type(refusal).__name__}
    if isinstance(refusal, errors.Conflict):
        theirs = refusal.theirs
        answer |= {"yours": yours, "theirs": theirs.text, "number": theirs.number}
        answer |= {"saved_by": theirs.by, "saved_at": theirs.at}
    return JsonResponse(answer, status=status)


# --- Signing ----------------------------------------------------------------------------------------------------------


@require_POST
@sensitive_variables("values", "proof")
def sign_report(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """``kind`` preliminary or final, ``password``, ``code`` where a second factor is asked for, ``patient``."""
    return _sign(request, study_instance_uid, is_addendum=False)


@require_POST
@sensitive_variables("values", "proof")
def sign_addendum(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The same for the addendum of the draft; any radiologist may."""
    return _sign(request, study_instance_uid, is_addendum=True)


@sensitive_variables("values", "proof")
def _sign(request: HttpRequest, study_instance_uid: str, *, is_addendum: bool) -> HttpResponse:
    study = visible_study(request, study_instance_uid)
    try:
        if not may_read(user_of(request)):
            raise errors.NotForYou("Only radiologists sign reports.")
        values = read_body(request)
        kind = ReportVersion.Kind.ADDENDUM if is_addendum else kind_of_signature(values.get("kind"))
        signature = Signature(kind=kind, draft_number=number_of(request), patient=patient_of(values))
        proof = Proof(str(values.get("password", ""))[:1000], str(values.get("code", ""))[:64])
        require_proof(request, user_of(request), proof)
        version = sign(_change(request, study), signature)
    except (errors.ReportRefusal, WorklistRefusal) as refusal:
        return refused(refusal, {})
    return JsonResponse(version_in_json(version, study), status=201)


# --- What was signed --------------------------------------------------------------------------------------------------


@require_GET
def versions(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Every signed version that the person may read, oldest first."""
    study = visible_study(request, study_instance_uid)
    if not may_read_reports(user_of(request), study):
        return _forbidden(request)
    found = readable_versions(user_of(request), study)
    if found:
        record_view(request, study)
    return JsonResponse({"versions": [version_in_json(version, study) for version in found]})


@require_GET
def printed(request: HttpRequest, study_instance_uid: str, suffix: str) -> HttpResponse:
    """The report that stands as ``pdf`` or ``txt``."""
    study = visible_study(request, study_instance_uid)
    document = compose(readable_versions(user_of(request), study))
    if document is None:
        raise Http404("There is no signed report.")
    record_view(request, study)
    if suffix == "pdf":
        from viewer.reports.pdf import as_pdf

        response = HttpResponse(as_pdf(document), content_type="application/pdf")
    else:
        response = HttpResponse(as_plain_text(document), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="report.{suffix}"'
    return response


# --- Writing aids -----------------------------------------------------------------------------------------------------


@require_GET
def writing_aids(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Templates that fit the study, and the reader's macros."""
    study = visible_study(request, study_instance_uid)
    if not may_read(user_of(request)):
        return _forbidden(request)
    values = values_for(study, user_of(request))
    found = [
        {"name": one.name, "own": one.owner_id is not None, "text": texts_of(one, values)}
        for one in templates_for(user_of(request), study)
    ]
    return JsonResponse({"templates": found, "macros": macros_for(user_of(request))})
