"""WADO-RS (PS3.18 10.4): instances, metadata, frames and bulk data of a study, a series or an instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from archive.access.roles import user_of
from archive.access.rules import may_download
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.accept import MediaRange
from archive.dicomweb import bulk_data, encodings
from archive.dicomweb.conditional import accepts_gzip, not_modified, single_part, unchanged, weak
from archive.dicomweb.errors import Forbidden, NotAcceptable, NotFound
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
from archive.storage.outgoing import open_outgoing
from pacs_portal.middleware import client_address

DICOM: Final = "application/dicom"
ZIP: Final = "application/zip"
OCTETS: Final = "application/octet-stream"


@answers_errors
def instances(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> HttpResponseBase:
    """The instances of a target as DICOM files: multipart, a single one, or a ZIP file."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    for one in by_preference(request):
        if one.specificity(DICOM):
            return _as_files(request, target, one)
        if one.specificity(ZIP):
            return _as_zip(request, target, one)
    raise NotAcceptable(f'The answer is given as multipart/related; type="{DICOM}", {DICOM} or {ZIP}.')


def _as_files(request: HttpRequest, target: Target, wanted: MediaRange) -> HttpResponseBase:
    """Multipart, unless exactly one file is there and a bare ``application/dicom`` is asked for (PS3.18 8.7.1)."""
    ways = [encodings.way_of(instance, wanted.transfer_syntax) for instance in target.instances]
    etag = _etag(target, ways)
    if wanted.multipart or wanted.kind != DICOM:
        if not_modified(request, etag):
            return unchanged(weak(etag))
        record_retrieval(request, Event.EXPORTED, target)
        return tagged(multipart((_file_part(way) for way in ways), kind=DICOM), etag)
    if len(ways) != 1:
        raise NotAcceptable(f'{len(ways)} instances are given as multipart/related; type="{DICOM}" or {ZIP}.')
    if not_modified(request, etag):
        return unchanged(etag)
    record_retrieval(request, Event.EXPORTED, target)
    response = _as_file(request, ways[0], etag)
    response["Content-Disposition"] = f'attachment; filename="{ways[0].instance.sop_instance_uid}.dcm"'
    return response


def _as_file(request: HttpRequest, way: encodings.Way, etag: str) -> HttpResponseBase:
    """One file, of which a range may be asked for where it lies as it goes out."""
    if not way.is_stored_so:
        return tagged(StreamingHttpResponse(way.blocks(), content_type=way.content_type), etag)
    try:
        outgoing = open_outgoing(way.instance)
    except OSError:
        raise NotFound("The file of this instance cannot be read; an alarm has been raised.") from None
    return single_part(request, outgoing.blocks, size=outgoing.size, content_type=way.content_type, etag=etag)


def _etag(target: Target, ways: Iterable[encodings.Way]) -> str:
    """Changes with what is given, and with the files that it is made of."""
    return target.etag(" ".join(f"{way.transfer_syntax_uid} {way.instance.stored_file.key}" for way in ways))


def tagged(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """The same data sets, in bytes that may differ each time."""
    response["ETag"] = weak(etag)
    return response


def _file_part(way: encodings.Way) -> Part:
    series = way.instance.series
    location = address_of(series.study.study_instance_uid, series.series_instance_uid, way.instance.sop_instance_uid)
    return way.content_type, {"Content-Location": location}, way.blocks()


def _as_zip(request: HttpRequest, target: Target, wanted: MediaRange) -> HttpResponseBase:
    syntax = wanted.transfer_syntax or encodings.AS_STORED
    ways = [encodings.way_of(instance, syntax) for instance in target.instances]
    etag = _etag(target, ways)
    if not_modified(request, etag):
        return unchanged(weak(etag))
    record_retrieval(request, Event.EXPORTED, target)
    response = StreamingHttpResponse(zip_of(ways), content_type=ZIP)
    response["Content-Disposition"] = f'attachment; filename="{target.name}.zip"'
    return tagged(response, etag)


@answers_errors
def metadata(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> HttpResponseBase:
    """Data sets without bulk data, as JSON or XML."""
    target = find_target(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    kind = chosen(request, DATA_SETS)
    etag = target.etag(f"metadata {kind}")
    if not_modified(request, etag):
        return unchanged(etag)
    record_retrieval(request, Event.TAGS_VIEWED, target)
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
    is_packed = accepts_gzip(request)
    whole = series[0] if len(series) == 1 else Gzipped.join(series)
    response = HttpResponse(whole.packed if is_packed else whole.unpacked(), content_type=kind)
    if is_packed:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept, Accept-Encoding"
    return response


@answers_errors
def frames(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, frames: str
) -> HttpResponseBase:
    """Frames of an instance, decoded or as they are encoded."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    image = encodings.EncodedFrames(target.instances[0], bulk_data.frame_numbers(frames))
    for one in by_preference(request):
        if (kind := image.kind_for(one)) is None:
            continue
        etag = target.etag(f"frames {frames} {kind} {target.instances[0].stored_file.key}")
        if not_modified(request, etag):
            return unchanged(etag)
        parts = image.parts(kind)
        record_retrieval(request, Event.EXPORTED, target)
        if not one.multipart and one.kind == kind.media_type and len(image.numbers) == 1:
            content_type, _headers, content = next(iter(parts))
            value = b"".join(content)
            return single_part(request, value, size=len(value), content_type=content_type, etag=etag)
        return tagged(multipart(parts, kind=kind.media_type), etag)
    raise NotAcceptable(f"The frames are given as {', '.join(image.offers())}.")


@answers_errors
def bulk(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, place: str
) -> HttpResponseBase:
    """The value of one element that metadata names by its address."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    instance = target.instances[0]
    etag = target.etag(f"bulk data {place} {instance.stored_file.key}")
    for one in by_preference(request):
        if not one.specificity(OCTETS):
            continue
        value = bulk_data.value_at(instance, place)
        if not_modified(request, etag):
            return unchanged(etag)
        record_retrieval(request, Event.EXPORTED, target)
        if one.multipart:
            return tagged(multipart([(OCTETS, {}, [value])], kind=OCTETS), etag)
        return single_part(request, value, size=len(value), content_type=OCTETS, etag=etag)
    raise NotAcceptable(f"Bulk data is given as {OCTETS}.")


def downloadable(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str
) -> Target:
    """The target, if the one who asks may take the originals away."""
    target = find_target(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    if not may_download(user_of(request), target.study):
        raise Forbidden("You may look at this study, but not take its files.")
    return target


def record_retrieval(request: HttpRequest, event: Event, target: Target) -> None:
    record_event(
        event,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=target.study.study_instance_uid,
        subject=target.name,
        details={"door": "wado-rs", "instances": target.count},
    )
