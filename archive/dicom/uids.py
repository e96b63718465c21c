"""Unique identifiers (PS3.5 9): what is one, and new ones of ours."""

from __future__ import annotations

import re
import uuid
from typing import Final

MAXIMUM_UID_LENGTH: Final = 64

IMPLEMENTATION_CLASS_UID: Final = "2.25.266106373346466839337424208926128219337"
"""Names this software in group 0002 and in association requests (PS3.7 D.3.3.2)."""

IMPLEMENTATION_VERSION_NAME: Final = "PACS_PORTAL_1"

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def is_valid_uid(uid: str) -> bool:
    """Digits and dots, at most 64 characters, no empty component.

    PS3.5 9.1 also forbids leading zeros in a component; archives are full of
    such UIDs and refusing them would lose images, so they are taken.

    >>> is_valid_uid("1.2.840.10008.1.1"), is_valid_uid("1.2.03"), is_valid_uid("1..2"), is_valid_uid("")
    (True, True, False, False)
    """
    return len(uid) <= MAXIMUM_UID_LENGTH and _UID.fullmatch(uid) is not None


def new_uid() -> str:
    """Return a UID that nobody else has: 2.25 and a random UUID as a number (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def uid_from(*sources: str) -> str:
    """The same UID for the same texts: name-based (PS3.5 B.2, RFC 9562 UUID version 5)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, chr(0).join(sources)).int}"
