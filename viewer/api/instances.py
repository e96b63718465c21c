"""One instance: its elements as a list, and the original as a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_description, keyword_for_tag

from archive.access.roles import user_of
from archive.access.rules import may_download, may_read_instance
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.coercion import coerce_dataset
from archive.dicom.part10 import read_dataset
from archive.dicomweb.encodings import Way
from archive.errors import ArchiveError
from archive.mending.coercion import facts_of
from archive.models import Instance, Study
from archive.storage import layout
from archive.storage.outgoing import open_outgoing
from pacs_portal.middleware import client_address

MOST_ELEMENTS = 20_000
LONGEST_VALUE = 512


def visible_instance(request: HttpRequest, sop_instance_uid: str) -> Instance:
    """The instance, or 404 where there is none or it may not be seen."""
    instance = (
        Instance.objects.shown()
        .select_related("stored_file", "series__study__patient")
        .filter(sop_instance_uid=sop_instance_uid, series__study__in=Study.objects.visible_to(user_of(request)))
        .first()
    )
    if instance is None or not may_read_instance(user_of(request), instance):
        raise Http404("There is no such image.")
    return instance


@require_GET
def tags(request: HttpRequest, sop_instance_uid: str) -> HttpResponse:
    """Every element, nested ones with their depth; long and binary values shortened."""
    instance = visible_instance(request, sop_instance_uid)
    try:
        ds = read_dataset(layout.path_of(instance.stored_file.key))
        facts = facts_of(instance.series.study)
        if facts is not None:
            coerce_dataset(ds, facts)
    except (ArchiveError, OSError):
        return unreadable()
    rows: list[dict[str, object]] = []
    for row in flatten(ds):
        if len(rows) == MOST_ELEMENTS:
            break
        rows.append(row)
    record_event(
        Event.TAGS_VIEWED,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=instance.series.study.study_instance_uid,
        subject=sop_instance_uid,
    )
    return JsonResponse({"SOPInstanceUID": sop_instance_uid, "tags": rows, "cut": len(rows) == MOST_ELEMENTS})


def flatten(ds: Dataset, depth: int = 0) -> Iterator[dict[str, object]]:
    """Rows of a data set in order, items of sequences below their sequence."""
    for tag in sorted(ds.keys()):
        try:
            element = ds[tag]
        except Exception:
            yield _row(str(tag), "UN", "", "", "(cannot be decoded)", depth)
            continue
        yield _row(
            f"({tag.group:04X},{tag.element:04X})",
            element.VR,
            keyword_for_tag(tag),
            _name(element),
            _value(element),
            depth,
        )
        if element.VR == "SQ":
            for item in element.value or []:
                yield from flatten(item, depth + 1)


def _row(tag: str, vr: str, keyword: str, name: str, value: str, depth: int) -> dict[str, object]:
    return {"tag": tag, "vr": vr, "keyword": keyword, "name": name, "value": value, "depth": depth}


def _name(element: DataElement) -> str:
    try:
        return dictionary_description(element.tag)
    except KeyError:
        return "Private" if element.tag.is_private else "Unknown"


def _value(element: DataElement) -> str:
    value = element.value
    if element.VR == "SQ":
        return f"{len(value or [])} items"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = "\\".join(map(str, value)) if element.VM > 1 else str(value if value is not None else "")
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


@require_GET
def file(request: HttpRequest, sop_instance_uid: str) -> HttpResponseBase:
    """The original as a DICOM file: its data set byte for byte, a clean preamble and header before it."""
    return original_of(request, visible_instance(request, sop_instance_uid))


def original_of(request: HttpRequest, instance: Instance) -> HttpResponseBase:
    """The stored object of an instance that the person may see; 404 for who may not take it away. Audited."""
    check_may_take(request, instance)
    try:
        outgoing = open_outgoing(instance)
    except (ArchiveError, OSError):
        return unreadable()
    note_export(request, instance)
    response = StreamingHttpResponse(outgoing.blocks(), content_type="application/dicom")
    response["Content-Length"] = str(outgoing.size)
    response["Content-Disposition"] = f'attachment; filename="{instance.sop_instance_uid}.dcm"'
    return response


def object_of(request: HttpRequest, instance: Instance, way: Way) -> HttpResponseBase:
    """The same in a transfer syntax that the answer names.

    Raises
    ------
    ArchiveError
        The object cannot be read or decoded; said before anything is sent.
    """
    check_may_take(request, instance)
    blocks = way.blocks()
    try:
        first = next(blocks)
    except OSError:
        return unreadable()
    note_export(request, instance)
    response = StreamingHttpResponse(chain((first,), blocks), content_type=way.content_type)
    response["Content-Disposition"] = f'attachment; filename="{instance.sop_instance_uid}.dcm"'
    return response


def check_may_take(request: HttpRequest, instance: Instance) -> None:
    """Refuse who may look at a study but not take its files away, as if there were none."""
    if not may_download(user_of(request), instance.series.study):
        raise Http404("There is no such image.")


def unreadable() -> JsonResponse:
    return JsonResponse({"error": "The file of this image cannot be read; an alarm has been raised."}, status=404)


def note_export(request: HttpRequest, instance: Instance) -> None:
    record_event(
        Event.EXPORTED,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=instance.series.study.study_instance_uid,
        subject=instance.sop_instance_uid,
    )
