"""Refusals about critical results; ``viewer.api.critical`` gives each its HTTP status."""

from __future__ import annotations

from viewer.reports.errors import ReportRefusal


class CriticalRefused(ReportRefusal):
    """Category, text or recipient is missing or not known."""


class AlreadyTold(ReportRefusal):
    """It was told, acknowledged or withdrawn in the meantime."""


class NotTold(ReportRefusal):
    """Nobody was told yet: there is nothing to acknowledge."""


class NotYoursToAcknowledge(ReportRefusal):
    """The person neither treats the patient nor was asked when nobody answered."""
