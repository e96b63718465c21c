"""``/studies/<uid>/talk/``: remarks in threads, requests to look, and who else has the study open."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from archive.access.roles import Role, has_role, user_of
from archive.models import Study, User
from viewer.discussion import comments
from viewer.discussion.comments import Place
from viewer.errors import ViewerError
from viewer.models import Comment, Consultation
from viewer.pages.study import patient_facts, study_facts, visible_study
from viewer.worklist.rows import titled

WRITERS = (Role.RADIOLOGIST, Role.CLINICIAN, Role.TECHNOLOGIST)


def place_of(request: HttpRequest) -> Place:
    """What the form or the address says that a remark is about."""
    given = request.POST or request.GET
    frame = given.get("frame", "")
    return Place(
        series_instance_uid=given.get("series", "")[:64],
        sop_instance_uid=given.get("image", "")[:64],
        frame_number=int(frame) if frame.isascii() and frame.isdigit() and len(frame) < 8 else None,
        view=given.get("view", ""),
    )


def writable(request: HttpRequest, study_instance_uid: str) -> Study:
    """A study that the person may see and write about; administrators in an emergency only look."""
    study = visible_study(request, study_instance_uid)
    if not has_role(user_of(request), *WRITERS):
        raise Http404
    return study


@require_http_methods(["GET", "HEAD", "POST"])
def talk(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The page; by POST a remark is added."""
    study = writable(request, study_instance_uid)
    problem = ""
    if request.method == "POST":
        thread = request.POST.get("thread", "")
        try:
            comments.add_comment(
                study,
                request.POST.get("text", ""),
                by=user_of(request),
                place=place_of(request),
                thread=int(thread) if thread.isascii() and thread.isdigit() else None,
            )
            return redirect("talk", study_instance_uid)
        except ViewerError as error:
            problem = str(error)
    context = context_of(request, study) | {"problem": problem, "typed": request.POST.get("text", "")}
    return render(request, "talk/page.html", context, status=400 if problem else 200)


def context_of(request: HttpRequest, study: Study) -> dict[str, Any]:
    who = user_of(request)
    readers = User.objects.filter(is_active=True, groups__name=Role.RADIOLOGIST.value).exclude(pk=who.pk)
    return {
        "study": study_facts(study),
        "patient": patient_facts(study),
        "threads": comments.threads_of(study),
        "place": place_of(request),
        "me": who,
        "readers": readers.order_by("last_name", "username"),
        "may_consult": has_role(who, Role.RADIOLOGIST),
        "consultations": Consultation.objects.filter(study=study, done_at=None).select_related("asked", "asked_by"),
    }


@require_POST
def change(request: HttpRequest, study_instance_uid: str, pk: int, action: str) -> HttpResponse:
    """``resolve``, ``reopen``, ``remove`` or ``restore`` a remark."""
    study = writable(request, study_instance_uid)
    comment = get_object_or_404(Comment.objects.select_related("study"), pk=pk, study=study)
    if action not in comments.ACTIONS:
        raise Http404
    try:
        comments.ACTIONS[action](comment, by=user_of(request))
    except ViewerError as error:
        messages.warning(request, str(error))
    return redirect("talk", study_instance_uid)


@require_POST
def consult(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Ask another reader to look."""
    study = visible_study(request, study_instance_uid)
    if not has_role(user_of(request), Role.RADIOLOGIST):
        raise Http404
    try:
        wanted = comments.consult(
            study, request.POST.get("reader", ""), request.POST.get("question", ""), by=user_of(request)
        )
        messages.success(request, f"{wanted.asked} is asked to look.")
    except ViewerError as error:
        messages.warning(request, str(error))
    return redirect("talk", study_instance_uid)


@require_POST
def looked(request: HttpRequest, study_instance_uid: str, pk: int) -> HttpResponse:
    """A request to look is done with."""
    study = visible_study(request, study_instance_uid)
    wanted = get_object_or_404(Consultation.objects.select_related("study"), pk=pk, study=study)
    try:
        comments.end_consultation(wanted, by=user_of(request))
    except ViewerError as error:
        messages.warning(request, str(error))
    return redirect("talk", study_instance_uid)


@require_POST
def presence(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """A sign of life of an open viewer; the answer names who else has the study open."""
    study = visible_study(request, study_instance_uid)
    others = comments.sign_of_life(study, user_of(request))
    return JsonResponse({"others": [str(one) for one in others], "threads": comments.unresolved(study)})


def asked_of(who: User) -> list[dict[str, Any]]:
    """What others ask a reader to look at, for the head of the worklist."""
    return [
        {
            "consultation": one,
            "uid": one.study.study_instance_uid,
            "title": titled(" ".join(one.study.modality_list()), one.study.study_description),
            "patient": patient_facts(one.study),
        }
        for one in comments.open_consultations(who)
    ]
