"""Codes of a report and its sections, for structured reports and for messages."""

from __future__ import annotations

HEADINGS = {
    "indication": ("18785-6", "LN", "Indications for Procedure"),
    "technique": ("55111-9", "LN", "Current Procedure Descriptions"),
    "comparison": ("55114-3", "LN", "Prior Procedure Descriptions"),
    "findings": ("59776-5", "LN", "Findings"),
    "impression": ("19005-8", "LN", "Impressions"),
    "addendum": ("55107-7", "LN", "Addendum"),
}
"""Section -> heading of CID 7001."""
ELEMENTS = {
    "indication": ("55115-0", "LN", "Request"),
    "technique": ("121065", "DCM", "Procedure Description"),
    "comparison": ("121069", "DCM", "Previous Finding"),
    "findings": ("121071", "DCM", "Finding"),
    "impression": ("121073", "DCM", "Impression"),
    "addendum": ("121077", "DCM", "Conclusion"),
}
"""Section -> element of CID 7002."""
TITLE = ("18748-4", "LN", "Diagnostic Imaging Report")
"""Of CID 7000: the one that is true of every examination."""
