"""A stored video as the stream that it is, in the parts that a player asks for (RFC 9110 14)."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from archive.access.roles import user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.transfer_syntaxes import is_video
from archive.errors import ArchiveError
from archive.storage.frames import stored_stream
from pacs_portal.middleware import client_address
from viewer.api.instances import unreadable, visible_instance
from viewer.rendering.media_types import video_container

ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@require_safe
def video(request: HttpRequest, sop_instance_uid: str) -> HttpResponseBase:
    """All of the stream, or one range of its bytes; several ranges at once are answered with all of it."""
    instance = visible_instance(request, sop_instance_uid)
    if not is_video(instance.stored_file.transfer_syntax_uid):
        raise Http404("There is no such video.")
    try:
        stream = stored_stream(instance.stored_file.key)
        media_type = video_container(stream.head(), instance.stored_file.transfer_syntax_uid)
    except (ArchiveError, OSError):
        return unreadable()
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    first, last = _range(asked, stream.size) if asked else (0, stream.size - 1)
    if not 0 <= first <= last:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{stream.size}"})
    if first == 0:
        record_event(
            Event.STUDY_VIEWED,
            user=user_of(request),
            address=client_address(request),
            study_instance_uid=instance.series.study.study_instance_uid,
            subject=sop_instance_uid,
        )
    blocks = stream.blocks(first, last + 1)
    response = StreamingHttpResponse(
        blocks, status=206 if asked else 200, content_type=media_type or "application/octet-stream"
    )
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(last + 1 - first)
    if asked:
        response["Content-Range"] = f"bytes {first}-{last}/{stream.size}"
    response["Cache-Control"] = "no-store"
    return response


def _range(asked: re.Match[str], size: int) -> tuple[int, int]:
    """First and last byte that a range means; the last before the first where it means none."""
    start, end = asked.groups()
    if not start:
        return (max(0, size - int(end)), size - 1) if end and int(end) else (0, -1)
    return int(start), min(int(end or size), size - 1)
