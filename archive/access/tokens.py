"""Bearer tokens (RFC 6750): made once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import AccessToken, User

LIFETIME: Final = timedelta(days=90)
LONGEST_LIFETIME: Final = timedelta(days=366)
USED_EVERY: Final = timedelta(minutes=1)
"""The last use is written at most this often."""
PREFIX: Final = "portal-"
"""So that scanners for leaked secrets recognise one."""


def make_token(
    user: User, scope: AccessToken.Scope, *, label: str = "", lifetime: timedelta = LIFETIME, made_by: str = ""
) -> tuple[str, AccessToken]:
    """Make a token; its text is returned this once and cannot be found again."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(
        user=user,
        scope=scope,
        label=label,
        digest=_digest(text),
        expires_at=timezone.now() + min(lifetime, LONGEST_LIFETIME),
    )
    record_event(
        Event.RIGHTS_CHANGED,
        actor=made_by,
        subject=f"access token {token.pk}",
        details={"for": user.get_username(), "scope": str(scope), "expires": token.expires_at.isoformat()},
    )
    return text, token


def find_token(text: str) -> AccessToken | None:
    """The token that is good now, with its user; None for one that is unknown, expired or revoked, or whose user is."""
    now = timezone.now()
    token = (
        AccessToken.objects.select_related("user")
        .filter(digest=_digest(text), revoked_at__isnull=True, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if token is not None:
        unwritten = Q(used_at__isnull=True) | Q(used_at__lt=now - USED_EVERY)
        if token.used_at is None or token.used_at < now - USED_EVERY:
            AccessToken.objects.filter(unwritten, pk=token.pk).update(used_at=now)
    return token


def allows(scopes: Iterable[str], *, is_safe: bool, is_store: bool) -> bool:
    """Whether one of a token's scopes covers a request: one that only reads, or one that stores instances."""
    covered = {AccessToken.Scope.ALL.value: True, AccessToken.Scope.READ.value: is_safe}
    covered[AccessToken.Scope.STORE.value] = is_store
    return any(covered.get(scope, False) for scope in scopes)


def revoke(tokens: list[AccessToken], *, by: User, address: str) -> int:
    """End tokens at once; returns how many were still good."""
    revoked = 0
    for token in tokens:
        if AccessToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            revoked += 1
            record_event(
                Event.RIGHTS_CHANGED,
                user=by,
                address=address,
                subject=f"access token {token.pk}",
                details={"revoked": True, "for": token.user.get_username()},
            )
    return revoked


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
