"""Thumbnails and first pictures: made when a series' images arrive, so that nobody waits for them.

A thumbnail is a file of the cache: it may be lost, and is drawn again when asked for.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from archive.errors import ArchiveError
from archive.models import Series
from archive.storage import layout
from viewer.errors import NothingToDraw, ViewerError
from viewer.stacks.lookup import SplitSeries, split_series_of
from viewer.stacks.splitting import Stack
from viewer.tiles.drawing import draw_thumbnail
from viewer.tiles.frames import prepare_levels

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job

logger = logging.getLogger(__name__)

THUMBNAIL_SIZE = 256
MOST_PREPARED = 8
"""Large images of a study whose levels are made ahead; more are made when they are opened."""
PNG_END = b"IEND\xaeB`\x82"


def thumbnail_of(stack: Stack, split: SplitSeries) -> bytes:
    """The stack's thumbnail, from the cache or drawn now.

    Raises
    ------
    NothingToDraw
        Its middle frame cannot be drawn.
    """
    path = _path(stack, split)
    try:
        picture = path.read_bytes()
        if picture.endswith(PNG_END):
            return picture
    except FileNotFoundError:
        pass
    picture = draw_thumbnail(stack, split, THUMBNAIL_SIZE)
    _keep(path, picture)
    return picture


def _path(stack: Stack, split: SplitSeries) -> Path:
    middle = stack.middle
    name = layout.digest_of(f"{stack.id} {len(stack.frames)} {middle.instance.picture_key} {middle.frame_number}")
    return Path(settings.PORTAL_DATA) / "cache" / "pictures" / name[:2] / f"{name}.png"


def _keep(path: Path, picture: bytes) -> None:
    hidden = path.with_name(f".{secrets.token_hex(8)}.png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden.write_bytes(picture)
        hidden.rename(path)
    except OSError as error:
        logger.warning("a thumbnail could not be kept: %s", error.strerror)


def make_pictures(job: Job, progress: Progress) -> str:
    """A job: thumbnails of every stack of a study, and the levels of its first large images."""
    owed = list(
        Series.objects.filter(study=job.study, pictures_owed=True, instance_count__gt=0).select_related("study")
    )
    progress.start(len(owed), "Drawing thumbnails")
    made = 0
    for series in owed:
        split = split_series_of(series, revision=series.study.revision)
        for stack in split.stacks:
            made += _prepare(stack, split)
        unchanged = Series.objects.filter(pk=series.pk, last_received_at=series.last_received_at)
        unchanged.update(pictures_owed=False)
        progress.step()
    return f"{made} thumbnails drawn."


def _prepare(stack: Stack, split: SplitSeries) -> bool:
    """Levels first: the thumbnail is made from them."""
    for frame in stack.frames[:MOST_PREPARED]:
        if not _tried(stack, partial(prepare_levels, frame.instance, frame.frame_number)):
            break
    return _tried(stack, lambda: thumbnail_of(stack, split))


def _tried(stack: Stack, work: Callable[[], object]) -> bool:
    """Whether it could be done; a picture that cannot be drawn is no failure of the job."""
    try:
        work()
    except NothingToDraw:
        return False
    except (ViewerError, ArchiveError) as error:
        logger.warning("a picture could not be made ahead", extra={"stack": stack.id, "why": str(error)})
        return False
    return True
