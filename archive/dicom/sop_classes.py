"""SOP classes (PS3.4 B.5) by UID."""

from __future__ import annotations

from pydicom.uid import UID

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
STRUCTURED_REPORT_PREFIX = "1.2.840.10008.5.1.4.1.1.88."
"""Structured reports and key object selections: all have a tree of content items (PS3.3 C.17)."""

WAVEFORM_PREFIX = "1.2.840.10008.5.1.4.1.1.9."
NOT_PLOTTED_PREFIXES = (f"{WAVEFORM_PREFIX}4.", f"{WAVEFORM_PREFIX}100.")
"""Voice and general audio, which are heard, and presentation states of waveforms."""


def is_readable(sop_class_uid: str) -> bool:
    """Whether an object without a picture is text to read, a document, or a curve on paper."""
    is_report = sop_class_uid.startswith(STRUCTURED_REPORT_PREFIX)
    return sop_class_uid == ENCAPSULATED_PDF or is_report or is_waveform(sop_class_uid)


def is_waveform(sop_class_uid: str) -> bool:
    """Whether channels of samples are plotted: ECG, hemodynamic, respiratory, arterial pulse and their like."""
    return sop_class_uid.startswith(WAVEFORM_PREFIX) and not sop_class_uid.startswith(NOT_PLOTTED_PREFIXES)


def name_of(sop_class_uid: str) -> str:
    """The name in PS3.6 A without "Storage"; the UID itself for a private class."""
    name = UID(sop_class_uid).name
    return name.replace(" Storage", "") if name else sop_class_uid


def is_private(sop_class_uid: str) -> bool:
    """Whether the class is none of the standard's."""
    return not sop_class_uid.startswith("1.2.840.10008.")
