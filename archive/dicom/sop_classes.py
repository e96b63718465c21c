"""SOP classes (PS3.4 B.5) by UID."""

from __future__ import annotations

from pydicom.uid import UID


def name_of(sop_class_uid: str) -> str:
    """The name in PS3.6 A without "Storage"; the UID itself for a private class."""
    name = UID(sop_class_uid).name
    return name.replace(" Storage", "") if name else sop_class_uid


def is_private(sop_class_uid: str) -> bool:
    """Whether the class is none of the standard's."""
    return not sop_class_uid.startswith("1.2.840.10008.")
