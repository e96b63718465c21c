"""Roles are groups, made by migration; a person may have several."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from django.http import HttpRequest

    from archive.models import User


class Role(StrEnum):
    """The value is the group's name."""

    RADIOLOGIST = "radiologist"
    CLINICIAN = "referring clinician"
    TECHNOLOGIST = "technologist"
    ADMINISTRATOR = "administrator"


def roles_of(user: User) -> frozenset[Role]:
    """Roles of a signed-in, active account; looked up once for each request's user object."""
    kept: frozenset[Role] | None = getattr(user, "_portal_roles", None)
    if kept is not None:
        return kept
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    names = set(user.groups.values_list("name", flat=True))
    roles = frozenset(
        role for role in Role if role.value in names or (role is Role.ADMINISTRATOR and user.is_superuser)
    )
    user._portal_roles = roles  # type: ignore[attr-defined]
    return roles


def has_role(user: User, *roles: Role) -> bool:
    """True where the person has at least one of the roles."""
    return bool(roles_of(user) & set(roles))


def user_of(request: HttpRequest) -> User:
    """The person of a request that the middleware has let through: signed in, by then."""
    return cast("User", request.user)
