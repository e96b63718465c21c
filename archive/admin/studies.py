"""Studies: looked at, searched as on the worklist, rejected and restored."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive.access.roles import user_of
from archive.access.rules import may_download
from archive.admin.looks import LooksAudited, ReadOnlyAdmin
from archive.admin.mending import described, mending_page
from archive.admin.reasons import Answer, Question, with_reason
from archive.admin.rejection import instances_of, rejecting_actions
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.exchange.sending import SendRefused, enqueue_send, sendable_peers
from archive.indexing.search_text import fold
from archive.mending.moving import move_study
from archive.models import Correction, Patient, Series, Study, User
from pacs_portal.middleware import client_address

MODALITIES = ("CT", "MR", "CR", "DX", "MG", "US", "PT", "NM", "XA", "RF", "OT", "SR")


class ModalityFilter(admin.SimpleListFilter):
    title = "modality"
    parameter_name = "modality"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(modality, modality) for modality in MODALITIES]

    def queryset(self, request: HttpRequest, studies: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return studies
        return studies.filter(Exists(Series.objects.filter(study=OuterRef("pk"), modality=self.value())))


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("arriving", "arriving"), ("held", "with files held back"), ("empty", "all images rejected")]

    def queryset(self, request: HttpRequest, studies: QuerySet[Any]) -> QuerySet[Any]:
        narrowed: dict[str, dict[str, Any]] = {
            "arriving": {"ready_at__isnull": True},
            "held": {"held_back_count__gt": 0},
            "empty": {"instance_count": 0},
        }
        return studies.filter(**narrowed.get(self.value() or "", {}))


def _peers(_who: User) -> list[tuple[str, str]]:
    return [(peer.ae_title, f"{peer.ae_title} {peer.description}".strip()) for peer in sendable_peers()]


def _images(studies: QuerySet[Study]) -> list[str]:
    return [f"{sum(studies.values_list('instance_count', flat=True))} images"]


def _send(studies: QuerySet[Study], answer: Answer) -> str:
    peer = sendable_peers().get(ae_title=answer.choice)
    refused = [study for study in studies if not may_download(answer.by, study)]
    if refused:
        raise SendRefused(
            f"{len(refused)} of these studies may not be taken out by you: open them in an emergency first."
        )
    jobs = [enqueue_send(study, peer, by=answer.by) for study in studies]
    record_event(
        Event.EXPORTED,
        user=answer.by,
        address=answer.address,
        subject=f"sent to {peer.ae_title}",
        details={"jobs": [job.pk for job in jobs], "reason": answer.reason},
    )
    return f"{len(jobs)} studies wait to be sent to {peer.ae_title}."


@admin.register(Study)
class StudyAdmin(LooksAudited, ReadOnlyAdmin):
    list_display = (
        "patient_",
        "patient_id_",
        "born",
        "date",
        "modalities_",
        "study_description",
        "accession_number",
        "images",
        "held_back",
        "last_received_at",
        "rejecting",
        "moving",
    )
    list_filter = (StateFilter, ModalityFilter)
    search_fields = ("search_text", "study_instance_uid")
    search_help_text = (
        "A part of a name, an ID, an accession number, a description or a referrer; or the whole Study UID."
    )
    date_hierarchy = "last_received_at"
    list_select_related = ("patient",)
    ordering = ("-last_received_at",)
    show_full_result_count = False
    list_per_page = 50
    exclude = ("search_text", "patient_name_key", "referring_physician_name_key")
    actions = (
        *rejecting_actions(instances_of("series__study")),
        with_reason(
            "send",
            Question(
                "Send to a peer",
                "They are sent in the background; the page of jobs shows how far they are.",
                _send,
                touches=_images,
                choices=_peers,
                choice_label="Where to",
            ),
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.move_view)
        return [path("<int:pk>/move/", page, name="archive_study_move"), *super().get_urls()]

    def move_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a study under another patient."""
        study = get_object_or_404(Study.objects.select_related("patient"), pk=pk)

        def mend(target: Patient, reason: str, request: HttpRequest) -> Correction:
            return move_study(study, target, reason=reason, by=user_of(request), address=client_address(request))

        examination = " ".join((*study.modality_list(), study.study_description, format_date(study.study_date)))
        return mending_page(
            self,
            request,
            title="Move to another patient",
            subject=f"{described(study.patient)} · {examination}",
            studies=[study],
            mend=mend,
            exclude=study.patient_id,
        )

    @admin.display(description="patient")
    def moving(self, study: Study) -> SafeString:
        return format_html('<a href="{}">move to another</a>', reverse("admin:archive_study_move", args=[study.pk]))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """What is typed passes the same folding as what is kept."""
        return super().get_search_results(request, queryset, fold(search_term))

    @admin.display(description="patient", ordering="patient_name")
    def patient_(self, study: Study) -> str:
        return format_for_people(study.patient_name) or "no name"

    @admin.display(description="ID", ordering="patient__patient_id")
    def patient_id_(self, study: Study) -> str:
        return study.patient.patient_id

    @admin.display(description="born", ordering="patient_birth_date")
    def born(self, study: Study) -> str:
        return format_date(study.patient_birth_date)

    @admin.display(description="date", ordering=F("study_date").desc())
    def date(self, study: Study) -> str:
        return format_date(study.study_date)

    @admin.display(description="modalities", ordering="modalities")
    def modalities_(self, study: Study) -> str:
        return " ".join(study.modality_list())

    @admin.display(description="images", ordering="instance_count")
    def images(self, study: Study) -> str:
        return f"{study.instance_count} in {study.series_count}" + (", arriving" if study.is_arriving else "")

    @admin.display(description="held back", ordering="held_back_count")
    def held_back(self, study: Study) -> SafeString | str:
        if not study.held_back_count:
            return ""
        return format_html('<a href="{}">{}</a>', reverse("quarantine"), study.held_back_count)

    @admin.display(description="images")
    def rejecting(self, study: Study) -> SafeString:
        return format_html('<a href="{}">reject or restore</a>', reverse("rejecting", args=[study.study_instance_uid]))
