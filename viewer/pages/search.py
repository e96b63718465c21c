"""Search among all studies that a person may see; what it finds opens read-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from archive.access.roles import roles_of, user_of
from archive.models import User
from archive.querying.keys import Level
from archive.querying.search import Query, narrowed, plan
from archive.querying.words import LONGEST_TEXT
from viewer.pages.fields import date_field
from viewer.worklist.ordering import NEWEST_EXAMINED, PAGE_SIZE, find_page
from viewer.worklist.rows import load_rows


class SearchForm(forms.Form):
    """What is looked for; empty fields do not narrow."""

    text = forms.CharField(
        label="Name, ID, accession, description or referrer",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.TextInput(
            attrs={"type": "search", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )
    modality = forms.RegexField(
        label="Modality",
        regex=r"^[A-Z0-9_ ]{1,16}$",
        required=False,
        error_messages={"invalid": "A modality is a code such as CT, MR or US."},
        widget=forms.TextInput(attrs={"size": 4, "maxlength": 16, "autocomplete": "off", "spellcheck": "false"}),
    )
    since = date_field("From")
    until = date_field("To")

    def clean_modality(self) -> str:
        return str(self.cleaned_data["modality"]).strip()

    def query(self) -> Query:
        """Every field that is filled in as one query."""
        asked = self.cleaned_data
        since, until = (f"{day:%Y%m%d}" if day else "" for day in (asked["since"], asked["until"]))
        dates = f"{since}-{until}" if since or until else ""
        return Query(
            Level.STUDY,
            {"ModalitiesInStudy": asked["modality"], "StudyDate": dates},
            words=asked["text"],
        )


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """The form, and what it finds: by POST, as a name belongs in no address."""
    if not roles_of(user_of(request)):
        return render(request, "worklist/no_role.html", status=403)
    form = SearchForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        context |= found_by(form, user_of(request), request.POST)
    template = "search/results.html" if request.headers.get("HX-Request") else "search/page.html"
    return render(request, template, context)


def found_by(form: SearchForm, who: User, place: Mapping[str, Any]) -> dict[str, Any]:
    """One page of what a valid form finds, the newest examination first."""
    page = find_page(
        narrowed(plan(form.query()), who),
        NEWEST_EXAMINED,
        after=str(place.get("after", "")),
        before=str(place.get("before", "")),
        size=PAGE_SIZE,
    )
    return {"page": page, "rows": load_rows(page.ids, who), "has_searched": True}
