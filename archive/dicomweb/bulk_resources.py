"""``…/pixeldata`` and ``…/bulkdata`` of a study, a series or an instance (PS3.18 10.4.1.1.5, 10.4.1.1.6): all of it at once.

Each part names in Content-Location the address at which it alone is had.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from archive.audit.events import Event
from archive.dicom.accept import MediaRange
from archive.dicomweb import bulk_data, encodings
from archive.dicomweb.conditional import not_modified, unchanged, weak
from archive.dicomweb.errors import NotAcceptable, NotFound
from archive.dicomweb.metadata_files import metadata_of_instance
from archive.dicomweb.qido import address_of
from archive.dicomweb.responses import Part, answers_errors, by_preference, multipart
from archive.dicomweb.wado import OCTETS, downloadable, record_retrieval, tagged
from archive.models import Instance

Frames = tuple[Instance, encodings.EncodedFrames, encodings.Kind]


@answers_errors
def pixel_data(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> HttpResponseBase:
    """Every frame of every image, one a part: decoded, or as it is encoded."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    images = [(one, encodings.EncodedFrames(one, range(1, one.frames + 1))) for one in target.instances if one.frames]
    if not images:
        raise NotFound("Nothing of it has pixel data.")
    for wanted in by_preference(request):
        chosen = _kinds(images, wanted)
        if chosen is None:
            continue
        etag = target.etag(f"pixel data {' '.join(f'{kind} {one.stored_file.key}' for one, _, kind in chosen)}")
        if not_modified(request, etag):
            return unchanged(weak(etag))
        record_retrieval(request, Event.EXPORTED, target)
        return tagged(multipart(_frames(chosen), kind=chosen[0][2].media_type), etag)
    offers = dict.fromkeys(offer for _, image in images for offer in image.offers())
    raise NotAcceptable(f"The pixel data is given as multipart/related of {', '.join(offers)}.")


def _kinds(images: list[tuple[Instance, encodings.EncodedFrames]], wanted: MediaRange) -> list[Frames] | None:
    """The form of each image that suits a media range; None where one of them is not to be had so."""
    found = [(one, image, kind) for one, image in images if (kind := image.kind_for(wanted)) is not None]
    return found if len(found) == len(images) else None


def _frames(chosen: list[Frames]) -> Iterator[Part]:
    for instance, image, kind in chosen:
        address = _address(instance)
        for number, (content_type, headers, content) in zip(image.numbers, image.parts(kind), strict=True):
            yield content_type, {**headers, "Content-Location": f"{address}/frames/{number}"}, content


@answers_errors
def all_bulk_data(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> HttpResponseBase:
    """Every value that the metadata names by an address."""
    target = downloadable(request, study_instance_uid, series_instance_uid, sop_instance_uid)
    if not any(one.specificity(OCTETS) for one in by_preference(request)):
        raise NotAcceptable(f'Bulk data is given as multipart/related; type="{OCTETS}".')
    etag = target.etag(f"bulk data {' '.join(one.stored_file.key for one in target.instances)}")
    if not_modified(request, etag):
        return unchanged(weak(etag))
    record_retrieval(request, Event.EXPORTED, target)
    parts = (part for one in target.instances for part in _values(one))
    return tagged(multipart(parts, kind=OCTETS), etag)


def _values(instance: Instance) -> Iterator[Part]:
    for uri in _addresses(metadata_of_instance(instance)):
        place = uri.rpartition("/bulkdata/")[2]
        yield OCTETS, {"Content-Location": uri}, [bulk_data.value_at(instance, place)]


def _addresses(model: dict[str, Any]) -> Iterator[str]:
    for element in model.values():
        if uri := element.get("BulkDataURI"):
            yield uri
        elif element.get("vr") == "SQ":
            for item in element.get("Value", ()):
                yield from _addresses(item)


def _address(instance: Instance) -> str:
    series = instance.series
    return address_of(series.study.study_instance_uid, series.series_instance_uid, instance.sop_instance_uid)
