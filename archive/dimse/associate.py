"""Read of an A-ASSOCIATE-RQ what decides about it, before anything else looks at it (PS3.8 9.3.2)."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
"""DICOM's only application context name (PS3.7 A.2.1)."""

HEAD_BYTES = 6
"""PDU type, reserved, length."""
FIXED_BYTES = 74
"""The PDU up to its variable items."""
VERSION_OFFSET = 6
APPLICATION_CONTEXT_ITEM = 0x10

AE_TITLE = re.compile(r"[\x20-\x5b\x5d-\x7e]{1,16}")
"""PS3.5 6.2, VR AE: no control characters, no backslash; not only spaces."""


class AssociateRequest(NamedTuple):
    """The head of an A-ASSOCIATE-RQ."""

    protocol_version: int
    called_ae_title: str
    """Without padding; empty where it is no AE title."""
    calling_ae_title: str
    application_context: str
    """Empty where there is none or it cannot be read."""

    @property
    def speaks_version_1(self) -> bool:
        """PS3.8 9.3.2: only bit 0 is tested."""
        return bool(self.protocol_version & 1)


def read_associate_request(pdu: bytes | bytearray) -> AssociateRequest:
    """Read the fixed fields and the application context of a whole PDU of at least ``FIXED_BYTES``."""
    version, called, calling = struct.unpack_from(">H2x16s16s", pdu, VERSION_OFFSET)
    return AssociateRequest(version, _ae_title(called), _ae_title(calling), _application_context(pdu))


def with_version_1(pdu: bytes | bytearray) -> bytes:
    """Return the PDU with the other versions' bits cleared: pynetdicom compares the whole number."""
    return bytes(pdu[:VERSION_OFFSET]) + b"\0\1" + bytes(pdu[VERSION_OFFSET + 2 :])


def _ae_title(field: bytes) -> str:
    title = field.rstrip(b"\0 ").decode("latin-1").strip(" ")
    return title if AE_TITLE.fullmatch(title) else ""


def _application_context(pdu: bytes | bytearray) -> str:
    offset = FIXED_BYTES
    while offset + 4 <= len(pdu):
        kind, length = struct.unpack_from(">BxH", pdu, offset)
        offset += 4
        if kind == APPLICATION_CONTEXT_ITEM:
            return bytes(pdu[offset : offset + length]).rstrip(b"\0 ").decode("latin-1")
        offset += length
    return ""
