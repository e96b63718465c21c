"""``/quarantine/``: files that are held back, why, and what to do about them; rejecting and restoring images."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import visible_quarantine
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.errors import ArchiveError
from archive.indexing.rejecting import RejectionRefused, codes_of, reject_instances, restore_instances
from archive.models import Instance, QuarantinedFile, Study
from archive.models.instance import InstanceQuerySet
from archive.receiving.decisions import Action, Decider, actions_for, decide
from pacs_portal.middleware import client_address

PAGE = 25
WORDS = {
    Action.REPLACE: "Show it in place of the stored image, which is kept here and can be put back",
    Action.PUT_BACK: "Put the image that was replaced back in its place",
    Action.KEEP_BOTH: "Keep both: store a copy under new UIDs beside what is there",
    Action.RELEASE: "Store it as it is",
    Action.DROP: "Delete the file for ever; what it was stays in the audit trail",
}


def _files(request: HttpRequest) -> QuerySet[QuarantinedFile]:
    user = user_of(request)
    if not has_role(user, Role.TECHNOLOGIST, Role.ADMINISTRATOR):
        raise Http404
    return visible_quarantine(QuarantinedFile.objects.select_related("decided_by"), user)


@require_GET
def quarantine(request: HttpRequest) -> HttpResponse:
    """Held files, the newest first; ``decided=1`` shows those that somebody has decided about."""
    files = _files(request)
    is_decided = request.GET.get("decided") == "1"
    held = QuarantinedFile.State.HELD
    files = files.exclude(state=held) if is_decided else files.filter(state=held)
    page = Paginator(files, PAGE).get_page(request.GET.get("page"))
    record_event(
        Event.IDENTITY_LOOKED_AT,
        user=user_of(request),
        address=client_address(request),
        subject="quarantine",
        details={"rows": len(page.object_list)},
    )
    context = {"page": page, "rows": [_row(held) for held in page], "is_decided": is_decided}
    return render(request, "quarantine/page.html", context)


def _row(held: QuarantinedFile) -> dict[str, object]:
    """What came, beside what is stored under the same UID or study."""
    stored = (
        Instance.objects.filter(sop_instance_uid=held.sop_instance_uid).select_related("series__study__patient").first()
    )
    study = stored.series.study if stored else Study.objects.filter(study_instance_uid=held.study_instance_uid).first()
    return {
        "held": held,
        "came": {"name": format_for_people(held.patient_name), "id": held.patient_id},
        "stored": _facts(study) if study else None,
        "stored_instance": stored,
        "decisions": [(action.value, WORDS[action]) for action in actions_for(held)],
    }


def _facts(study: Study) -> dict[str, str]:
    return {
        "name": format_for_people(study.patient_name),
        "id": study.patient.patient_id,
        "date": format_date(study.study_date),
        "description": study.study_description,
    }


@require_POST
def decide_about(request: HttpRequest, pk: int) -> HttpResponse:
    """Carry out one decision."""
    held = get_object_or_404(_files(request), pk=pk)
    decision = request.POST.get("decision", "")
    if decision not in list(Action):
        raise Http404
    by = Decider(user_of(request), request.POST.get("reason", ""), client_address(request))
    try:
        decide(held, Action(decision), by=by)
    except ArchiveError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Done. The study follows within seconds.")
    return redirect("quarantine")


@require_POST
def reject(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Hide images of a study with a coded reason."""
    study = _study(request, study_instance_uid)
    try:
        changed = reject_instances(
            chosen_instances(request, study),
            code=request.POST.get("code", ""),
            reason=request.POST.get("reason", ""),
            by=user_of(request),
            address=client_address(request),
        )
        messages.success(request, f"{changed.instances} images are rejected. They can be restored here.")
    except RejectionRefused as error:
        messages.error(request, str(error))
    return redirect("rejecting", study_instance_uid)


@require_POST
def restore(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Show rejected images again."""
    study = _study(request, study_instance_uid)
    try:
        changed = restore_instances(
            chosen_instances(request, study),
            reason=request.POST.get("reason", ""),
            by=user_of(request),
            address=client_address(request),
        )
        messages.success(request, f"{changed.instances} images are shown again.")
    except RejectionRefused as error:
        messages.error(request, str(error))
    return redirect("rejecting", study_instance_uid)


@require_GET
def rejecting(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Series of a study with their images, to choose what to reject or restore."""
    study = _study(request, study_instance_uid)
    series = []
    for one in study.series.order_by("is_derived", "series_number", "pk"):
        instances = list(one.instances.order_by("instance_number", "pk").defer("description"))
        series.append({"series": one, "instances": instances, "rejected": sum(bool(i.rejection) for i in instances)})
    return render(
        request,
        "quarantine/rejecting.html",
        {
            "study": study,
            "facts": _facts(study),
            "series": series,
            "codes": [(code.value, code.label) for code in codes_of(user_of(request))],
        },
    )


def _study(request: HttpRequest, study_instance_uid: str) -> Study:
    """A study whose images this person may judge."""
    user = user_of(request)
    if not codes_of(user):
        raise Http404
    studies = Study.objects.select_related("patient")
    allowed = studies if has_role(user, Role.ADMINISTRATOR) else studies.visible_to(user)
    return get_object_or_404(allowed, study_instance_uid=study_instance_uid)


def chosen_instances(request: HttpRequest, study: Study) -> InstanceQuerySet:
    """What the form names, image by image or by whole series."""
    chosen = Q(sop_instance_uid__in=request.POST.getlist("instance"))
    chosen |= Q(series__series_instance_uid__in=request.POST.getlist("series"))
    return Instance.objects.filter(chosen, series__study=study)
