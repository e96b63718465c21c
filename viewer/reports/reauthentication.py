"""Ask once more who signs: the password, and the second factor of those who have one, outside the demonstration."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from archive.models import User
from viewer.models import ReportPolicy
from viewer.reports.errors import NoSecondFactor, TooManyTries, WrongPassword


@dataclass(frozen=True, slots=True)
class Proof:
    """What the person typed to sign."""

    password: str
    code: str = ""
    """Of the second factor, or a recovery code."""


def needs_second_factor(user: User) -> bool:
    """Whether a signature asks for a code."""
    from allauth.mfa.utils import is_mfa_enabled

    return not settings.IS_DEMO and bool(is_mfa_enabled(user))


def require_factor(user: User) -> None:
    """Outside the demonstration, where the site has not switched it off, who signs has a second factor.

    Raises
    ------
    NoSecondFactor
    """
    from allauth.mfa.utils import is_mfa_enabled

    if settings.IS_DEMO or is_mfa_enabled(user) or not ReportPolicy.current().second_factor_to_sign:
        return
    raise NoSecondFactor("Signing needs a second factor here. Set one up under Account, then sign; the text is kept.")


def require_proof(request: HttpRequest, user: User, proof: Proof) -> None:
    """Check a password as signing in does: wrong ones are counted, audited, and lock the account out.

    Raises
    ------
    NoSecondFactor, WrongPassword, TooManyTries
    """
    require_factor(user)
    found = authenticate(request, username=user.get_username(), password=proof.password)
    if found is None or found.pk != user.pk:
        raise _refusal(request, "password")
    if needs_second_factor(user) and not _is_right_code(user, proof.code.strip()):
        user_login_failed.send(sender=__name__, credentials={"username": user.get_username()}, request=request)
        raise _refusal(request, "code")


def _refusal(request: HttpRequest, what: str) -> WrongPassword:
    if getattr(request, "axes_locked_out", False):
        # The lock stays; only the page that would replace this answer is for people, and this is a script's.
        request.axes_locked_out = False  # type: ignore[attr-defined]
        return TooManyTries("Wrong too often: signing is locked for a while. Nothing was signed; the text is kept.")
    return WrongPassword(f"The {what} is not right. Nothing was signed; the text is kept.")


def _is_right_code(user: User, code: str) -> bool:
    from allauth.mfa.models import Authenticator

    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    found = Authenticator.objects.filter(user=user, type__in=kinds)
    return bool(code) and any(one.wrap().validate_code(code) for one in found)
