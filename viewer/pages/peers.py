"""``/peers/``: search another archive and fetch studies from it. By POST, as names and IDs belong in no address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from archive.access.roles import Role, has_role, user_of
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.dimse.asking import FoundStudy
from archive.errors import ArchiveError
from archive.exchange.fetching import enqueue_fetch, search_peer, searchable_peers
from archive.jobs.kinds import FETCH
from archive.models import Job, Peer, Study, User
from pacs_portal.middleware import client_address
from viewer.pages.study import visible_study

MODALITIES = ("CT", "MR", "CR", "DX", "MG", "US", "PT", "NM", "XA", "RF")


@dataclass(frozen=True, slots=True)
class Row:
    """One study of a peer in words."""

    found: FoundStudy
    name: str
    born: str
    date: str
    modalities: str
    images: str
    is_here: bool
    """It is in our archive too, and the person may open it."""
    job: Job | None
    """The latest job of theirs that fetches it."""


class PeerSearchForm(forms.Form):
    """What a peer is asked for; something must narrow it."""

    peer = forms.ChoiceField(label="Archive")
    patient_id = forms.CharField(label="Patient ID", required=False, max_length=64)
    patient_name = forms.CharField(label="Name", required=False, max_length=64)
    date_from = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    date_until = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    modality = forms.ChoiceField(
        required=False, choices=[("", "any"), *((modality, modality) for modality in MODALITIES)]
    )

    def __init__(self, *args: Any, peers: list[Peer], **values: Any) -> None:
        super().__init__(*args, **values)
        names = [(peer.ae_title, f"{peer.ae_title} {peer.description}".strip()) for peer in peers]
        self.fields["peer"] = forms.ChoiceField(label="Archive", choices=names)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(cleaned.get(name) for name in ("patient_id", "patient_name", "date_from")):
            raise forms.ValidationError("Fill in a patient ID, a name or the first day: archives are large.")
        return cleaned

    def keys(self) -> dict[str, str]:
        """Keys of the C-FIND; a name without wildcards means its beginning."""
        cleaned = self.cleaned_data
        return {
            "PatientID": cleaned["patient_id"].strip(),
            "PatientName": name_key(cleaned["patient_name"]),
            "StudyDate": date_key(cleaned["date_from"], cleaned["date_until"]),
            "ModalitiesInStudy": cleaned["modality"],
        }


def name_key(text: str) -> str:
    """What people type as a name in the form that archives compare (PS3.4 C.2.2.2.4).

    >>> name_key("Doe, Jane"), name_key("doe jane"), name_key("Do*"), name_key(" ")
    ('Doe^Jane*', 'doe*jane*', 'Do*', '')
    """
    text = re.sub(r"\s*,\s*", "^", text.strip())
    text = re.sub(r"\s+", "*", text)
    return text if not text or text.endswith("*") else f"{text}*"


def date_key(start: Any, end: Any) -> str:
    """A range of days (PS3.4 C.2.2.2.5); empty where neither end is given."""
    if not start and not end:
        return ""
    return f"{start:%Y%m%d}-{end:%Y%m%d}" if start and end else f"{start:%Y%m%d}-" if start else f"-{end:%Y%m%d}"


def may_search_peers(user: User) -> bool:
    """Who may look for studies in other archives."""
    return has_role(user, Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.ADMINISTRATOR)


@require_http_methods(["GET", "HEAD", "POST"])
def peers(request: HttpRequest) -> HttpResponse:
    """The form, and what the archive answers."""
    user = user_of(request)
    if not may_search_peers(user):
        raise Http404
    known = list(searchable_peers())
    form = PeerSearchForm(request.POST if request.method == "POST" else None, peers=known, initial=_initial(request))
    context: dict[str, Any] = {"form": form, "peers": known}
    if form.is_bound and form.is_valid():
        context |= found_by(form, request)
    template = "peers/results.html" if request.headers.get("HX-Request") else "peers/page.html"
    return render(request, template, context)


def _initial(request: HttpRequest) -> dict[str, str]:
    """From a study's page: its patient's ID, looked up here so that no address carries it."""
    uid = request.GET.get("study", "")
    if not uid:
        return {}
    study = visible_study(request, uid)
    return {"patient_id": study.patient.patient_id}


def found_by(form: PeerSearchForm, request: HttpRequest) -> dict[str, Any]:
    """Rows, or the peer's trouble in words."""
    peer = searchable_peers().get(ae_title=form.cleaned_data["peer"])
    try:
        found = search_peer(peer, form.keys(), by=user_of(request), address=client_address(request))
    except ArchiveError as error:
        return {"trouble": str(error), "peer": peer}
    return {"rows": rows_of(found.studies, peer, user_of(request)), "is_cut": found.is_cut, "peer": peer, "asked": True}


def rows_of(studies: tuple[FoundStudy, ...], peer: Peer, user: User) -> list[Row]:
    uids = [study.study_instance_uid for study in studies]
    here = set(
        Study.objects.visible_to(user).filter(study_instance_uid__in=uids).values_list("study_instance_uid", flat=True)
    )
    jobs = {
        job.parameters["study_instance_uid"]: job
        for job in Job.objects.filter(
            kind=FETCH, coalescing_key__in=[f"{FETCH} {peer.pk} {uid}" for uid in uids]
        ).order_by("pk")
    }
    return [row_of(study, study.study_instance_uid in here, jobs.get(study.study_instance_uid)) for study in studies]


def row_of(found: FoundStudy, is_here: bool, job: Job | None) -> Row:
    counts = [("image", found.instance_count), ("series", found.series_count)]
    words = [
        f"{count} {word}{'s' if word == 'image' and count != 1 else ''}" for word, count in counts if count is not None
    ]
    return Row(
        found=found,
        name=format_for_people(found.patient_name) or "(no name)",
        born=format_date(found.patient_birth_date),
        date=format_date(found.study_date),
        modalities=" ".join(found.modalities),
        images=" in ".join(words),
        is_here=is_here,
        job=job,
    )


@require_POST
def fetch(request: HttpRequest) -> HttpResponse:
    """Queue a fetch; htmx gets the cell that shows how it goes, a plain form the page of jobs."""
    user = user_of(request)
    if not may_search_peers(user):
        raise Http404
    peer = searchable_peers().filter(ae_title=request.POST.get("peer", "")).first()
    if peer is None:
        raise Http404
    try:
        job = enqueue_fetch(peer, request.POST.get("study", ""), by=user)
    except ArchiveError as error:
        messages.error(request, str(error))
        return redirect("peers")
    if request.headers.get("HX-Request"):
        return render(request, "peers/fetching.html", {"job": job})
    return redirect("job", job.pk)
