"""``/audit/``: who did what, for administrators; filtered, paged and exported."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.access.roles import Role, has_role, user_of
from archive.audit.chain import first_break
from archive.audit.events import Event
from archive.audit.export import as_csv
from archive.audit.record import record_event
from archive.models import AuditEvent
from pacs_portal.middleware import client_address
from viewer.pages.fields import date_field

PAGE = 100


class AuditFilter(forms.Form):
    """What is looked for; empty fields do not narrow."""

    event = forms.ChoiceField(
        label="Event",
        required=False,
        choices=[("", "every event"), *((event.value, event.value.replace("-", " ")) for event in Event)],
    )
    outcome = forms.ChoiceField(
        label="Outcome", required=False, choices=[("", "every outcome"), ("success", "success"), ("failure", "failure")]
    )
    who = forms.CharField(label="Account, AE title or address", required=False, max_length=160)
    about = forms.CharField(label="Study UID or subject", required=False, max_length=200)
    since = date_field("From")
    until = date_field("To")

    def narrow(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """The events that fit every field that is filled in."""
        asked = self.cleaned_data
        if asked["event"]:
            events = events.filter(event=asked["event"])
        if asked["outcome"]:
            events = events.filter(outcome=asked["outcome"])
        if asked["who"]:
            events = events.filter(Q(actor__iexact=asked["who"]) | Q(address=asked["who"]))
        if asked["about"]:
            events = events.filter(Q(study_instance_uid=asked["about"]) | Q(subject__icontains=asked["about"]))
        if asked["since"]:
            events = events.filter(happened_at__date__gte=asked["since"])
        if asked["until"]:
            events = events.filter(happened_at__date__lte=asked["until"])
        return events


@require_safe
def audit(request: HttpRequest) -> HttpResponseBase:
    """One page of the trail, or all that fits the filter as CSV (``format=csv``)."""
    if not has_role(user_of(request), Role.ADMINISTRATOR):
        raise Http404
    form = AuditFilter(request.GET)
    events = form.narrow(AuditEvent.objects.all()) if form.is_valid() else AuditEvent.objects.none()
    if request.GET.get("format") == "csv" and form.is_valid():
        return export(request, events, form)
    status = 200 if form.is_valid() else 400
    return render(request, "audit/page.html", {"form": form, **page_of(request, events)}, status=status)


def page_of(request: HttpRequest, events: QuerySet[AuditEvent]) -> dict[str, Any]:
    """The newest events, or those before the row named by ``before``; quick however long the trail is."""
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        events = events.filter(pk__lt=int(before))
    found = list(events.order_by("-pk")[: PAGE + 1])
    query = request.GET.copy()
    for name in ("before", "format"):
        query.pop(name, None)
    return {
        "events": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "query": query.urlencode(),
        "is_first": not before,
    }


def export(request: HttpRequest, events: QuerySet[AuditEvent], form: AuditFilter) -> StreamingHttpResponse:
    """All that fits the filter as CSV; that it was taken away is an event as well."""
    narrowed = {name: str(value) for name, value in form.cleaned_data.items() if value}
    record_event(
        Event.EXPORTED,
        user=user_of(request),
        address=client_address(request),
        subject="audit trail",
        details={"filter": narrowed},
    )
    response = StreamingHttpResponse(as_csv(events), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    """Whether the hash chain is whole: asked for by a button, as every row is read."""
    if not has_role(user_of(request), Role.ADMINISTRATOR):
        raise Http404
    sealed = AuditEvent.objects.filter(sealed_as__isnull=False).count()
    waiting = AuditEvent.objects.filter(sealed_as__isnull=True).count()
    return render(request, "audit/chain.html", {"broken": first_break(), "sealed": sealed, "waiting": waiting})
