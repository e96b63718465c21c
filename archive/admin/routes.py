"""Routing rules, and what each would do about the studies of the last day."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from archive.access.roles import user_of
from archive.admin.history import KeptHistory
from archive.admin.reasons import AuditedChanges
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.exchange.routing import WouldSend, would_send
from archive.models import Route
from pacs_portal.middleware import client_address

DAYS = {"1": "Mon", "2": "Tue", "3": "Wed", "4": "Thu", "5": "Fri", "6": "Sat", "7": "Sun"}
MOST_TRIED = 10


@admin.register(Route)
class RouteAdmin(AuditedChanges, KeptHistory):
    list_display = ("name", "enabled", "action", "peer", "trigger", "conditions", "queued")
    list_filter = ("enabled", "action", "trigger", "peer")
    search_fields = ("name",)
    list_select_related = ("peer", "source_peer")
    deletion_warning = "Nothing more is sent by them. What was sent stays where it is, and is forgotten here."
    actions = ("try_out",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "action", "peer", "trigger")}),
        (
            "Conditions",
            {"fields": ("source_peer", "modality", "station_name", "description_contains")},
        ),
        ("At these times", {"fields": (("from_time", "until_time"), "weekdays")}),
        ("Forwarding", {"fields": ("only_matching_series", "send_derived")}),
        ("Priors", {"fields": ("most_priors", "oldest_months", "same_modality", "same_body_part")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        return super().get_queryset(request).annotate(queued_count=Count("routed"))

    @admin.display(description="conditions")
    def conditions(self, route: Route) -> str:
        parts = [
            f"from {route.source_peer}" if route.source_peer else "",
            route.modality,
            f"station {route.station_name}" if route.station_name else "",
            f"“{route.description_contains}”" if route.description_contains else "",
            f"{route.from_time:%H:%M} to {route.until_time:%H:%M}" if route.from_time and route.until_time else "",
            " ".join(DAYS[day] for day in sorted(route.weekdays)),
        ]
        return ", ".join(part for part in parts if part) or "every study"

    @admin.display(description="images queued", ordering="queued_count")
    def queued(self, route: Route) -> int:
        return int(getattr(route, "queued_count", 0))

    @admin.action(description="Try on the last day: which studies would it send?", permissions=["view"])
    def try_out(self, request: HttpRequest, routes: QuerySet[Route]) -> HttpResponse:
        """A page that names studies by UID and examination; nothing is sent."""
        tried = [(route, [_in_words(one) for one in would_send(route)]) for route in routes[:MOST_TRIED]]
        record_event(
            Event.IDENTITY_LOOKED_AT,
            user=user_of(request),
            address=client_address(request),
            subject="routes tried",
            details={"routes": [route.pk for route, _ in tried], "studies": sum(len(found) for _, found in tried)},
        )
        context = {**self.admin_site.each_context(request), "title": "Tried on the last day", "opts": Route._meta}
        return TemplateResponse(request, "admin/route_trial.html", context | {"tried": tried})

    def facts(self, obj: Route) -> dict[str, Any]:
        return {"name": obj.name, "action": obj.action, "peer": str(obj.peer), "enabled": obj.enabled}


def _in_words(found: WouldSend) -> dict[str, Any]:
    study = found.study
    words = (*study.modality_list(), study.study_description, format_date(study.study_date))
    return {
        "uid": study.study_instance_uid,
        "words": " ".join(part for part in words if part),
        "count": found.instances,
    }
