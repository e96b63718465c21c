"""Addresses with more than one transaction: searched or retrieved by GET, stored to by POST."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from archive.dicomweb import qido, wado
from archive.dicomweb.stow import stow


@require_http_methods(["GET", "HEAD", "POST"])
def studies(request: HttpRequest) -> HttpResponseBase:
    """``/studies``: QIDO-RS and STOW-RS."""
    return stow(request) if request.method == "POST" else qido.studies(request)


@require_http_methods(["GET", "HEAD", "POST"])
def study(request: HttpRequest, study_instance_uid: str) -> HttpResponseBase:
    """``/studies/{study}``: WADO-RS and STOW-RS."""
    if request.method == "POST":
        return stow(request, study_instance_uid)
    return wado.instances(request, study_instance_uid)
