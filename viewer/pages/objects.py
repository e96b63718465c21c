"""An object without a picture on a page: a structured report as text with links to its images, a PDF as it is."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from archive.access.roles import user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.part10 import read_dataset
from archive.dicom.sop_classes import ENCAPSULATED_PDF, is_readable, name_of
from archive.errors import ArchiveError
from archive.models import Instance
from archive.storage import layout
from pacs_portal.middleware import client_address
from viewer.api.instances import visible_instance
from viewer.errors import ViewerError
from viewer.objects.report_reading import read_report
from viewer.rendering.documents import encapsulated_document
from viewer.tiles.statuses import status_of

LARGEST_DOCUMENT = 256 << 20
UNREADABLE = "The file of this object cannot be read; an alarm has been raised."


@require_safe
def object_page(request: HttpRequest, study_instance_uid: str, sop_instance_uid: str) -> HttpResponse:
    """A structured report line by line, or a PDF in a frame."""
    instance = visible_instance(request, sop_instance_uid)
    study = instance.series.study
    if study.study_instance_uid != study_instance_uid or not is_readable(instance.sop_class_uid):
        raise Http404("There is no such document.")
    context: dict[str, Any] = {"study": study, "title": name_of(instance.sop_class_uid), "lines": [], "head": []}
    status = 200
    if instance.sop_class_uid == ENCAPSULATED_PDF:
        context["document"] = reverse("object-document", args=[sop_instance_uid])
    else:
        try:
            context |= _report(instance)
        except ViewerError as error:
            context["problem"], status = str(error), status_of(error)
        except (ArchiveError, OSError):
            context["problem"], status = UNREADABLE, 500
    _record(request, instance)
    return render(request, "viewer/object.html", context, status=status)


def _report(instance: Instance) -> dict[str, Any]:
    report = read_report(instance)
    return {"lines": report.lines, "head": report.head, "title": report.title or name_of(instance.sop_class_uid)}


@require_safe
@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})  # type: ignore[arg-type]  # typed for views without parameters
def document(request: HttpRequest, sop_instance_uid: str) -> HttpResponse:
    """The PDF of an object, for a frame of our own page."""
    instance = visible_instance(request, sop_instance_uid)
    if instance.sop_class_uid != ENCAPSULATED_PDF:
        raise Http404("There is no such document.")
    path = layout.path_of(instance.stored_file.key)
    try:
        if path.stat().st_size > LARGEST_DOCUMENT:
            return HttpResponse(f"The document is larger than {LARGEST_DOCUMENT} bytes.", status=413)
        data = encapsulated_document(read_dataset(path))
    except ViewerError as error:
        return HttpResponse(str(error), status=status_of(error), content_type="text/plain")
    except (ArchiveError, OSError):
        return HttpResponse(UNREADABLE, status=500, content_type="text/plain")
    if not data.startswith(b"%PDF-"):
        # Another kind of content under this class is never given to the browser as a document.
        raise Http404("There is no such document.")
    _record(request, instance)
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{sop_instance_uid}.pdf"'
    response["Cache-Control"] = "no-store"
    return response


def _record(request: HttpRequest, instance: Instance) -> None:
    record_event(
        Event.STUDY_VIEWED,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=instance.series.study.study_instance_uid,
        subject=instance.sop_instance_uid,
    )
