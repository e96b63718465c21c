"""Patients, studies, series and instances: looked at, searched, rejected and restored; each look is audited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive.access.roles import user_of
from archive.admin.reasons import ReadOnlyAdmin, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.indexing.rejecting import reject_instances, restore_instances
from archive.models import Instance, Patient, Series, StoredFile, Study
from archive.models.instance import Rejection
from pacs_portal.middleware import client_address


class AuditedAdmin(ReadOnlyAdmin):
    """A list that names patients: every look is a row of the audit trail."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        record_event(
            Event.IDENTITY_LOOKED_AT,
            user=user_of(request),
            address=client_address(request),
            subject=f"admin list of {self.model._meta.verbose_name_plural}",
        )
        return super().changelist_view(request, extra_context)


@admin.register(Patient)
class PatientAdmin(AuditedAdmin):
    list_display = ("name", "patient_id", "issuer_of_patient_id", "born", "patient_sex", "identity_to_be_checked")
    list_filter = ("identity_to_be_checked", "patient_sex")
    search_fields = ("patient_id", "name_key", "patient_name")
    actions = ("confirm",)

    @admin.display(description="name", ordering="name_key")
    def name(self, patient: Patient) -> str:
        return format_for_people(patient.patient_name) or "no name"

    @admin.display(description="born", ordering="patient_birth_date")
    def born(self, patient: Patient) -> str:
        return format_date(patient.patient_birth_date)

    @admin.action(description="Identity was checked: all studies are of one person")
    def confirm(self, request: HttpRequest, queryset: QuerySet[Patient]) -> None:
        checked = list(queryset.filter(identity_to_be_checked=True).values_list("pk", flat=True))
        Patient.objects.filter(pk__in=checked).update(identity_to_be_checked=False)
        record_event(
            Event.RIGHTS_CHANGED, user=user_of(request), subject="identity checked", details={"patients": checked}
        )
        self.message_user(request, f"{len(checked)} patients are confirmed.")


def _reject(studies: QuerySet[Study], reason: str, request: HttpRequest) -> str:
    changed = reject_instances(
        Instance.objects.filter(series__study__in=studies),
        code=Rejection.WRONG_WORKLIST_ENTRY,
        reason=reason,
        by=user_of(request),
        address=client_address(request),
    )
    return f"{changed.instances} images are rejected; they can be restored."


def _restore(studies: QuerySet[Study], reason: str, request: HttpRequest) -> str:
    changed = restore_instances(
        Instance.objects.filter(series__study__in=studies),
        reason=reason,
        by=user_of(request),
        address=client_address(request),
    )
    return f"{changed.instances} images are shown again."


@admin.register(Study)
class StudyAdmin(AuditedAdmin):
    list_display = (
        "name",
        "patient_id_",
        "date",
        "modalities",
        "study_description",
        "accession_number",
        "instance_count",
        "held_back_count",
        "ready_at",
        "rejecting",
    )
    list_filter = ("modalities", ("ready_at", admin.EmptyFieldListFilter))
    search_fields = ("search_text", "study_instance_uid")
    date_hierarchy = "first_received_at"
    list_select_related = ("patient",)
    actions = (
        with_reason(
            name="reject_studies",
            label="Reject all images of these studies",
            warning="They disappear from every list, picture and query. Bytes are kept, and they can be restored.",
            act=_reject,
        ),
        with_reason(
            name="restore_studies",
            label="Restore all rejected images of these studies",
            warning="They are shown again.",
            act=_restore,
        ),
    )

    @admin.display(description="patient", ordering="patient_name")
    def name(self, study: Study) -> str:
        return format_for_people(study.patient_name) or "no name"

    @admin.display(description="ID", ordering="patient__patient_id")
    def patient_id_(self, study: Study) -> str:
        return study.patient.patient_id

    @admin.display(description="date", ordering="study_date")
    def date(self, study: Study) -> str:
        return format_date(study.study_date)

    @admin.display(description="images")
    def rejecting(self, study: Study) -> SafeString:
        return format_html('<a href="{}">reject or restore</a>', reverse("rejecting", args=[study.study_instance_uid]))


@admin.register(Series)
class SeriesAdmin(AuditedAdmin):
    list_display = (
        "series_instance_uid",
        "modality",
        "series_number",
        "series_description",
        "instance_count",
        "is_derived",
    )
    list_filter = ("modality", "is_derived")
    search_fields = ("series_instance_uid", "series_description", "study__study_instance_uid")


@admin.register(Instance)
class InstanceAdmin(AuditedAdmin):
    list_display = (
        "sop_instance_uid",
        "sop_class_uid",
        "frames",
        "received_at",
        "door",
        "calling_ae_title",
        "rejection",
    )
    list_filter = ("rejection", "door")
    search_fields = ("sop_instance_uid", "series__series_instance_uid", "calling_ae_title")
    exclude = ("description",)


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = ("instance", "size", "transfer_syntax_uid", "is_as_received", "verified_at", "damage")
    list_filter = (("damage", admin.EmptyFieldListFilter), "is_as_received")
    search_fields = ("instance__sop_instance_uid",)
    exclude = ("frame_index",)
    list_select_related = ("instance",)
