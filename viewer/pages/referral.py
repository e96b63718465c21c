"""One referral on a phone: what must be acknowledged, the report, key images, all images, and asking the reader."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import may_read_reports
from archive.models import Instance, Study, User
from pacs_portal.middleware import client_address
from viewer.annotations.shapes import Kind
from viewer.api.reports import record_view
from viewer.critical.acknowledging import acknowledge
from viewer.critical.words import results_for
from viewer.models import Annotation, CriticalResult, Question
from viewer.pages.referrals import referred_to
from viewer.pages.report import readable_report
from viewer.reports.errors import ReportRefusal
from viewer.reports.html import as_html
from viewer.reports.outside import outside_reports
from viewer.reports.questions import LONGEST_QUESTION, answer, ask, may_ask, questions_of, reader_to_ask
from viewer.worklist.claiming import Change
from viewer.worklist.rows import load_rows

MOST_KEY_IMAGES = 30
PICTURE_PX = 512


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One frame that a reader has marked."""

    picture: str
    link: str
    label: str


@require_safe
def referral(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The whole page, or its live part alone for the script that looks for news; 204 where there is none."""
    if not has_role(user_of(request), Role.CLINICIAN):
        return render(request, "referrals/no_role.html", status=403)
    study = referred_study(request, study_instance_uid)
    context = live_context(request, study)
    live = render_to_string("referrals/live.html", context, request)
    digest = hashlib.sha256(repr(context["seen"]).encode("utf-8", "replace")).hexdigest()[:32]
    if "seen" in request.GET:
        if request.GET["seen"] == digest:
            return HttpResponse(status=204)
        return HttpResponse(live, headers={"X-Portal-Digest": digest})
    if context["report_html"]:
        record_view(request, study)
    return render(request, "referrals/one.html", context | {"live": live, "digest": digest})


def referred_study(request: HttpRequest, study_instance_uid: str) -> Study:
    studies = referred_to(user_of(request)).select_related("patient")
    return get_object_or_404(studies, study_instance_uid=study_instance_uid)


def live_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    """Everything of the page that may change while it is open; ``seen`` is compared from look to look."""
    who = user_of(request)
    report = readable_report(who, study)
    (row,) = load_rows([study.pk], who)
    results = results_for(who, study)
    questions = questions_of(study)
    keys = key_images(study)
    outside = outside_reports(study) if may_read_reports(who, study) else []
    answers = [(question.pk, question.answered_at) for question in questions]
    return {
        "study": study,
        "row": row,
        "results": results,
        "report_html": as_html(report, with_facts=False, study=study) if report else "",
        "outside": outside,
        "key_images": keys,
        "questions": questions,
        "may_ask": may_ask(who, study) and reader_to_ask(study) is not None,
        "longest_question": LONGEST_QUESTION,
        "seen": (results, report, row.state_for_referrer, row.images, row.held_back, keys, answers, outside),
    }


def key_images(study: Study) -> list[KeyImage]:
    """What readers marked as key images, in the order in which they did."""
    marked = Annotation.objects.filter(study=study, kind=Kind.KEY_IMAGE.value, deleted_at__isnull=True)
    shown = list(marked.order_by("created_at", "pk")[:MOST_KEY_IMAGES])
    uids = [one.sop_instance_uid for one in shown]
    found = Instance.objects.shown().filter(series__study=study, sop_instance_uid__in=uids)
    series = dict(found.values_list("sop_instance_uid", "series__series_instance_uid"))
    return [key_image_of(study, one, series[one.sop_instance_uid]) for one in shown if one.sop_instance_uid in series]


def key_image_of(study: Study, marked: Annotation, series_instance_uid: str) -> KeyImage:
    uid = study.study_instance_uid
    frame = f"/dicom-web/studies/{uid}/series/{series_instance_uid}/instances/{marked.sop_instance_uid}/frames"
    return KeyImage(
        picture=f"{frame}/{marked.frame_number}/rendered?viewport={PICTURE_PX},{PICTURE_PX}",
        link=f"{reverse('viewer', args=[uid])}?stack={marked.stack}",
        label=marked.label or "Key image",
    )


@require_POST
def acknowledge_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The one button of a critical result."""
    result = get_object_or_404(CriticalResult, pk=pk, study__in=Study.objects.visible_to(user_of(request)))
    try:
        acknowledge(_change(request, result.study), result)
    except ReportRefusal as refusal:
        messages.warning(request, str(refusal))
    return redirect(_page_of(user_of(request), result.study))


@require_POST
def ask_reader(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.visible_to(user_of(request)), study_instance_uid=study_instance_uid)
    try:
        question = ask(_change(request, study), request.POST.get("text", ""))
        messages.success(request, f"{question.asked_of} is asked; the answer appears here.")
    except ReportRefusal as refusal:
        messages.warning(request, str(refusal))
    return redirect(f"{_page_of(user_of(request), study)}#questions")


@require_POST
def answer_question(request: HttpRequest, pk: int) -> HttpResponse:
    visible = Study.objects.visible_to(user_of(request))
    question = get_object_or_404(Question.objects.select_related("study", "asked_by"), pk=pk, study__in=visible)
    try:
        answer(_change(request, question.study), question, request.POST.get("text", ""))
    except ReportRefusal as refusal:
        messages.warning(request, str(refusal))
    return redirect(f"{_page_of(user_of(request), question.study)}#questions")


def _change(request: HttpRequest, study: Study) -> Change:
    return Change(user_of(request), study, client_address(request))


def _page_of(who: User, study: Study) -> str:
    if has_role(who, Role.CLINICIAN) and referred_to(who).filter(pk=study.pk).exists():
        return reverse("referral", args=[study.study_instance_uid])
    return reverse("report", args=[study.study_instance_uid])
