"""Remarks, requests to look and lists for scripts and the viewer: what was said about a study, and saying something."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_POST

from archive.access.roles import Role, has_role, user_of
from archive.models import Study, User
from viewer.api.reports import read_body
from viewer.cases import lists
from viewer.discussion import comments
from viewer.discussion.comments import Place, Region
from viewer.errors import InvalidParameter, NotFound, ViewerError
from viewer.models import CaseList, Comment, Consultation
from viewer.reports.errors import InvalidText
from viewer.worklist.assigning import readers

STATUS: dict[type[ViewerError], int] = {InvalidParameter: 400, InvalidText: 400, NotFound: 404, lists.ListRefusal: 400}
"""Every other refusal is a conflict: 409."""


def talked_about(request: HttpRequest, study_instance_uid: str) -> Study:
    """A study that the person may see and write about."""
    studies = Study.objects.visible_to(user_of(request)).select_related("patient")
    study = get_object_or_404(studies, study_instance_uid=study_instance_uid)
    if not has_role(user_of(request), Role.RADIOLOGIST, Role.CLINICIAN, Role.TECHNOLOGIST):
        raise Http404
    return study


def refused(error: ViewerError) -> JsonResponse:
    return JsonResponse({"error": str(error)}, status=STATUS.get(type(error), 409))


@require_http_methods(["GET", "HEAD", "POST"])
def study_talk(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """GET tells threads and requests to look; POST adds a remark: text, thread, series, image, frame, region, view."""
    study = talked_about(request, study_instance_uid)
    if request.method != "POST":
        return JsonResponse(told(study, user_of(request)))
    try:
        values = read_body(request)
        thread = values.get("thread")
        comments.add_comment(
            study,
            str(values.get("text", "")),
            by=user_of(request),
            place=place_of(values),
            thread=thread if type(thread) is int and 0 < thread < 2**31 else None,
        )
    except ViewerError as error:
        return refused(error)
    return JsonResponse(told(study, user_of(request)), status=201)


def place_of(values: dict[str, Any]) -> Place:
    """What a remark is about, as a script says it.

    Raises
    ------
    InvalidParameter
    """
    frame = values.get("frame")
    if frame is not None and not (type(frame) is int and 0 < frame < 2**31):
        raise InvalidParameter("frame", frame, "a whole number from 1")
    region = values.get("region")
    return Place(
        series_instance_uid=str(values.get("series") or "")[:65],
        sop_instance_uid=str(values.get("image") or "")[:65],
        frame_number=frame,
        region=Region.read(region) if region is not None else None,
        view=str(values.get("view") or ""),
    )


@require_POST
def talk_action(request: HttpRequest, study_instance_uid: str, pk: int, action: str) -> HttpResponse:
    """``resolve``, ``reopen``, ``remove`` or ``restore`` a remark."""
    study = talked_about(request, study_instance_uid)
    comment = get_object_or_404(Comment.objects.select_related("study"), pk=pk, study=study)
    if action not in comments.ACTIONS:
        raise Http404
    try:
        comments.ACTIONS[action](comment, by=user_of(request))
    except ViewerError as error:
        return refused(error)
    return JsonResponse(told(study, user_of(request)))


@require_POST
def consultations(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Ask ``reader`` to look, with a ``question``."""
    study = talked_about(request, study_instance_uid)
    if not has_role(user_of(request), Role.RADIOLOGIST):
        return JsonResponse({"error": "Only readers ask readers to look."}, status=403)
    try:
        values = read_body(request)
        comments.consult(study, str(values.get("reader", "")), str(values.get("question", "")), by=user_of(request))
    except ViewerError as error:
        return refused(error)
    return JsonResponse(told(study, user_of(request)), status=201)


@require_POST
def looked(request: HttpRequest, study_instance_uid: str, pk: int) -> HttpResponse:
    """A request to look is done with."""
    study = talked_about(request, study_instance_uid)
    wanted = get_object_or_404(Consultation.objects.select_related("study"), pk=pk, study=study)
    try:
        comments.end_consultation(wanted, by=user_of(request))
    except ViewerError as error:
        return refused(error)
    return JsonResponse(told(study, user_of(request)))


def told(study: Study, who: User) -> dict[str, Any]:
    """The whole of what was said, as one person reads it."""
    asked = Consultation.objects.filter(study=study, done_at=None).select_related("asked", "asked_by")
    is_reader = has_role(who, Role.RADIOLOGIST)
    return {
        "threads": [
            remark_in_json(one, who) | {"answers": [remark_in_json(answer, who) for answer in one.answers.all()]}
            for one in comments.threads_of(study)
        ],
        "consultations": [
            {
                "id": one.pk,
                "asked": str(one.asked),
                "asked_by": str(one.asked_by),
                "question": one.question,
                "may_end": who.pk in (one.asked_id, one.asked_by_id),
                "is_mine": who.pk == one.asked_id,
            }
            for one in asked
        ],
        "readers": [
            {"id": one.pk, "username": one.get_username(), "name": str(one)} for one in readers() if one.pk != who.pk
        ]
        if is_reader
        else [],
    }


def remark_in_json(remark: Comment, who: User) -> dict[str, Any]:
    is_there = remark.deleted_at is None
    return {
        "id": remark.pk,
        "author": str(remark.author or "somebody"),
        "is_mine": remark.author_id == who.pk,
        "at": remark.created_at.isoformat(),
        "text": remark.text if is_there else None,
        "series": remark.series_instance_uid,
        "image": remark.sop_instance_uid,
        "frame": remark.frame_number,
        "region": remark.region if is_there else None,
        "view": remark.view if is_there else "",
        "resolved_by": str(remark.resolved_by or "") if remark.resolved_at else None,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def study_lists(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """GET tells the person's lists; POST puts the study on one: list, or name of a new one; series, view, note."""
    study = talked_about(request, study_instance_uid)
    who = user_of(request)
    if request.method == "POST":
        try:
            values = read_body(request)
            kept = _list_of(values, who)
            place = lists.Place(str(values.get("series") or "")[:65], str(values.get("view") or ""))
            lists.add_case(kept, study, by=who, place=place, note=str(values.get("note") or ""))
        except ViewerError as error:
            return refused(error)
        return JsonResponse({"list": _in_json(kept)}, status=201)
    return JsonResponse({"lists": [_in_json(one) for one in lists.lists_of(who)]})


def _list_of(values: dict[str, Any], who: User) -> CaseList:
    number = values.get("list")
    if type(number) is int and 0 < number < 2**31:
        return lists.list_for(who, number)
    return lists.make_list(lists.Wish(str(values.get("name", ""))), by=who)


def _in_json(kept: CaseList) -> dict[str, Any]:
    return {"id": kept.pk, "name": kept.name, "kind": kept.kind, "owner": str(kept.owner)}
