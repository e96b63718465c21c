"""The study's page and its viewer: what the server knows is in the page, the picture's address first of all."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import may_download, may_read_reports, may_reject
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import age_at, format_date, format_time
from archive.dicom.person_name import format_for_people
from archive.models import Study, User
from pacs_portal.middleware import client_address
from viewer.api.reports import record_view
from viewer.discussion.comments import unresolved
from viewer.models import WindowPreset
from viewer.pages.report import readable_report
from viewer.rendering.color_maps import MAP_NAMES
from viewer.reports.html import as_html
from viewer.reports.outside import outside_reports
from viewer.sharing.links import may_share
from viewer.shortcuts import shortcuts_of
from viewer.worklist.claiming import may_read
from viewer.worklist.rows import titled

VIEWER_MODULES = (
    "core",
    "geometry",
    "viewport",
    "tools",
    "annotations",
    "charts",
    "linking",
    "hanging",
    "objects",
    "pages/viewer_parts",
    "reports",
    "worklist/held_claim.js",
    "worklist/next_study.js",
)
"""Folders and files of the viewer's ES modules; the page names them all, so that a browser need not find them one by one."""


@require_safe
def study_page(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """What the study is and holds, with a thumbnail of every stack."""
    study = visible_study(request, study_instance_uid)
    context = shared_context(request, study)
    names = ("study", "patient", "manifest", "manifest_url", "sign_in")
    report = readable_report(user_of(request), study)
    if report is not None:
        record_view(request, study)
    context["open_threads"] = unresolved(study)
    context["report_html"] = as_html(report, with_facts=False, study=study) if report else ""
    context["reads_reports"] = reads = may_read(user_of(request)) or may_read_reports(user_of(request), study)
    context["outside"] = outside_reports(study) if reads else []
    context["study_data"] = {name: context[name] for name in names}
    return render(request, "viewer/study.html", context)


@require_safe
def viewer_page(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The viewer; without script it still shows the strip and the first picture."""
    from viewer.hanging.hang import hanging_of
    from viewer.hanging.priors import priors_of
    from viewer.pages.priors import prior_entry
    from viewer.stacks.manifest import first_picture

    study = visible_study(request, study_instance_uid)
    context = shared_context(request, study)
    priors = priors_of(study, user_of(request))
    context["priors"] = [prior_entry(one) for one in priors]
    context["hanging"] = None if opens_elsewhere(request) else hanging_of(study, priors, user_of(request))
    names = (
        "study",
        "patient",
        "manifest",
        "manifest_url",
        "sign_in",
        "may_download",
        "may_process",
        "may_report",
        "may_talk",
        "presets",
        "shortcuts",
        "color_maps",
        "user",
        "priors",
        "hanging",
    )
    context["shortcuts"] = shortcuts_of(user_of(request))
    context["may_report"] = may_read(user_of(request))
    context["viewer_data"] = {name: context[name] for name in names}
    opens_with = first_entry(context["manifest"], context["hanging"])
    shows_first = not opens_elsewhere(request) and is_hung_alone(context["manifest"], context["hanging"])
    context["first_picture"] = first_picture(study, user_of(request), request.session) if shows_first else None
    context["first_manifest"] = None if opens_elsewhere(request) or not opens_with else opens_with["manifest"]
    context["modules"] = viewer_modules(settings.STATICFILES_DIRS[0])
    record_event(
        Event.STUDY_VIEWED,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=study.study_instance_uid,
    )
    return render(request, "viewer/viewer.html", context)


def visible_study(request: HttpRequest, study_instance_uid: str) -> Study:
    studies = Study.objects.visible_to(user_of(request)).select_related("patient")
    return get_object_or_404(studies, study_instance_uid=study_instance_uid)


def opens_elsewhere(request: HttpRequest) -> bool:
    """Whether the address names another view than the one a study opens with."""
    return "view" in request.GET or "stack" in request.GET


def first_entry(manifest: dict[str, Any], hanging: dict[str, Any] | None) -> dict[str, Any] | None:
    """The stack that the viewer asks for first: that of the first cell that is hung, else the first that can be drawn."""
    cells = [cell["stack"] for cell in hanging["cells"] if cell] if hanging else []
    drawable = [entry for entry in manifest["stacks"] if entry["drawable"]]
    hung = [entry for entry in drawable if cells and entry["stack"] == cells[0]]
    return next(iter(hung or drawable), None)


def is_hung_alone(manifest: dict[str, Any], hanging: dict[str, Any] | None) -> bool:
    """Whether the study's first stack fills the screen as it was sent, so that its picture can come with the page."""
    if hanging is None:
        return True
    first = first_entry(manifest, None)
    cell = hanging["cells"][0]
    is_first = bool(first and cell and cell["stack"] == first["stack"])
    return is_first and hanging["layout"] == "1x1" and not (cell["orient"] or cell["align"] or cell["window"])


def shared_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    """What both pages show and what their scripts begin with."""
    from viewer.stacks.manifest import study_manifest

    manifest = study_manifest(study)
    return {
        "study_row": study,
        "study": study_facts(study),
        "patient": patient_facts(study),
        "manifest": manifest,
        "stacks": [
            entry | {"title": titled(entry["Modality"], entry["SeriesDescription"])} for entry in manifest["stacks"]
        ],
        "manifest_url": reverse("study-manifest", args=[study.study_instance_uid]),
        "sign_in": resolve_url(settings.LOGIN_URL),
        "may_process": has_role(user_of(request), Role.RADIOLOGIST),
        "may_reject": may_reject(user_of(request)),
        "may_download": may_download(user_of(request), study),
        "may_talk": has_role(user_of(request), Role.RADIOLOGIST, Role.CLINICIAN, Role.TECHNOLOGIST),
        "may_share": may_share(user_of(request), study),
        "may_search_peers": has_role(user_of(request), Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.ADMINISTRATOR),
        "presets": window_presets(user_of(request)),
        "color_maps": list(MAP_NAMES),
        "user": user_of(request).pk,
    }


def study_facts(study: Study) -> dict[str, str]:
    """The study in words, dates and times as they were recorded."""
    return {
        "StudyInstanceUID": study.study_instance_uid,
        "description": study.study_description,
        "title": titled(" ".join(study.modality_list()), study.study_description),
        "date": format_date(study.study_date),
        "time": " ".join(part for part in (format_time(study.study_time), study.timezone_offset_from_utc) if part),
        "accession": study.accession_number,
        "modalities": " ".join(study.modality_list()),
        "referrer": format_for_people(study.referring_physician_name),
        "institution": study.institution_name,
    }


def patient_facts(study: Study) -> dict[str, Any]:
    """The patient as this study's images say; ``key`` is the portal's own number and tells nothing."""
    age = age_at(study_date=study.study_date, birth_date=study.patient_birth_date, patient_age=study.patient_age)
    sex, birth_date = study.patient_sex, format_date(study.patient_birth_date)
    return {
        "key": study.patient_id,
        "name": format_for_people(study.patient_name),
        "other_spelling": format_for_people(study.name_note),
        "id": study.patient.patient_id,
        "issuer": study.patient.issuer_of_patient_id,
        "birth_date": birth_date,
        "sex": sex,
        "age": age.text,
        "facts": [part for part in (" ".join(part for part in (sex, age.text) if part), birth_date) if part],
        "age_disagrees": age.disagrees,
        "to_check": study.patient.identity_to_be_checked,
        "is_corrected": study.received_patient_id is not None,
    }


def window_presets(user: User | None) -> dict[str, list[dict[str, Any]]]:
    """The site's presets by modality, the user's own after them; None for a visitor."""
    found: dict[str, list[dict[str, Any]]] = {}
    presets = WindowPreset.objects.filter(Q(user=None) | Q(user=user))
    for preset in presets.order_by("modality", F("user").asc(nulls_first=True), "position", "pk"):
        entry = {"name": preset.name, "center": preset.center, "width": preset.width}
        found.setdefault(preset.modality, []).append(entry)
    return found


@cache
def viewer_modules(static_folder: Path) -> tuple[str, ...]:
    """Paths of the viewer's modules below the static folder."""
    root = Path(static_folder) / "js"
    found = ([root / name] if name.endswith(".js") else sorted((root / name).glob("*.js")) for name in VIEWER_MODULES)
    return tuple(f"js/{path.relative_to(root).as_posix()}" for paths in found for path in paths)
