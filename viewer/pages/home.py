"""``/``: the page that a person's role works on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from archive.access.roles import Role, roles_of, user_of
from viewer.pages.referrals import referrals
from viewer.pages.worklist import worklist


@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Of several roles the first decides: radiologist, technologist, clinician, administrator."""
    roles = roles_of(user_of(request))
    if roles & {Role.RADIOLOGIST, Role.TECHNOLOGIST}:
        return worklist(request)
    if Role.CLINICIAN in roles:
        return referrals(request)
    if Role.ADMINISTRATOR in roles:
        return redirect("admin:index")
    return render(request, "worklist/no_role.html", status=403)
