"""Signing in: no self-registration, every attempt audited, nothing left in the browser at the end."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import password_changed, password_reset, password_set
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import User
from pacs_portal.middleware import client_address


class PortalAccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def _address(request: HttpRequest | None) -> str:
    return client_address(request) if request is not None else ""


@receiver(user_logged_in)
def _signed_in(request: HttpRequest | None, user: User, **_details: Any) -> None:
    record_event(Event.SIGNED_IN, user=user, address=_address(request))


@receiver(user_logged_out)
def _signed_out(request: HttpRequest | None, user: User | None, **_details: Any) -> None:
    if user is not None:
        record_event(Event.SIGNED_OUT, user=user, address=_address(request))


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_details: Any) -> None:
    name = str(credentials.get("username") or credentials.get("login") or "")[:150]
    record_event(Event.SIGN_IN_FAILED, outcome="failure", actor=name, address=_address(request))


@receiver([password_changed, password_reset, password_set])
def _password_changed(request: HttpRequest | None, user: User, **_details: Any) -> None:
    record_event(Event.PASSWORD_CHANGED, user=user, address=_address(request))


@receiver(user_locked_out)
def _locked_out(request: HttpRequest | None, username: str = "", **_details: Any) -> None:
    record_event(Event.LOCKED_OUT, outcome="failure", actor=str(username)[:150], address=_address(request))
