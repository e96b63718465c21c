"""Priors opened beside a study, and how a reader hangs it next time."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from archive.access.roles import Role, has_role, user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Study
from pacs_portal.middleware import client_address
from viewer.hanging.hang import save_screen
from viewer.hanging.priors import Prior, priors_of
from viewer.hanging.rules import WrongRule
from viewer.pages.study import patient_facts, study_facts, visible_study
from viewer.stacks.manifest import study_manifest

LARGEST_SCREEN = 20_000
"""Bytes of a screen that is saved."""


def prior_entry(prior: Prior) -> dict[str, Any]:
    """A prior in the bar of the viewer."""
    return {
        "StudyInstanceUID": prior.study.study_instance_uid,
        "date": prior.date or "no date",
        "distance": prior.distance,
        "words": prior.words,
        "modality": ", ".join(prior.study.modality_list()),
        "description": prior.study.study_description,
        "relevance": prior.relevance,
    }


@require_GET
def prior(request: HttpRequest, study_instance_uid: str, prior_uid: str) -> HttpResponse:
    """All that is needed to show a prior beside a study: its stacks and what its images say of whose they are."""
    study = visible_study(request, study_instance_uid)
    found = _prior_of(request, study, prior_uid)
    record_event(
        Event.STUDY_VIEWED,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=found.study.study_instance_uid,
    )
    return JsonResponse(
        {
            "manifest": study_manifest(found.study),
            "study": study_facts(found.study),
            "patient": patient_facts(found.study),
            "prior": found.words,
        }
    )


@require_POST
def hang_like_this(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Save the present screen as the reader's own protocol."""
    if not has_role(user_of(request), Role.RADIOLOGIST):
        raise Http404("There is nothing here.")
    study = visible_study(request, study_instance_uid)
    try:
        screen = json.loads(request.body[:LARGEST_SCREEN])
    except ValueError:
        screen = None
    if not isinstance(screen, dict):
        return JsonResponse({"error": "This is no screen."}, status=400)
    prior_uid = screen.get("prior")
    shown = _prior_of(request, study, str(prior_uid)).study if prior_uid else None
    try:
        saved = save_screen(study, shown, screen, user_of(request))
    except WrongRule as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"name": saved.name})


def _prior_of(request: HttpRequest, study: Study, uid: str) -> Prior:
    for one in priors_of(study, user_of(request)):
        if one.study.study_instance_uid == uid:
            return one
    raise Http404("This is no prior of the study.")
