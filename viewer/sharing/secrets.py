"""Secrets of links: 256 random bits in the address, a digest in the database."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from django.utils.crypto import constant_time_compare

BYTES: Final = 32
LONGEST: Final = 64
"""Characters of what is looked up; a longer one is none of ours."""


def new_secret() -> tuple[str, str]:
    """A secret for an address or a cookie, and the digest that is kept."""
    text = secrets.token_urlsafe(BYTES)
    return text, digest_of(text)


def digest_of(text: str) -> str:
    return hashlib.sha256(text[:LONGEST].encode("utf-8", "replace")).hexdigest()


def is_secret_of(text: str, digest: str) -> bool:
    return constant_time_compare(digest_of(text), digest)
