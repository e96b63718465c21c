"""What a person has chosen for themselves in the viewer: which keys do what."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from archive.access.roles import roles_of, user_of
from viewer.api.measurements import no_store, read_object
from viewer.errors import ViewerError
from viewer.shortcuts import SHORTCUTS, keep_shortcuts, read_shortcuts
from viewer.tiles.statuses import status_of


@require_http_methods(["PUT"])
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Keep all of a person's changed keys: ``{"shortcuts": {"tool-length": ["Shift+d"]}}``."""
    user = user_of(request)
    if not roles_of(user):
        return JsonResponse({"error": "You may not do this."}, status=403)
    try:
        chosen = read_shortcuts(read_object(request).get(SHORTCUTS))
    except ViewerError as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    keep_shortcuts(user, chosen)
    return no_store(JsonResponse({SHORTCUTS: chosen}))
