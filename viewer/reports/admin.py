"""Django admin of reports and results: templates, macros, the site's policy, receivers of results, and what came in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from archive.admin.history import KeptHistory
from archive.admin.looks import ReadOnlyAdmin
from archive.admin.reasons import AuditedChanges
from viewer.models import Macro, OutsideReport, ReportPolicy, ReportTemplate, ResultReceiver
from viewer.models.report import SECTIONS
from viewer.reports.template_fields import FIELDS, UnknownField, require_known_fields

TEMPLATE_HELP = (
    f"Fields: {', '.join(f'{{{name}}} ({words})' for name, words in FIELDS.items())}. "
    "A choice is written [none / mild / severe]; the editor offers it as a list, and signing names what is left."
)


class ReportTemplateForm(forms.ModelForm):
    """Unknown fields are refused, section by section."""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for name in SECTIONS:
            try:
                require_known_fields(values.get(name) or "")
            except UnknownField as error:
                self.add_error(name, str(error))
        return values


@admin.register(ReportTemplate)
class ReportTemplateAdmin(KeptHistory):
    form = ReportTemplateForm
    list_display = ("name", "modality", "body_part", "owner", "group")
    list_filter = ("modality",)
    search_fields = ("name", "body_part")
    list_select_related = ("owner", "group")
    fieldsets = (
        (None, {"fields": ("name", "modality", "body_part")}),
        ("For whom", {"fields": ("owner", "group"), "description": "Neither: for everybody."}),
        ("Text", {"fields": SECTIONS, "description": TEMPLATE_HELP}),
    )


@admin.register(Macro)
class MacroAdmin(KeptHistory):
    list_display = ("word", "text", "owner")
    search_fields = ("word", "text")
    list_select_related = ("owner",)


@admin.register(ReportPolicy)
class ReportPolicyAdmin(AuditedChanges, KeptHistory):
    """One row: how long earlier drafts are kept, what signing asks for, and whether the browser may take dictation."""

    list_display = ("__str__", "earlier_drafts_kept_days", "second_factor_to_sign", "dictation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ReportPolicy.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: ReportPolicy | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ReportPolicy, form: Any, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)

    def facts(self, obj: ReportPolicy) -> dict[str, Any]:
        return {
            "earlier_drafts_kept_days": obj.earlier_drafts_kept_days,
            "second_factor_to_sign": obj.second_factor_to_sign,
            "dictation": obj.dictation,
        }


@admin.register(ResultReceiver)
class ResultReceiverAdmin(AuditedChanges, KeptHistory):
    """Systems that are told of signed reports; how each message fared stands among the jobs."""

    list_display = ("name", "enabled", "host", "port", "receiving_application", "wants_preliminary")
    list_filter = ("enabled",)
    search_fields = ("name", "host")
    deletion_warning = "They are told of no report any more; what waits for them fails and says so."

    def facts(self, obj: ResultReceiver) -> dict[str, Any]:
        return {"name": obj.name, "host": obj.host, "port": obj.port, "enabled": obj.enabled}


@admin.register(OutsideReport)
class OutsideReportAdmin(ReadOnlyAdmin):
    """That a report came, from whom and about which study; its words belong to those who may read reports."""

    list_display = ("pk", "study", "sender", "order_number", "status", "received_at", "replaced_at")
    list_filter = ("status",)
    search_fields = ("study__study_instance_uid", "order_number")
    list_select_related = ("study",)
    exclude = ("text", "title", "reported_by")
