"""Bearer tokens of the site's identity provider (OAuth 2 access tokens as JSON Web Tokens, RFC 9068), where it has one.

The portal checks signature, issuer, audience and time, and knows who it is by one claim; whom it does not know, it does
not make. Scopes are ``portal:read``, ``portal:store`` and ``portal:all``; a token without one opens nothing.
"""

from __future__ import annotations

import json
import logging
import threading
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jwt
from django.conf import settings

from archive.models import AccessToken, User

logger = logging.getLogger(__name__)

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures alone: with a shared secret, whoever can check a token could make one."""
SCOPES: Final = {
    f"portal:{scope}": scope.value for scope in (AccessToken.Scope.READ, AccessToken.Scope.STORE, AccessToken.Scope.ALL)
}
LEEWAY_S: Final = 30
"""By how much the clocks of the two may differ."""
KEYS_KEPT_S: Final = 300
PATIENCE_S: Final = 5
LONGEST: Final = 16_384
"""Characters of a token."""


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A token that is good: who, and what for."""

    user: User
    scopes: frozenset[str]


def find_identity_token(text: str) -> IdentityToken | None:
    """Whom a token of the identity provider names; None where it is none that is good here, or there is no provider."""
    if not settings.PORTAL_OIDC_ISSUER or text.count(".") != 2 or len(text) > LONGEST:
        return None
    try:
        claims = jwt.decode(
            text,
            _keys().signing_key(text),
            algorithms=list(ALGORITHMS),
            issuer=settings.PORTAL_OIDC_ISSUER,
            audience=settings.PORTAL_OIDC_AUDIENCE,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iss", "aud", settings.PORTAL_OIDC_USER_CLAIM]},
        )
    except (jwt.PyJWTError, OSError, ValueError) as error:
        logger.info("a token of the identity provider is refused: %s", type(error).__name__)
        return None
    user = User.objects.filter(username=str(claims[settings.PORTAL_OIDC_USER_CLAIM]), is_active=True).first()
    return IdentityToken(user, _scopes_of(claims)) if user is not None else None


def _scopes_of(claims: dict[str, Any]) -> frozenset[str]:
    """``scope`` is a text with spaces (RFC 9068 2.2.3); some providers give a list, or call it ``scp``."""
    said = claims.get("scope", claims.get("scp", ""))
    words = said.split() if isinstance(said, str) else [str(one) for one in said] if isinstance(said, list) else []
    return frozenset(SCOPES[word] for word in words if word in SCOPES)


class _KeySet:
    """The provider's keys: out of a file, or asked for and kept for some minutes."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._client: jwt.PyJWKClient | None = None

    def signing_key(self, token: str) -> Any:
        if not self._place.startswith(("https://", "http://")) and self._place:
            return _key_of(token, json.loads(Path(self._place).read_text(encoding="utf-8")))
        with self._lock:
            if self._client is None:
                place = self._place or _announced_keys()
                self._client = jwt.PyJWKClient(place, lifespan=KEYS_KEPT_S, timeout=PATIENCE_S)
        return self._client.get_signing_key_from_jwt(token).key


def _key_of(token: str, document: dict[str, Any]) -> Any:
    wanted = jwt.get_unverified_header(token).get("kid")
    for key in jwt.PyJWKSet.from_dict(document).keys:
        if key.key_id == wanted:
            return key.key
    raise jwt.InvalidKeyError("The token names no key of the set.")


def _announced_keys() -> str:
    """Address of the keys, as the provider announces it (OpenID Connect Discovery 1.0, 4)."""
    address = f"{settings.PORTAL_OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration"
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:  # noqa: S310 - the site's own setting
        return str(json.loads(answer.read(1 << 20))["jwks_uri"])


@lru_cache(maxsize=4)
def _key_set(place: str) -> _KeySet:
    return _KeySet(place)


def _keys() -> _KeySet:
    return _key_set(settings.PORTAL_OIDC_KEYS)
