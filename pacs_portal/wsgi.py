"""WSGI entry: ``granian --interface wsgi pacs_portal.wsgi:application``."""

import os
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

from pacs_portal.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pacs_portal.settings")
die_with_parent()
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Hand an answer that lies in memory over in one piece.

    The server sends a list with its length, and this thread is free for the next request. It pulls
    anything else out piece by piece, sends it in chunks, and keeps the thread until a slow line has all of it.
    """
    response = _django(environ, start_response)
    if not isinstance(response, HttpResponse):
        return response
    try:
        return [response.content]
    finally:
        response.close()


from pacs_portal.warm_up import warm_up  # noqa: E402 - it needs the application

warm_up()
