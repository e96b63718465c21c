"""WADO-RS (PS3.18 10.4): instances, metadata, frames and bulk data of a study, a series or an instance."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from archive.access.roles import user_of
from archive.access.rules import may_download
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.accept import MediaRange
from archive.dicomweb import bulk_data, encodings
from archive.dicomweb.errors import Forbidden, NotAcceptable
from archive.dicomweb.metadata_files import Gzipped, metadata_of_instance, metadata_of_series
from archive.dicomweb.qido import address_of
from archive.dicomweb.responses import (
    DATA_SETS,
    XML,
    Part,
    answers_errors,
    by_preference,
    chosen,
    data_sets,
    multipart,
)
from archive.dicomweb.targets import Target, find_target
from archive.dicomweb.zipped import zip_of
from pacs_portal.middleware import client_address

DICOM: Final = "application/dicom"
ZIP: Final = "application/zip"
OCTETS: Final = "application/octet-stream"


@require_safe
@answers_errors
def instances(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> HttpResponseBase:
    """The instances of a target as DICOM files: multipart, a single one, or a ZIP file."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    for one in by_preference(request):
        if one.specificity(DICOM):
            return _as_files(target, one)
        if one.specificity(ZIP):
            return _as_zip(target, one)
    raise NotAcceptable(f'The answer is given as multipart/related; type="{DICOM}", {DICOM} or {ZIP}.')


def _as_files(target: Target, wanted: MediaRange) -> HttpResponseBase:
    """Multipart, unless exactly one file is there and a bare ``application/dicom`` is asked for (PS3.18 8.7.1)."""
    syntax = wanted.transfer_syntax
    ways = [encodings.way_of(instance, syntax) for instance in target.instances]
    if not wanted.multipart and wanted.kind == DICOM:
        if len(ways) != 1:
            raise NotAcceptable(f'{len(ways)} instances are given as multipart/related; type="{DICOM}" or {ZIP}.')
        response = StreamingHttpResponse(ways[0].blocks(), content_type=ways[0].content_type)
        response["Content-Disposition"] = f'attachment; filename="{ways[0].instance.sop_instance_uid}.dcm"'
        return response
    return multipart((_file_part(way) for way in ways), kind=DICOM)


def _file_part(way: encodings.Way) -> Part:
    series = way.instance.series
    location = address_of(series.study.study_instance_uid, series.series_instance_uid, way.instance.sop_instance_uid)
    return way.content_type, {"Content-Location": location}, way.blocks()


def _as_zip(target: Target, wanted: MediaRange) -> HttpResponseBase:
    syntax = wanted.transfer_syntax or encodings.AS_STORED
    ways = [encodings.way_of(instance, syntax) for instance in target.instances]
    response = StreamingHttpResponse(zip_of(ways), content_type=ZIP)
    response["Content-Disposition"] = f'attachment; filename="{target.name}.zip"'
    return response


@require_safe
@answers_errors
def metadata(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> HttpResponseBase:
    """Data sets without bulk data, as JSON or XML."""
    target = find_target(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    kind = chosen(request, DATA_SETS)
    etag = target.etag(f"metadata {kind}")
    if request.META.get("HTTP_IF_NONE_MATCH") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    _record(request, Event.TAGS_VIEWED, target)
    if sop_instance_uid:
        response = data_sets(request, [metadata_of_instance(target.instances[0])])
    elif kind == XML:
        response = data_sets(request, (metadata_of_instance(one) for one in target.instances))
    else:
        response = _joined(request, [metadata_of_series(one, target) for one in target.series], kind)
    response["ETag"] = etag
    return response


def _joined(request: HttpRequest, series: list[Gzipped], kind: str) -> HttpResponseBase:
    """Kept metadata of each series as one JSON array; of a single series it is sent as it lies."""
    accepts_gzip = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    whole = series[0] if len(series) == 1 else Gzipped.join(series)
    response = HttpResponse(whole.packed if accepts_gzip else whole.unpacked(), content_type=kind)
    if accepts_gzip:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept, Accept-Encoding"
    return response


@require_safe
@answers_errors
def frames(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, numbers: str
) -> HttpResponseBase:
    """Frames of an instance, decoded or as they are encoded."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    image = encodings.EncodedFrames(target.instances[0], bulk_data.frame_numbers(numbers))
    for one in by_preference(request):
        if (kind := image.kind_for(one)) is None:
            continue
        parts = image.parts(kind)
        if not one.multipart and one.kind == kind.media_type and len(image.numbers) == 1:
            content_type, _headers, content = next(iter(parts))
            return HttpResponse(b"".join(content), content_type=content_type)
        return multipart(parts, kind=kind.media_type)
    raise NotAcceptable(f"The frames are given as {', '.join(image.offers())}.")


@require_safe
@answers_errors
def bulk(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, place: str
) -> HttpResponseBase:
    """The value of one element that metadata names by its address."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    instance = target.instances[0]
    for one in by_preference(request):
        if one.specificity(OCTETS):
            value = bulk_data.value_at(instance, place)
            if one.multipart:
                return multipart([(OCTETS, {}, [value])], kind=OCTETS)
            return HttpResponse(value, content_type=OCTETS)
    raise NotAcceptable(f"Bulk data is given as {OCTETS}.")


def downloadable(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str
) -> Target:
    """The target, if the one who asks may take the originals away."""
    target = find_target(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    if not may_download(user_of(request), target.study):
        raise Forbidden("You may look at this study, but not take its files.")
    _record(request, Event.EXPORTED, target)
    return target


def _record(request: HttpRequest, event: Event, target: Target) -> None:
    record_event(
        event,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=target.study.study_instance_uid,
        subject=target.name,
        details={"door": "wado-rs", "instances": len(target.instances)},
    )
