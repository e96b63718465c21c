"""What a person chooses on their account page: how they are told, and who stands in for them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from archive.access.delegations import (
    DelegationRefused,
    delegate,
    delegations_of,
    end_delegation,
    possible_delegates,
)
from archive.access.roles import Role, has_role, user_of
from archive.models import Delegation, User
from pacs_portal.middleware import client_address
from viewer.models import Notification
from viewer.notifying.choices import URGENT, Channel, Pace, channels_for, choices_of, choose
from viewer.notifying.telling import tell
from viewer.notifying.webhook import WebhookRefused
from viewer.pages.fields import date_field


class StandInForm(forms.Form):
    """Who sees one's referrals, from the first day to the last, both whole."""

    delegate = forms.ModelChoiceField(User.objects.none(), label="Colleague", empty_label="Choose…")
    first = date_field("From")
    last = date_field("Until and including")

    def __init__(self, clinician: User, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["delegate"].queryset = possible_delegates(clinician)  # type: ignore[attr-defined]
        self.fields["first"].required = self.fields["last"].required = True


def choices_context(user: User) -> dict[str, Any]:
    """What the account page shows of both."""
    choices = choices_of(user)
    kinds = [
        {
            "kind": kind.value,
            "label": kind.label,
            "channels": [
                {
                    "name": channel.value,
                    "is_on": channel in channels_for(choices, kind),
                    "is_fixed": channel is Channel.PAGE and kind in URGENT,
                }
                for channel in Channel
            ],
        }
        for kind in Notification.Kind
    ]
    is_clinician = has_role(user, Role.CLINICIAN)
    return {
        "kinds": kinds,
        "paces": [(value, word, value == choices.mail_pace) for value, word in Pace.choices],
        "webhook_url": choices.webhook_url,
        "stand_in_form": StandInForm(user, auto_id="stand-in-%s") if is_clinician else None,
        "stand_ins": delegations_of(user) if is_clinician else [],
    }


@require_POST
@sensitive_variables("secret")
def notifications(request: HttpRequest) -> HttpResponse:
    """Keep how the person wants to be told; a new webhook's secret is shown once."""
    channels = {kind.value: request.POST.getlist(kind.value) for kind in Notification.Kind}
    url = request.POST.get("webhook_url", "")
    try:
        secret = choose(
            user_of(request),
            channels,
            url,
            mail_pace=request.POST.get("mail_pace", ""),
            address=client_address(request),
        )
    except WebhookRefused as refusal:
        messages.error(request, f"{refusal} Nothing was changed.")
        return redirect("account")
    if secret:
        return render(request, "account/webhook_secret.html", {"secret": secret})
    messages.success(request, "How you are told is kept.")
    return redirect("account")


@require_POST
def stand_in(request: HttpRequest) -> HttpResponse:
    """Let a colleague see one's referrals while one is away."""
    user = user_of(request)
    form = StandInForm(user, request.POST, auto_id="stand-in-%s")
    if not form.is_valid():
        for label, errors in form.errors.items():
            messages.error(request, f"{form.fields[label].label}: {errors[0]}")
        return redirect("account")
    values = form.cleaned_data
    begins_at, ends_at = start_of(values["first"]), start_of(values["last"] + timedelta(days=1))
    colleague: User = values["delegate"]
    try:
        made = delegate(
            clinician=user, to=colleague, begins_at=begins_at, ends_at=ends_at, address=client_address(request)
        )
    except DelegationRefused as refusal:
        messages.error(request, str(refusal))
    else:
        tell([colleague], Notification.Kind.DELEGATED, occasion=f"delegation {made.pk}")
        messages.success(request, f"{colleague} sees your referrals from {values['first']} to {values['last']}.")
    return redirect("account")


@require_POST
def end_stand_in(request: HttpRequest, pk: int) -> HttpResponse:
    """End it before its time."""
    found = get_object_or_404(Delegation, pk=pk, clinician=user_of(request))
    if end_delegation(found, by=user_of(request), address=client_address(request)):
        messages.success(request, f"{found.delegate} no longer sees your referrals.")
    return redirect("account")


def start_of(day: Any) -> datetime:
    """Midnight at the beginning of a day, in the site's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
