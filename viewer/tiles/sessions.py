"""Who is asking for a tile: the session, looked up at most every five seconds in each process."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.utils.crypto import constant_time_compare

from archive.models import Study, User
from pacs_portal.middleware import needs_second_factor

KEPT_S = 5.0
"""How long a decision about a session or a right is kept in a process."""
MOST_KEPT = 4096

_SessionStore: Any = import_module(settings.SESSION_ENGINE).SessionStore


@dataclass(frozen=True, slots=True)
class Viewing:
    """A signed-in person and the key that their tile addresses carry."""

    user: User
    tile_key: str
    seen_at: float | None


class KeptForSeconds:
    """Decisions with the moment they were made."""

    def __init__(self, seconds: float = KEPT_S) -> None:
        self._seconds = seconds
        self._values: dict[Any, tuple[float, Any]] = {}

    def get(self, key: Any) -> Any:
        made_at, value = self._values.get(key, (float("-inf"), None))
        return value if time.monotonic() - made_at < self._seconds else None

    def put(self, key: Any, value: Any) -> None:
        if len(self._values) >= MOST_KEPT:
            self._values.clear()
        self._values[key] = (time.monotonic(), value)

    def clear(self) -> None:
        self._values.clear()


_sessions = KeptForSeconds()
_rights = KeptForSeconds()
series_kept = KeptForSeconds()
"""Series with their study, by stack id and by the UIDs of study and series; used for pictures alone."""


def tile_key(session_key: str) -> str:
    """A name of the session that tells nothing of its cookie."""
    return hmac.new(settings.SECRET_KEY.encode(), f"tiles {session_key}".encode(), hashlib.sha256).hexdigest()[:16]


def viewing_of(session_key: str | None) -> Viewing | None:
    """The person behind a session cookie, None where nobody is signed in."""
    if not session_key:
        return None
    kept = _sessions.get(session_key)
    if kept is None:
        kept = _load(session_key) or False
        _sessions.put(session_key, kept)
    return kept or None


def _load(session_key: str) -> Viewing | None:
    session = _SessionStore(session_key)
    try:
        user_id, backend = session[SESSION_KEY], session[BACKEND_SESSION_KEY]
    except KeyError:
        return None
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(backend).get_user(User._meta.pk.to_python(user_id))
    if user is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None
    if needs_second_factor(user):
        return None
    return Viewing(user=user, tile_key=tile_key(session_key), seen_at=session.get("seen_at"))


def may_see(user: User, study_id: int) -> bool:
    """``visible_to`` for one study, kept for five seconds."""
    key = (user.pk, study_id)
    kept = _rights.get(key)
    if kept is None:
        kept = Study.objects.visible_to(user).filter(pk=study_id).exists()
        _rights.put(key, kept)
    return bool(kept)


def forget(session_key: str | None = None) -> None:
    """Forget at once what this process keeps: at sign-out, and in tests."""
    _sessions.clear()
    if session_key is None:
        _rights.clear()
        series_kept.clear()
