"""``/api/schema/``: the OpenAPI description, as YAML or JSON (``viewer/api/openapi.py`` makes it)."""

from __future__ import annotations

from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class SchemaView(SpectacularAPIView):
    """Who may have it was decided before, as for every address."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        # Not the parent's: that takes a language and a version from the address, of which there is one each.
        return self._get_schema_response(request)
