"""Patients, and whether their identity has to be checked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive.access.roles import user_of
from archive.admin.looks import LooksAudited, ReadOnlyAdmin
from archive.admin.mending import described, mending_page
from archive.admin.reasons import Answer, Question, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people, normalise
from archive.mending.moving import merge_patients
from archive.models import Correction, Patient, Study
from pacs_portal.middleware import client_address


def _confirm(patients: QuerySet[Patient], answer: Answer) -> str:
    checked = list(patients.filter(identity_to_be_checked=True).values_list("pk", flat=True))
    Patient.objects.filter(pk__in=checked).update(identity_to_be_checked=False)
    record_event(
        Event.RIGHTS_CHANGED,
        user=answer.by,
        address=answer.address,
        subject="identity checked",
        details={"patients": checked, "reason": answer.reason},
    )
    return f"{len(checked)} patients are confirmed; their studies are offered as priors of each other."


def _touches(patients: QuerySet[Patient]) -> list[str]:
    return [f"{Study.objects.filter(patient__in=patients).count()} studies"]


@admin.register(Patient)
class PatientAdmin(LooksAudited, ReadOnlyAdmin):
    list_display = (
        "name",
        "patient_id",
        "issuer_of_patient_id",
        "born",
        "patient_sex",
        "studies_",
        "identity_to_be_checked",
        "merging",
    )
    list_filter = ("identity_to_be_checked", "patient_sex")
    search_fields = ("patient_id", "name_key")
    ordering = ("-pk",)
    show_full_result_count = False
    actions = (
        with_reason(
            "confirm",
            Question(
                "Identity was checked: all studies are of one person",
                "Their studies are no longer marked “identity to be checked”.",
                _confirm,
                touches=_touches,
            ),
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.merge_view)
        return [path("<int:pk>/merge/", page, name="archive_patient_merge"), *super().get_urls()]

    def merge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make one patient of two."""
        source = get_object_or_404(Patient, pk=pk)

        def mend(target: Patient, reason: str, request: HttpRequest) -> Correction:
            return merge_patients(source, target, reason=reason, by=user_of(request), address=client_address(request))

        return mending_page(
            self,
            request,
            title="Merge into another patient",
            subject=f"{described(source)}: all studies, also those that come later",
            studies=list(Study.objects.filter(patient=source).select_related("patient")),
            mend=mend,
            exclude=source.pk,
        )

    @admin.display(description="merge")
    def merging(self, patient: Patient) -> SafeString | str:
        if patient.merged_into_id is not None:
            return f"into patient {patient.merged_into_id}"
        return format_html('<a href="{}">into another</a>', reverse("admin:archive_patient_merge", args=[patient.pk]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        return super().get_queryset(request).annotate(study_count=Count("studies"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        folded = normalise(search_term.replace(",", "^").replace(" ", "^")).strip("^") or search_term
        found, distinct = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(name_key__contains=folded), distinct

    @admin.display(description="name", ordering="name_key")
    def name(self, patient: Patient) -> str:
        return format_for_people(patient.patient_name) or "no name"

    @admin.display(description="born", ordering="patient_birth_date")
    def born(self, patient: Patient) -> str:
        return format_date(patient.patient_birth_date)

    @admin.display(description="studies", ordering="study_count")
    def studies_(self, patient: Patient) -> int:
        return int(getattr(patient, "study_count", 0))
