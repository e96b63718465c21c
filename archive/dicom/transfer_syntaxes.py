"""Transfer syntaxes (PS3.5 10, PS3.6 A) and what their UIDs say about the bytes."""

from __future__ import annotations

from pydicom.uid import UID

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"

NATIVE = frozenset(
    {
        IMPLICIT_VR_LITTLE_ENDIAN,
        EXPLICIT_VR_LITTLE_ENDIAN,
        DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        EXPLICIT_VR_BIG_ENDIAN,
        "1.2.840.113619.5.2",  # Implicit little endian with big endian pixels (a private syntax of GE).
    }
)
"""Syntaxes whose pixel data is not encapsulated."""


def is_encapsulated(transfer_syntax_uid: str) -> bool:
    """Whether pixel data comes as a sequence of fragments (PS3.5 A.4)."""
    return transfer_syntax_uid not in NATIVE


def is_implicit(transfer_syntax_uid: str) -> bool:
    return transfer_syntax_uid in {IMPLICIT_VR_LITTLE_ENDIAN, "1.2.840.113619.5.2"}


def is_big_endian(transfer_syntax_uid: str) -> bool:
    return transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN


def is_deflated(transfer_syntax_uid: str) -> bool:
    return transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN


def name_of(transfer_syntax_uid: str) -> str:
    """The name in PS3.6 A, or the UID itself."""
    return UID(transfer_syntax_uid).name
