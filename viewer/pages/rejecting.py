"""Reject images of a study with a coded reason, and restore them: a page, and the same as JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from archive.access.roles import Role, has_role, user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.errors import ArchiveError
from archive.indexing.rejecting import Changed, codes_of, reject_instances, rejectable_by, restore_instances
from archive.models import Instance, Study
from archive.models.instance import InstanceQuerySet
from pacs_portal.middleware import client_address


class NothingChosen(ArchiveError):
    """The request names no image of the study."""


@require_safe
def rejecting(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Series of a study with their images, to choose what to reject or restore."""
    study, user = judged_study(request, study_instance_uid), user_of(request)
    record_event(
        Event.IDENTITY_LOOKED_AT,
        user=user,
        address=client_address(request),
        study_instance_uid=study_instance_uid,
        subject="rejecting",
    )
    own = rejectable_by(user, Instance.objects.filter(series__study=study))
    series = []
    for one in study.series.order_by("is_derived", "series_number", "pk"):
        instances = list(
            one.instances.order_by("instance_number", "pk").select_related("rejected_by").defer("description")
        )
        series.append(
            {
                "series": one,
                "instances": instances,
                "rejected": sum(bool(instance.rejection) for instance in instances),
                "is_own": own.filter(series=one).exists(),
            }
        )
    context = {
        "study": study,
        "patient": format_for_people(study.patient_name),
        "date": format_date(study.study_date),
        "series": series,
        "codes": [(code.value, code.label) for code in codes_of(user)],
    }
    return render(request, "quarantine/rejecting.html", context)


def judged_study(request: HttpRequest, study_instance_uid: str) -> Study:
    """A study whose images this person may judge."""
    user = user_of(request)
    if not codes_of(user):
        raise Http404
    studies = Study.objects.select_related("patient")
    allowed = studies if has_role(user, Role.ADMINISTRATOR) else studies.visible_to(user)
    return get_object_or_404(allowed, study_instance_uid=study_instance_uid)


@require_POST
def reject(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Hide images: ``instance`` and ``series`` (UIDs), ``code`` and ``reason``; a form, or JSON of the same with
    ``instances`` and ``series`` as lists."""

    def act(instances: InstanceQuerySet, asked: dict[str, Any]) -> Changed:
        return reject_instances(
            instances,
            code=str(asked.get("code", "")),
            reason=str(asked.get("reason", "")),
            by=user_of(request),
            address=client_address(request),
        )

    return answer(request, study_instance_uid, act, "{count} images are rejected. They can be restored here.")


@require_POST
def restore(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Show rejected images again: as ``reject``, without a code."""

    def act(instances: InstanceQuerySet, asked: dict[str, Any]) -> Changed:
        return restore_instances(
            instances, reason=str(asked.get("reason", "")), by=user_of(request), address=client_address(request)
        )

    return answer(request, study_instance_uid, act, "{count} images are shown again.")


def answer(
    request: HttpRequest,
    study_instance_uid: str,
    act: Callable[[InstanceQuerySet, dict[str, Any]], Changed],
    words: str,
) -> HttpResponse:
    """Do it; a script is answered in JSON, a form is led back to the page."""
    study = judged_study(request, study_instance_uid)
    is_json = request.content_type == "application/json"
    try:
        asked = asked_in_json(request) if is_json else asked_in_form(request)
        changed = act(chosen_instances(asked, study), asked)
    except ArchiveError as error:
        if is_json:
            return JsonResponse({"error": str(error)}, status=400)
        messages.error(request, str(error))
        return redirect("rejecting", study_instance_uid)
    if is_json:
        revision = changed.revisions.get(study_instance_uid, study.revision)
        return JsonResponse({"instances": changed.instances, "revision": revision})
    messages.success(request, words.format(count=changed.instances))
    return redirect("rejecting", study_instance_uid)


def asked_in_form(request: HttpRequest) -> dict[str, Any]:
    asked: dict[str, Any] = {name: request.POST.get(name, "") for name in ("code", "reason")}
    return asked | {"instances": request.POST.getlist("instance"), "series": request.POST.getlist("series")}


def asked_in_json(request: HttpRequest) -> dict[str, Any]:
    try:
        asked = json.loads(request.body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise NothingChosen("Expected a JSON object with 'instances' or 'series', 'reason' and, to reject, 'code'.")
    return asked


def chosen_instances(asked: dict[str, Any], study: Study) -> InstanceQuerySet:
    """What is named, image by image or by whole series.

    Raises
    ------
    NothingChosen
    """
    names = {}
    for kind in ("instances", "series"):
        found = asked.get(kind) or []
        names[kind] = [uid for uid in found if isinstance(uid, str)] if isinstance(found, list) else []
    chosen = Q(sop_instance_uid__in=names["instances"]) | Q(series__series_instance_uid__in=names["series"])
    instances = Instance.objects.filter(chosen, series__study=study)
    if not instances.exists():
        raise NothingChosen("Choose at least one image or series of this study.")
    return instances
