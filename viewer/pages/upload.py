"""Upload: the page, the address that takes one file, and what became of the files once they are indexed."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.access.roles import user_of
from archive.access.rules import may_upload, uploads_are_held
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.errors import ArchiveError, BacklogFull, ObjectTooLarge, OutOfSpace, StorageFailed
from archive.models import Instance, QuarantinedFile, Study, User
from archive.receiving.dicomdir import Readable
from archive.receiving.sources import Door, Origin
from archive.receiving.upload import Report, UploadCut, WholeStream, largest_upload, take, too_large_words
from archive.storage import layout
from pacs_portal.middleware import client_address

BLOCK = 1 << 20
MOST_INDEXED = 20_000
"""Images of a DICOMDIR that an answer names."""
MOST_ASKED = 2_000
"""Images of one question about their outcome; a parameter of a query each."""
RECENT = timedelta(days=1)
BATCH = re.compile(r"[0-9a-f]{32}")

STATUSES: dict[type[ArchiveError], int] = {
    ObjectTooLarge: 413,
    OutOfSpace: 507,
    StorageFailed: 507,
    BacklogFull: 503,
    UploadCut: 400,
}
"""Refusals of the whole request; what is wrong with a file is a verdict and not a failure."""


@require_safe
def upload_page(request: HttpRequest) -> HttpResponse:
    """The place to drop files on."""
    if not may_upload(user_of(request)):
        return render(request, "worklist/no_role.html", status=403)
    limit = largest_upload()
    context = {
        "limit": limit,
        "limit_gib": limit / 2**30,
        "is_held": uploads_are_held(user_of(request)),
        "upload_address": reverse("upload-file"),
        "outcome_address": reverse("upload-outcome"),
    }
    return render(request, "upload/page.html", context)


@require_http_methods(["PUT"])
def upload_file(request: HttpRequest) -> HttpResponseBase:
    """Take one file: an image, a ZIP file or an index. The answer is one line of JSON for each file that was in it."""
    if not may_upload(user_of(request)):
        return JsonResponse({"error": "You may not upload images."}, status=403)
    return take_file(request, origin_of(request), Notes(request, user=user_of(request)))


def announced_size(request: HttpRequest) -> int | JsonResponse:
    """Bytes of the file that comes, or why it cannot come."""
    size = request.META.get("CONTENT_LENGTH") or ""
    if not size.isdigit():
        return JsonResponse({"error": "The size of the file must be announced (Content-Length)."}, status=411)
    if int(size) > largest_upload():
        return JsonResponse({"error": too_large_words()}, status=413)
    return int(size)


def take_file(request: HttpRequest, origin: Origin, notes: Notes) -> HttpResponseBase:
    """Take the body of a request; what comes with whom is already known to be allowed."""
    size = announced_size(request)
    if isinstance(size, JsonResponse):
        return size
    stream = WholeStream(request, size)
    reports = take(stream, origin)
    try:
        first = next(reports, None)
        drain(stream)
    except tuple(STATUSES) as error:
        drain(stream, is_wanted=False)
        return refused(error)
    lines = answer(chain([first] if first else [], reports), notes)
    return StreamingHttpResponse(lines, content_type="application/x-ndjson")


def origin_of(request: HttpRequest) -> Origin:
    return Origin(
        door=Door.UPLOAD,
        address=client_address(request),
        user_id=user_of(request).pk,
        hold_for_review=uploads_are_held(user_of(request)),
    )


def drain(stream: Readable, *, is_wanted: bool = True) -> None:
    """Read the rest of what was refused by its first bytes: a browser hears no answer while it sends.

    Raises
    ------
    UploadCut
        The sender went away, and the file was wanted.
    """
    try:
        while stream.read(BLOCK):
            pass
    except UploadCut:
        if is_wanted:
            raise


def refused(error: ArchiveError) -> JsonResponse:
    """The refusal of a whole request, in words."""
    response = JsonResponse({"error": str(error)}, status=STATUSES[type(error)])
    if response.status_code == 503:
        response["Retry-After"] = "30"
    return response


def answer(reports: Iterable[Report], notes: Notes) -> Iterator[bytes]:
    """One line for each report as it comes; the last one says so where the rest could not be taken."""
    try:
        for report in reports:
            notes.add(report)
            yield line_of(report)
    except tuple(STATUSES) as error:
        yield json.dumps({"error": f"{error} The rest of the file was not taken."}).encode() + b"\n"
    finally:
        notes.keep()


def line_of(report: Report) -> bytes:
    values: dict[str, Any] = {
        "verdict": report.verdict.value,
        "words": report.words,
        "name": report.shown_name,
        "SOPInstanceUID": report.sop_instance_uid,
        "StudyInstanceUID": report.study_instance_uid,
        "members": report.of,
    }
    if report.index is not None:
        values["indexed"] = report.index.sop_instance_uids[:MOST_INDEXED]
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


class Notes:
    """What the audit trail keeps of an upload: one event a study, however many files it came in."""

    def __init__(self, request: HttpRequest, *, user: User | None, actor: str = "") -> None:
        self._user = user
        self._actor = actor
        self._address = client_address(request)
        batch = request.headers.get("X-Upload-Batch", "")
        self._batch = batch if BATCH.fullmatch(batch) else ""
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, report: Report) -> None:
        if report.study_instance_uid:
            self._counts[report.study_instance_uid][report.verdict.value] += 1

    def keep(self) -> None:
        for study_instance_uid, counts in self._counts.items():
            if sum(counts.values()) == 1 and not self._is_first_of_batch(study_instance_uid):
                continue
            record_event(
                Event.UPLOADED,
                user=self._user,
                actor=self._actor,
                address=self._address,
                study_instance_uid=study_instance_uid,
                details={"batch": self._batch, **counts},
            )

    def _is_first_of_batch(self, study_instance_uid: str) -> bool:
        """A folder of a thousand files is a thousand requests, and one upload."""
        if not self._batch:
            return True
        name = layout.digest_of(f"{self._user.pk if self._user else self._actor} {self._batch} {study_instance_uid}")
        return bool(cache.add(f"upload-{name}", 1, timeout=RECENT.total_seconds()))


# --- What became of them ----------------------------------------------------------------------------------------------


@require_POST
def outcome(request: HttpRequest) -> JsonResponse:
    """Of some images that were just uploaded: how many show, in which studies, and which are held back."""
    if not may_upload(user_of(request)):
        return JsonResponse({"error": "You may not upload images."}, status=403)
    uids = asked_for(request.body)
    if uids is None:
        words = f"Expected a JSON object with a list 'instances' of at most {MOST_ASKED} SOP Instance UIDs."
        return JsonResponse({"error": words}, status=400)
    held = held_among(uids)
    shown = shown_among(uids, user_of(request))
    known = set(Instance.objects.filter(sop_instance_uid__in=uids).values_list("sop_instance_uid", flat=True))
    waiting = len(set(uids) - known - set(held))
    return JsonResponse({"waiting": waiting, "held": held, "studies": [in_json(study, n) for study, n in shown]})


def asked_for(body: bytes) -> list[str] | None:
    try:
        values = json.loads(body)
        uids = values["instances"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(uids, list) or len(uids) > MOST_ASKED or not all(isinstance(uid, str) for uid in uids):
        return None
    return uids


def held_among(uids: list[str]) -> dict[str, str]:
    """Why each of some recently uploaded images is held back."""
    rows = QuarantinedFile.objects.filter(
        sop_instance_uid__in=uids,
        door=Door.UPLOAD.value,
        state=QuarantinedFile.State.HELD,
        received_at__gt=timezone.now() - RECENT,
    )
    return {row.sop_instance_uid: row.get_reason_display() for row in rows}


def shown_among(uids: list[str], who: User) -> list[tuple[Study, int]]:
    """Studies that hold some of the images and that the person may open, with how many of them."""
    of_study = Counter(
        Instance.objects.shown().filter(sop_instance_uid__in=uids).values_list("series__study_id", flat=True)
    )
    studies = Study.objects.visible_to(who).filter(pk__in=of_study)
    return [(study, of_study[study.pk]) for study in studies.order_by("-study_date", "pk")]


def in_json(study: Study, count: int) -> dict[str, Any]:
    return {
        "StudyInstanceUID": study.study_instance_uid,
        "date": format_date(study.study_date),
        "modalities": study.modality_list(),
        "description": study.study_description,
        "instances": count,
    }
