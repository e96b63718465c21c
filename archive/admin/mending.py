"""Mending from the administration: choose the right patient, see in numbers what will change, say why; undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse

from archive.access.roles import Role, has_role, user_of
from archive.admin.looks import ReadOnlyAdmin
from archive.admin.reasons import Answer, Question, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.errors import ArchiveError
from archive.mending.moving import preview, undo
from archive.models import Correction, Patient, Study
from pacs_portal.middleware import client_address

CANDIDATES = 20

Mend = Callable[[Patient, str, HttpRequest], Correction]
"""Carries the correction out towards a patient, with a reason."""


def mending_page(
    modeladmin: admin.ModelAdmin[Any],
    request: HttpRequest,
    *,
    title: str,
    subject: str,
    studies: Sequence[Study],
    mend: Mend,
    exclude: int,
) -> HttpResponse:
    """One page in three steps: look for the patient by ID, see the preview, confirm with a reason."""
    if not has_role(user_of(request), Role.ADMINISTRATOR):
        raise PermissionDenied
    asked = request.POST
    target = None
    if asked.get("target", "").isdecimal():
        target = get_object_or_404(_targets(exclude), pk=asked["target"])
    problem = ""
    if target is not None and asked.get("confirmed"):
        try:
            correction = mend(target, asked.get("reason", ""), request)
        except ArchiveError as error:
            problem = str(error)
        else:
            messages.success(request, f"Done: correction {correction.pk}. It can be undone here.")
            return redirect("admin:archive_correction_changelist")
    candidates = _candidates(request, asked.get("patient_id", "").strip(), exclude) if target is None else []
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": title,
        "subject": subject,
        "opts": modeladmin.opts,
        "patient_id": asked.get("patient_id", ""),
        "candidates": [(one, described(one)) for one in candidates],
        "looked": "patient_id" in asked,
        "target": target,
        "target_words": described(target) if target else "",
        "preview": preview(studies, target) if target else None,
        "reason": asked.get("reason", ""),
        "problem": problem,
    }
    return TemplateResponse(request, "admin/mending.html", context, status=400 if problem else 200)


def _targets(exclude: int) -> QuerySet[Patient]:
    return Patient.objects.filter(merged_into__isnull=True).exclude(pk=exclude)


def _candidates(request: HttpRequest, patient_id: str, exclude: int) -> list[Patient]:
    if not patient_id:
        return []
    found = list(_targets(exclude).filter(Q(patient_id=patient_id)).order_by("pk")[:CANDIDATES])
    record_event(
        Event.IDENTITY_LOOKED_AT,
        user=user_of(request),
        address=client_address(request),
        subject="patient to mend towards",
        details={"patients": [one.pk for one in found]},
    )
    return found


def described(patient: Patient) -> str:
    """A patient as the administrator tells them apart."""
    parts = (
        format_for_people(patient.patient_name) or "no name",
        patient.patient_id or "no ID",
        f"issuer {patient.issuer_of_patient_id}" if patient.issuer_of_patient_id else "",
        format_date(patient.patient_birth_date),
        patient.patient_sex,
    )
    return " · ".join(part for part in parts if part)


def _undo(corrections: QuerySet[Correction], answer: Answer) -> str:
    chosen = list(corrections.order_by("-pk"))
    for correction in chosen:
        undo(correction, reason=answer.reason, by=answer.by, address=answer.address)
    return f"{len(chosen)} corrections are undone; the images go out as they were received."


def _touches(corrections: QuerySet[Correction]) -> list[str]:
    studies = Study.objects.filter(corrections__correction__in=corrections).distinct()
    return [f"{studies.count()} studies, {sum(studies.values_list('instance_count', flat=True))} images"]


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    list_display = ("pk", "kind", "source_id", "target_id", "studies_", "reason", "made_by", "made_at", "undone_at")
    list_filter = ("kind", ("undone_at", admin.EmptyFieldListFilter))
    search_fields = ("reason", "=studies__study__study_instance_uid")
    list_select_related = ("made_by",)
    actions = (
        with_reason(
            "undo",
            Question(
                "Undo",
                "Studies go back to the patient that they had before; later corrections of them are undone first.",
                _undo,
                touches=_touches,
                is_destructive=True,
            ),
        ),
    )

    @admin.display(description="studies")
    def studies_(self, correction: Correction) -> int:
        return correction.studies.count()
