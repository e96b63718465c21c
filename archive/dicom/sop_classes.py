"""SOP classes (PS3.4 B.5) by UID."""

from __future__ import annotations

from pydicom.uid import UID

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
STRUCTURED_REPORT_PREFIX = "1.2.840.10008.5.1.4.1.1.88."
"""Structured reports and key object selections: all have a tree of content items (PS3.3 C.17)."""


def is_readable(sop_class_uid: str) -> bool:
    """Whether an object without a picture is text to read, or a document."""
    return sop_class_uid == ENCAPSULATED_PDF or sop_class_uid.startswith(STRUCTURED_REPORT_PREFIX)


def name_of(sop_class_uid: str) -> str:
    """The name in PS3.6 A without "Storage"; the UID itself for a private class."""
    name = UID(sop_class_uid).name
    return name.replace(" Storage", "") if name else sop_class_uid


def is_private(sop_class_uid: str) -> bool:
    """Whether the class is none of the standard's."""
    return not sop_class_uid.startswith("1.2.840.10008.")
