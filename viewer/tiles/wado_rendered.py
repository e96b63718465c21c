"""``/dicom-web/studies/…/rendered`` and ``…/thumbnail``: rendered resources (PS3.18 10.4.1.1.3, 10.4.1.1.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from archive.access.roles import user_of
from archive.dicom.accept import MediaRange, accept_header
from archive.dicomweb.conditional import not_modified
from archive.errors import ArchiveError
from archive.models import User
from viewer.errors import NotAcceptable, TooLarge, ViewerError
from viewer.rendering.media_types import Category
from viewer.rendering.rendered_parameters import (
    RenderedParameters,
    check_for_state,
    parse_rendered,
    parse_thumbnail,
)
from viewer.rendering.viewports import place
from viewer.stacks.splitting import Stack
from viewer.tiles.dicomweb_responses import (
    answered,
    base_url,
    multipart,
    note_access,
    single_part,
    single_values,
    unchanged,
    with_headers,
)
from viewer.tiles.representations import Choice, check, choose, make, make_thumbnail, tag_of
from viewer.tiles.targets import Target, kept_instance, targets_of, visible_series

MOST_PARTS = 4000
"""Representations of one answer."""


def rendered(
    request: HttpRequest,
    study_instance_uid: str,
    series_instance_uid: str | None = None,
    sop_instance_uid: str | None = None,
    frames: str | None = None,
) -> HttpResponseBase:
    """A study, series, instance or list of frames in rendered media types."""

    def answer() -> HttpResponseBase:
        targets = found(user_of(request), study_instance_uid, series_instance_uid, sop_instance_uid, frames)
        parameters = parse_rendered(single_values(request.GET))
        if len(targets) > MOST_PARTS:
            raise TooLarge(f"The answer would have {len(targets)} parts; at most {MOST_PARTS} are given.")
        header = accept_header(request.headers.get("Accept"))
        note_access(request, targets[0].study)
        if sop_instance_uid is None:
            choices, left_out = chosen_of_many(targets, parameters, header)
        else:
            choices, left_out = [(target, choose(target, parameters, header)) for target in targets], ()
            if targets[0].category is Category.PRESENTATION_STATE:
                check_for_state(parameters)
        ignored = (*check(choices, parameters), *left_out)
        tag = tag_of(choices, parameters)
        if not_modified(request, tag):
            return unchanged(tag)
        response = respond(choices, parameters, tag)
        if left_out:
            response.status_code = 206
        return with_headers(response, tag=tag, ignored=ignored)

    return answered(answer)


def found(
    who: User,
    study_instance_uid: str,
    series_instance_uid: str | None,
    sop_instance_uid: str | None,
    frames: str | None,
) -> list[Target]:
    """What an address means to a person; single instances, which are asked most, are kept for a few seconds."""
    if series_instance_uid is None or sop_instance_uid is None:
        return targets_of(who, visible_series(who, study_instance_uid, series_instance_uid))
    return kept_instance(who, study_instance_uid, series_instance_uid, sop_instance_uid, frames)


def respond(choices: Sequence[Choice], parameters: RenderedParameters, tag: str) -> HttpResponseBase:
    """One representation as it is, several as parts."""
    if len(choices) == 1 and not choices[0][1].multipart:
        target, selected = choices[0]
        body = make(target, selected.media_type, parameters)
        return single_part(choices[0], body, location=f"{base_url()}{target.path}/rendered")
    return multipart(
        choices, lambda choice: make(choice[0], choice[1].media_type, parameters), tag=tag, last_word="rendered"
    )


def chosen_of_many(
    targets: Iterable[Target], parameters: RenderedParameters, header: Sequence[MediaRange]
) -> tuple[list[Choice], tuple[str, ...]]:
    """Media types of all instances of a study or series; those that have none are left out and counted."""
    choices: list[Choice] = []
    offered: dict[str, None] = {}
    missing = 0
    for target in targets:
        if not target.can_be_drawn:
            missing += 1
            continue
        try:
            choices.append((target, choose(target, parameters, header)))
        except NotAcceptable as error:
            offered |= dict.fromkeys(error.offered)
            missing += 1
        except (ViewerError, ArchiveError):
            # A film whose file is gone or unreadable: the rest of the study is given.
            missing += 1
    if not choices:
        raise NotAcceptable("This resource", tuple(offered))
    left_out = f"{missing} instances have no representation that is acceptable and are left out"
    return choices, (left_out,) if missing else ()


def thumbnail(
    request: HttpRequest,
    study_instance_uid: str,
    series_instance_uid: str | None = None,
    sop_instance_uid: str | None = None,
    frames: str | None = None,
) -> HttpResponseBase:
    """One small picture for a study, series, instance or frame; never more than one (10.4.3.3.4)."""

    def answer() -> HttpResponseBase:
        targets = found(user_of(request), study_instance_uid, series_instance_uid, sop_instance_uid, frames)
        parameters = parse_thumbnail(single_values(request.GET))
        target = representative(targets)
        selected = choose(target, parameters, accept_header(request.headers.get("Accept")))
        if parameters.viewport is not None and target.instance.frames:
            place(parameters.viewport, rows=target.instance.rows, columns=target.instance.columns)
        note_access(request, targets[0].study)
        tag = tag_of([(target, selected)], parameters, kind="thumbnail")
        if not_modified(request, tag):
            return unchanged(tag)
        body = make_thumbnail(target, selected.media_type, parameters.viewport)
        response = single_part((target, selected), body, location=f"{base_url()}{target.path}/thumbnail")
        return with_headers(response, tag=tag, ignored=parameters.ignored)

    return answered(answer)


def representative(targets: Sequence[Target]) -> Target:
    """The frame that stands for a resource: one that was named, else the middle of the first stack with a picture."""
    first = targets[0]
    if first.frame_number is not None:
        return first
    instances = {target.instance.pk: target for target in targets}
    stacks: dict[tuple[int, str], tuple[Target, Stack]] = {}
    for target in targets:
        for stack in target.split.stacks:
            stacks.setdefault((target.split.series.pk, stack.id), (target, stack))
    for target, stack in stacks.values():
        middle = stack.middle
        shown = Target(target.study, target.split, middle.instance, middle.frame_number)
        if shown.can_be_drawn and middle.instance.pk in instances:
            return shown
    return _any_picture(targets)


def _any_picture(targets: Sequence[Target]) -> Target:
    """The middle frame of the first instance that has one: of a single image out of a stack, of a damaged stack."""
    for target in targets:
        if target.instance.frames and target.can_be_drawn:
            return Target(target.study, target.split, target.instance, target.instance.frames // 2 + 1)
    if len(targets) == 1 and targets[0].category is Category.PRESENTATION_STATE:
        return targets[0]
    raise NotAcceptable("A thumbnail of this resource", ())
