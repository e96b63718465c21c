"""Emergency access: find a study by its exact identifier, give a reason, open it for an hour."""

from __future__ import annotations

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from archive.access.break_glass import LASTS, SHORTEST_REASON, open_in_emergency
from archive.access.roles import user_of
from archive.access.rules import may_break_glass
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Study, User
from archive.models.study import StudyQuerySet
from pacs_portal.middleware import client_address
from viewer.worklist.rows import load_rows

MOST_FOUND = 20
"""Studies that one look shows; an identifier names few."""


class LookForm(forms.Form):
    """Whom it is about, and why."""

    identifier = forms.CharField(
        label="Patient ID or accession number",
        max_length=64,
        help_text="Exactly as it is on the request or the wristband.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        label="Reason",
        min_length=SHORTEST_REASON,
        max_length=500,
        help_text="An administrator will read it.",
        error_messages={"min_length": f"Please give a reason of at least {SHORTEST_REASON} characters."},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def emergency(request: HttpRequest) -> HttpResponse:
    """Ask, show what was found, open one; each look and each opening is audited."""
    if not may_break_glass(user_of(request)):
        raise PermissionDenied("Your role has no emergency access.")
    form = LookForm(request.POST if request.method == "POST" else None)
    context = {"form": form, "minutes": int(LASTS.total_seconds()) // 60}
    if not form.is_bound or not form.is_valid():
        return render(request, "referrals/emergency.html", context, status=400 if form.is_bound else 200)
    found = named(form.cleaned_data["identifier"])
    if chosen := request.POST.get("study", ""):
        study = get_object_or_404(found, study_instance_uid=chosen)
        open_in_emergency(
            user=user_of(request), study=study, reason=form.cleaned_data["reason"], address=client_address(request)
        )
        return redirect("viewer", study.study_instance_uid)
    rows = look(user_of(request), found, form.cleaned_data["reason"], client_address(request))
    return render(request, "referrals/emergency.html", context | {"rows": rows, "has_looked": True})


def named(identifier: str) -> StudyQuerySet:
    """Studies that carry exactly this patient ID or accession number."""
    identifier = identifier.strip()
    found = Q(patient__patient_id=identifier) | Q(accession_number=identifier)
    return Study.objects.with_images().filter(found)


def look(who: User, found: StudyQuerySet, reason: str, address: str) -> list[object]:
    """Rows of what was found; that they were shown is on record."""
    ids = list(found.order_by("-study_date", "-study_time", "-pk").values_list("pk", flat=True)[:MOST_FOUND])
    rows = load_rows(ids, who)
    record_event(
        Event.IDENTITY_LOOKED_AT,
        user=who,
        address=address,
        subject="emergency access",
        details={"reason": reason, "studies": [row.study_instance_uid for row in rows]},
    )
    return list(rows)
