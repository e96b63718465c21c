"""``/wado``: one object, as it is or rendered, by query parameters alone (PS3.18 9)."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from archive.access.roles import user_of
from archive.dicom.accept import accept_header
from archive.models import Instance
from viewer.api.instances import original_of, visible_instance
from viewer.errors import InvalidParameter, NotAcceptable, NotFound
from viewer.rendering.media_types import DICOM, Category
from viewer.rendering.rendered_parameters import check_for_state
from viewer.rendering.uri_parameters import UriRequest, parse_uri_request, viewport_of
from viewer.stacks.presentation_states import state_instance, state_of_frame
from viewer.tiles.dicomweb_responses import (
    answered,
    not_modified,
    note_access,
    single_part,
    single_values,
    unchanged,
    with_headers,
)
from viewer.tiles.representations import check, choose, make, tag_of
from viewer.tiles.targets import Target, targets_of, visible_series


@require_safe
def wado(request: HttpRequest) -> HttpResponseBase:
    """One object in the media type that ``contentType`` and the Accept header allow."""

    def answer() -> HttpResponseBase:
        asked = parse_uri_request(single_values(request.GET))
        every = visible_series(user_of(request), asked.study_uid, asked.series_uid)
        (target,) = targets_of(user_of(request), every, asked.object_uid)
        if asked.wants_dicom:
            return original(request, asked)
        note_access(request, target.study)
        return rendered(request, framed(target, asked), asked)

    return answered(answer)


def original(request: HttpRequest, asked: UriRequest) -> HttpResponseBase:
    """The object itself, for those who may take it away, in the transfer syntax that it is stored in."""
    instance = visible_instance(request, asked.object_uid)
    check_transfer_syntax(instance, asked.transfer_syntax)
    return original_of(request, instance)


def check_transfer_syntax(instance: Instance, transfer_syntax_uid: str | None) -> None:
    """Refuse another transfer syntax than the stored one (9.4.1.2.3), by naming that."""
    stored = instance.stored_file.transfer_syntax_uid
    if transfer_syntax_uid not in (None, stored):
        offered = f"{DICOM}; transfer-syntax={stored}"
        raise NotAcceptable(f"SOP Instance {instance.sop_instance_uid}", (offered,))


def framed(target: Target, asked: UriRequest) -> Target:
    """The frame that was named, of a multi-frame image (9.5.2.1); else the instance."""
    if asked.frame_number is None:
        return target
    frames = target.instance.frames
    if frames < 2 or asked.frame_number > frames:
        accepted = f"a frame from 1 to {frames}" if frames > 1 else "nothing: it is no multi-frame image"
        raise InvalidParameter("frameNumber", asked.frame_number, accepted)
    return Target(target.study, target.split, target.instance, asked.frame_number)


def check_presentation(target: Target, series_uid: str, state_uid: str) -> None:
    """Refuse a presentation state that is not of this study and series, or not about what is asked for (9.5.1.2.7)."""
    here = Instance.objects.shown().filter(
        series__study=target.study, series__series_instance_uid=series_uid, sop_instance_uid=state_uid
    )
    if not here.exists():
        raise NotFound("There is no such presentation state.")
    state = state_instance(target.study, state_uid, revision=target.split.revision)
    state_of_frame(state, target.frame(target.frame_number or 1))


def rendered(request: HttpRequest, target: Target, asked: UriRequest) -> HttpResponseBase:
    """A picture, animation, text or document."""
    if asked.presentation is not None:
        check_presentation(target, *asked.presentation)
    if target.category is Category.PRESENTATION_STATE:
        check_for_state(asked.look)
        if asked.region is not None:
            raise InvalidParameter("region", "a region", "the parameter only for images, not for a presentation state")
    instance = target.instance
    viewport = viewport_of(asked, image_rows=instance.rows, image_columns=instance.columns)
    parameters = replace(asked.look, viewport=viewport)
    choice = (target, choose(target, parameters, accept_header(request.headers.get("Accept"))))
    ignored = check([choice], parameters)
    tag = tag_of([choice], parameters, kind="wado")
    if not_modified(request, tag):
        return unchanged(tag)
    body = make(target, choice[1].media_type, parameters)
    return with_headers(single_part(choice, body), tag=tag, ignored=ignored)
