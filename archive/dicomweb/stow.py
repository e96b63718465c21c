"""STOW-RS (PS3.18 10.5): ``POST /dicom-web/studies`` and ``/dicom-web/studies/{study}``."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from pydicom import Dataset

from archive.access.roles import user_of
from archive.access.rules import may_upload, uploads_are_held
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.native_model import to_xml
from archive.dicomweb.bodies import body_of
from archive.dicomweb.qido import address_of
from archive.dicomweb.responses import DATA_SETS, XML, answers_errors, chosen, refusal
from archive.dicomweb.statuses import http_status_of
from archive.dicomweb.storing import Failure, StoreReport, store
from archive.receiving.intake import IntakeResult
from archive.receiving.sources import Door, Origin
from archive.receiving.upload import UploadCut
from pacs_portal.middleware import client_address


@answers_errors
def stow(request: HttpRequest, study_instance_uid: str = "") -> HttpResponseBase:
    """Store the instances of the body; 200 where all were taken, 202 some, 409 none."""
    user = user_of(request)
    if not may_upload(user):
        return refusal("You may not store images.", 403)
    answer_type = chosen(request, DATA_SETS)
    body = body_of(request)
    origin = Origin(
        door=Door.STOW,
        address=client_address(request),
        user_id=user.pk,
        hold_for_review=uploads_are_held(user),
    )
    try:
        report = store(body, request.META.get("CONTENT_TYPE", ""), origin, study_instance_uid=study_instance_uid)
    except UploadCut:
        return refusal("The body did not come whole; what had come before its end is kept.", 400)
    for uid, count in Counter(one.study_instance_uid for one in report.stored).items():
        record_event(
            Event.UPLOADED,
            user=user,
            address=origin.address,
            study_instance_uid=uid,
            details={"door": origin.door, "stored": count, "failed": len(report.failures)},
        )
    return _answer(report, study_instance_uid, answer_type)


def _answer(report: StoreReport, study_instance_uid: str, answer_type: str) -> HttpResponse:
    if not report.stored and report.stopped_by is not None:
        return refusal(str(report.stopped_by), http_status_of(report.stopped_by))
    status = 409 if not report.stored else 202 if report.failures else 200
    model: dict[str, Any] = response_of(report, study_instance_uid).to_json_dict()
    content = to_xml(model) if answer_type == XML else json.dumps(model).encode()
    return HttpResponse(content, status=status, content_type=answer_type)


def response_of(report: StoreReport, study_instance_uid: str) -> Dataset:
    """The store instances response module (PS3.18 I.2)."""
    ds = Dataset()
    studies = {study_instance_uid} - {""} or {one.study_instance_uid for one in report.stored}
    if len(studies) == 1:
        ds.RetrieveURL = address_of(*studies)
    if report.stored:
        ds.ReferencedSOPSequence = [_stored(one) for one in report.stored]
    known = [one for one in report.failures if one.sop_class_uid and one.sop_instance_uid]
    if known:
        ds.FailedSOPSequence = [_failed(one) for one in known]
    unknown = [one for one in report.failures if one not in known]
    if unknown:
        ds.OtherFailuresSequence = [_failed(one) for one in unknown]
    return ds


def _stored(result: IntakeResult) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = result.sop_class_uid
    item.ReferencedSOPInstanceUID = result.sop_instance_uid
    item.RetrieveURL = address_of(result.study_instance_uid, result.series_instance_uid, result.sop_instance_uid)
    return item


def _failed(failure: Failure) -> Dataset:
    item = Dataset()
    if failure.sop_class_uid and failure.sop_instance_uid:
        item.ReferencedSOPClassUID = failure.sop_class_uid
        item.ReferencedSOPInstanceUID = failure.sop_instance_uid
    item.FailureReason = failure.reason
    item.ErrorComment = failure.words[:64]
    return item
