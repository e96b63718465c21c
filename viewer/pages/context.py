"""What every page knows: the site's name, the demo's warning, the person's roles and where they may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from archive.access.roles import Role, roles_of

SITE_NAME = "Portal"
NOT_FOR_CLINICAL_USE = "Demonstration: not for clinical use. The patients are invented."

ROOMS = ("light", "dark")
"""What a browser's cookie ``room`` may say of the room that it stands in; else pages are as light as the system."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation."""

    label: str
    url: str
    current: bool = False


def site(request: HttpRequest) -> dict[str, Any]:
    """The context processor of the portal."""
    user = getattr(request, "user", None)
    roles = roles_of(user) if user is not None and user.is_authenticated else frozenset()
    room = request.COOKIES.get("room", "")
    return {
        "room": room if room in ROOMS else "",
        "site_name": getattr(settings, "PORTAL_SITE_NAME", "") or SITE_NAME,
        "not_for_clinical_use": NOT_FOR_CLINICAL_USE if settings.IS_DEMO else "",
        "roles": sorted(role.value for role in roles),
        "navigation": navigation(roles, request.path, is_staff=bool(roles and user and user.is_staff)),
    }


def navigation(roles: frozenset[Role], path: str, *, is_staff: bool) -> list[Link]:
    """The pages of a person's roles, the one they start with first."""
    entries: list[tuple[str, str]] = []
    if Role.RADIOLOGIST in roles:
        entries.append(("Worklist", "/"))
    elif Role.TECHNOLOGIST in roles:
        entries.append(("Studies", "/"))
    if Role.TECHNOLOGIST in roles:
        entries.append(("Arrivals", "/arrivals/"))
    if Role.CLINICIAN in roles:
        entries.append(("My referrals", "/referrals/" if entries else "/"))
    if roles - {Role.ADMINISTRATOR}:
        entries.append(("Search", "/search/"))
        entries.append(("Lists", "/lists/"))
    if roles:
        entries.append(("Upload", "/upload/"))
    if roles & {Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.ADMINISTRATOR}:
        entries.append(("Other archives", "/peers/"))
        entries.append(("Jobs", "/jobs/"))
    if roles & {Role.TECHNOLOGIST, Role.ADMINISTRATOR}:
        entries.append(("Quarantine", "/quarantine/"))
    if roles & {Role.CLINICIAN, Role.ADMINISTRATOR} and Role.RADIOLOGIST not in roles:
        entries.append(("Emergency", "/emergency/"))
    if Role.ADMINISTRATOR in roles:
        entries.append(("Network", "/network/"))
    if is_staff:
        entries.append(("Administration", "/admin/"))
    same = {"/worklist/": "/", "/referrals/": "/"} if not any(url == path for _, url in entries) else {}
    here = same.get(path, path)
    return [Link(label, url, url == here) for label, url in entries]
