"""Samples of a waveform, a part at a time, as they are stored: the page knows what each is worth."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from archive.dicom.part10 import read_dataset
from archive.dicom.sop_classes import is_waveform
from archive.errors import ArchiveError
from archive.storage import layout
from viewer.api.instances import unreadable, visible_instance
from viewer.errors import InvalidParameter, NotFound, ViewerError
from viewer.rendering.waveforms import PADDED, waveform_samples
from viewer.tiles.statuses import status_of


@require_GET
def waveform(request: HttpRequest, sop_instance_uid: str) -> HttpResponse:
    """``group`` from 1; ``first`` from 0 and ``count``, in samples. Padding is null."""
    instance = visible_instance(request, sop_instance_uid)
    try:
        if not is_waveform(instance.sop_class_uid):
            raise NotFound("This instance holds no waveform.")
        ds = read_dataset(layout.path_of(instance.stored_file.key))
        group, first, count = (
            _whole(request, name, usual) for name, usual in (("group", 1), ("first", 0), ("count", 0))
        )
        found = waveform_samples(ds, group, first=first, count=count or None)
    except ViewerError as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    except (ArchiveError, OSError):
        return unreadable()
    channels = ([None if sample == PADDED else sample for sample in channel] for channel in found.tolist())
    response = JsonResponse({"group": group, "first": first, "samples": list(channels)})
    response["Cache-Control"] = "no-store"
    return response


def _whole(request: HttpRequest, name: str, usual: int) -> int:
    text = request.GET.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 11):
        raise InvalidParameter(name, text, "a whole number from 0")
    return int(text)
