"""The cookie by which a browser keeps a shared view open: sent below that view's address and nowhere else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from viewer.models import ShareOpening
from viewer.sharing.contents import root_of

COOKIE = "portal_share"


def give_cookie(request: HttpRequest, response: HttpResponse, opening: ShareOpening, secret: str) -> None:
    response.set_cookie(
        COOKIE, secret, path=root_of(opening), httponly=True, samesite="Lax", secure=request.is_secure()
    )
