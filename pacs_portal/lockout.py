"""Lock-out of an address that tries many accounts; one account from one address is django-axes' own count."""

from __future__ import annotations

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest

from pacs_portal.middleware import client_address


class AddressLimitHandler(AxesDatabaseHandler):
    """Counts failures by account and address, and by address alone at a far higher limit."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        # A hospital's proxy is one address for many people: only a guessing machine reaches this limit.
        return bool(super().is_locked(request, credentials)) or failures_from(request) >= settings.ADDRESS_FAILURE_LIMIT


def failures_from(request: HttpRequest) -> int:
    """Failed sign-ins of an address within the cooling-off time, whoever they named."""
    attempts = AccessAttempt.objects.filter(
        ip_address=client_address(request), attempt_time__gte=get_cool_off_threshold(request)
    )
    return attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
