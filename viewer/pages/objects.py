"""An object without a picture on a page: a report as text with links to its images, a PDF, a waveform on paper, a video."""

from __future__ import annotations

import math
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from pydicom import Dataset

from archive.access.roles import user_of
from archive.access.rules import may_download
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.part10 import read_dataset
from archive.dicom.sop_classes import ENCAPSULATED_PDF, is_readable, is_waveform, name_of
from archive.dicom.transfer_syntaxes import is_video, transfer_syntax
from archive.dicom.values import integer, number
from archive.errors import ArchiveError
from archive.models import Instance
from archive.storage import layout
from archive.storage.frames import stored_stream
from pacs_portal.middleware import client_address
from viewer.api.instances import visible_instance
from viewer.errors import ViewerError
from viewer.objects.report_reading import dataset_given_out, report_of
from viewer.rendering.documents import encapsulated_document, report_head
from viewer.rendering.media_types import MP4, video_container
from viewer.rendering.waveforms import waveform_groups, waveform_remarks
from viewer.tiles.statuses import status_of

LARGEST_DOCUMENT = 256 << 20
MOST_REMARKS = 400
"""Of a waveform, that are listed beside it."""
UNREADABLE = "The file of this object cannot be read; an alarm has been raised."


@require_safe
def object_page(request: HttpRequest, study_instance_uid: str, sop_instance_uid: str) -> HttpResponse:
    """A structured report line by line, a PDF in a frame, a waveform on millimetre paper, or a video that is played."""
    instance = visible_instance(request, sop_instance_uid)
    study, stored = instance.series.study, instance.stored_file
    plays = is_video(stored.transfer_syntax_uid)
    if study.study_instance_uid != study_instance_uid or not (is_readable(instance.sop_class_uid) or plays):
        raise Http404("There is no such document.")
    context: dict[str, Any] = {"study": study, "title": name_of(instance.sop_class_uid), "lines": [], "head": []}
    context["may_download"] = may_download(user_of(request), study)
    status = 200
    try:
        ds = dataset_given_out(instance)
        context["head"] = report_head(ds)
        if plays:
            context |= _video(instance, ds)
        elif is_waveform(instance.sop_class_uid):
            context |= _waveform(instance, ds)
        elif instance.sop_class_uid == ENCAPSULATED_PDF:
            context["document"] = reverse("object-document", args=[sop_instance_uid])
        else:
            report = report_of(study, ds)
            context |= {"lines": report.lines, "title": report.title or context["title"]}
    except ViewerError as error:
        context["problem"], status = str(error), status_of(error)
    except (ArchiveError, OSError):
        context["problem"], status = UNREADABLE, 500
    _record(request, instance)
    return render(request, "viewer/object.html", context, status=status)


def _waveform(instance: Instance, ds: Dataset) -> dict[str, Any]:
    """Groups and channels of a waveform; its samples are fetched by the page."""
    groups = waveform_groups(ds)
    remarks = waveform_remarks(ds, groups)
    data = {
        "address": reverse("waveform", args=[instance.sop_instance_uid]),
        "groups": [
            {
                "label": group.label,
                "is_derived": group.is_derived,
                "frequency": group.frequency_hz,
                "samples": group.samples,
                "channels": [
                    {
                        "name": one.name,
                        "unit": one.unit,
                        "gain": one.gain,
                        "offset": one.offset,
                        "delay": one.delay_s,
                        "filters": one.filters,
                    }
                    for one in group.channels
                ],
            }
            for group in groups
        ],
    }
    said = [one.text for one in remarks if one.seconds is None]
    moments = [(one.text, f"{one.seconds:.3f} s") for one in remarks if one.seconds is not None]
    return {"waveform": data, "groups": groups, "said": said[:MOST_REMARKS], "moments": moments[:MOST_REMARKS]}


def _video(instance: Instance, ds: Dataset) -> dict[str, Any]:
    """What a player needs; a sentence where no browser plays the stream."""
    syntax = instance.stored_file.transfer_syntax_uid
    address = reverse("video", args=[instance.sop_instance_uid])
    name = transfer_syntax(syntax).name
    if instance.stored_file.damage:
        return {"problem": f"{instance.stored_file.damage} The video is not shown; an alarm has been raised."}
    if video_container(stored_stream(instance.stored_file.key).head(), syntax) != MP4:
        return {"unplayable": f"This video is {name}, in a form that browsers cannot play.", "video_address": address}
    frame_ms = number(ds, "FrameTime") or 1000 / (number(ds, "CineRate") or math.inf) or None
    data = {"frames": instance.frames or integer(ds, "NumberOfFrames"), "frame_ms": frame_ms, "codec": name}
    return {"video": data, "video_address": address}


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
