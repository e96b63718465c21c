"""Manifests and thumbnails."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from archive.access.roles import user_of
from archive.access.rules import may_have_values
from archive.errors import ArchiveError
from archive.models import Study
from viewer.errors import ViewerError
from viewer.stacks import manifest
from viewer.stacks.lookup import SplitSeries, series_of_stack, stack_at
from viewer.stacks.splitting import Stack
from viewer.stacks.value_facts import window_facts
from viewer.stacks.windows import window_of_stack
from viewer.tiles.pictures import thumbnail_of
from viewer.tiles.sessions import tile_key
from viewer.tiles.statuses import status_of

THUMBNAIL_CACHED_FOR_S = 3600


@require_GET
def study_manifest(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.visible_to(user_of(request)), study_instance_uid=study_instance_uid)
    return JsonResponse(manifest.study_manifest(study))


@require_GET
def stack_manifest(request: HttpRequest, stack: str) -> HttpResponse:
    try:
        found, split = visible_stack(request, stack)
        told = manifest.stack_manifest(
            found,
            split,
            tile_key=tile_key(request.session.session_key or ""),
            with_values=may_have_values(request.user),
        )
        return JsonResponse(told)
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))


@require_GET
def automatic_window(request: HttpRequest, stack: str) -> HttpResponse:
    """The window of the whole stack's values; it takes the pixels of many frames, so only who wants it asks."""
    try:
        found, split = visible_stack(request, stack)
        window = window_of_stack(found, split, with_automatic=True).automatic
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    return JsonResponse({"window": window_facts(window) if window else None})


@require_GET
def thumbnail(request: HttpRequest, stack: str) -> HttpResponse:
    try:
        found, split = visible_stack(request, stack)
        response = HttpResponse(thumbnail_of(found, split), content_type="image/png")
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    is_addressed = request.GET.get("k") == tile_key(request.session.session_key or "") and "rev" in request.GET
    response["Cache-Control"] = f"private, max-age={THUMBNAIL_CACHED_FOR_S}" if is_addressed else "no-store"
    return response


def visible_stack(request: HttpRequest, stack_id: str) -> tuple[Stack, SplitSeries]:
    """The stack as it is now, or 404 where there is none or it may not be seen."""
    series = series_of_stack(stack_id)
    if not Study.objects.visible_to(user_of(request)).filter(pk=series.study_id).exists():
        raise Http404("There is no such stack.")
    return stack_at(stack_id, series=series)
