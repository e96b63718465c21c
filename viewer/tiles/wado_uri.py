"""``/wado``: one object, as it is or rendered, by query parameters alone (PS3.18 9)."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from archive.access.roles import user_of
from archive.dicom.accept import accept_header
from archive.dicom.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
    is_big_endian,
    is_implicit,
)
from archive.dicomweb.conditional import not_modified
from archive.dicomweb.encodings import Way, can_decode
from archive.models import Instance
from viewer.api.instances import object_of, visible_instance
from viewer.errors import InvalidParameter, NotAcceptable, NotFound
from viewer.rendering.media_types import DICOM, Category
from viewer.rendering.rendered_parameters import check_for_state
from viewer.rendering.uri_parameters import UriRequest, parse_uri_request, viewport_of
from viewer.stacks.presentation_states import state_instance, state_of_frame
from viewer.tiles.dicomweb_responses import (
    answered,
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
    """The object itself, for those who may take it away, in the transfer syntax that was asked for."""
    instance = visible_instance(request, asked.object_uid)
    return object_of(request, instance, way_of(instance, asked.transfer_syntax))


def way_of(instance: Instance, asked: str | None) -> Way:
    """In which transfer syntax an object goes out (9.4.2.4): explicit VR little endian where none is named.

    What cannot be decoded (video, say) goes out as it is where none is named (8.7.3.4). Implicit VR and big
    endian are no transfer syntaxes of web services (8.7.3.3).
    """
    stored = instance.stored_file.transfer_syntax_uid
    if asked is not None and asked not in TRANSFER_SYNTAXES:
        raise InvalidParameter("transferSyntax", asked, "the UID of a transfer syntax")
    offered = {EXPLICIT_VR_LITTLE_ENDIAN} if can_decode(instance) else set()
    if not (is_implicit(stored) or is_big_endian(stored)):
        offered.add(stored)
    if asked is not None and asked not in offered:
        named = tuple(f"{DICOM}; transfer-syntax={uid}" for uid in sorted(offered))
        raise NotAcceptable(f"SOP Instance {instance.sop_instance_uid}", named)
    chosen = asked or (EXPLICIT_VR_LITTLE_ENDIAN if EXPLICIT_VR_LITTLE_ENDIAN in offered else stored)
    return Way(instance, chosen, is_stored_so=chosen == stored)


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
