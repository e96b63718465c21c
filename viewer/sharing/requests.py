"""Requests for images: a link by which somebody without an account sends studies in, to wait in quarantine."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive.access.rules import may_upload
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import User
from viewer.models import UploadRequest
from viewer.sharing.errors import CannotShare, LinkEnded
from viewer.sharing.links import policy
from viewer.sharing.secrets import digest_of, new_secret

MOST_FILES = 20_000
MOST_GIB = 50
LONGEST_SENDER = 80
LONGEST_PURPOSE = 200


def make_request(
    *, sender: str, purpose: str, days: int, gib: int, files: int, by: User, address: str
) -> tuple[str, UploadRequest]:
    """Make a request; its secret is returned this once.

    Raises
    ------
    CannotShare
    """
    longest = policy().longest_days_of_requests
    if not may_upload(by):
        raise CannotShare("You may not ask for images.")
    if not sender or len(sender) > LONGEST_SENDER or len(purpose) > LONGEST_PURPOSE:
        raise CannotShare("Write who is to send images, in at most 80 characters, and what for, in at most 200.")
    if not 1 <= days <= longest:
        raise CannotShare(f"A request ends after 1 to {longest} days.")
    if not (1 <= gib <= MOST_GIB and 1 <= files <= MOST_FILES):
        raise CannotShare(f"A request takes at most {MOST_GIB} GiB in at most {MOST_FILES} files.")
    secret, digest = new_secret()
    with transaction.atomic():
        made = UploadRequest.objects.create(
            maker=by,
            sender=sender,
            purpose=purpose,
            digest=digest,
            expires_at=timezone.now() + timedelta(days=days),
            most_files=files,
            most_bytes=gib << 30,
        )
        record_event(Event.LINK_MADE, user=by, address=address, subject=f"upload request {made.pk}")
    return secret, made


def find_request(secret: str) -> UploadRequest:
    """The request that is open now.

    Raises
    ------
    LinkEnded
        There is none, whatever the reason.
    """
    found = UploadRequest.objects.select_related("maker").filter(digest=digest_of(secret), revoked_at__isnull=True)
    request = found.filter(expires_at__gt=timezone.now()).first()
    if request is None or not may_upload(request.maker):
        raise LinkEnded
    return request


def reserve(request: UploadRequest, size: int) -> bool:
    """Count a file before it is taken; False where it would be more than was asked for."""
    room = UploadRequest.objects.filter(
        pk=request.pk,
        revoked_at__isnull=True,
        files__lt=F("most_files"),
        bytes__lte=F("most_bytes") - size,
    )
    taken = room.update(files=F("files") + 1, bytes=F("bytes") + size, last_used_at=timezone.now())
    return bool(taken)


def revoke_request(request: UploadRequest, *, by: User, address: str) -> bool:
    """End a request at once; False where it had been ended before."""
    with transaction.atomic():
        running = UploadRequest.objects.filter(pk=request.pk, revoked_at__isnull=True)
        ended = running.update(revoked_at=timezone.now())
        if ended:
            record_event(Event.LINK_ENDED, user=by, address=address, subject=f"upload request {request.pk}")
    return bool(ended)
