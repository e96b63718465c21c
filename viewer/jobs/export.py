"""A job: make a file to take away. It waits on the jobs page for whoever asked for it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from archive.access.rules import may_download, may_read_reports, without_reports
from archive.jobs.run import JobRefused
from archive.models import Instance, Study, User
from viewer.exports.contact_sheet import write_contact_sheet
from viewer.exports.film import write_film
from viewer.exports.keeping import new_file
from viewer.exports.media import write_zip
from viewer.exports.pictures import Taken, identity_lines, labelled, take
from viewer.exports.wishes import ANIMATIONS, FILES, Form, Wish, read_wish
from viewer.rendering.formats import encode_gif, encode_picture, frame_duration_ms

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job

ANIMATED_SIDE_PX = 768
ZIP, PDF, PNG, JPEG, GIF = "application/zip", "application/pdf", "image/png", "image/jpeg", "image/gif"
MP4 = "video/mp4"
LOOK_FIRST = "Look at the pictures before they leave: words may be part of an image."


def export(job: Job, progress: Progress) -> str:
    """Parameters: those of ``viewer.exports.wishes``."""
    wish, study, user = read_wish(job.parameters), job.study, job.created_by
    if study is None or user is None or not may_download(user, study):
        raise JobRefused("The study is no longer there, or you may not take it away any more.")
    study = Study.objects.select_related("patient").get(pk=study.pk)
    with new_file() as path:
        if wish.form in FILES:
            media_type, suffix, words = _files(path, wish, study, user, progress)
        else:
            media_type, suffix, words = _pictures(path, wish, study, progress)
        made = timezone.localtime(job.created_at)
        name = f"{'study' if wish.form in FILES else 'images'}-{made:%Y%m%d-%H%M}-{job.pk}.{suffix}"
        kept = {"key": path.name, "name": name, "media_type": media_type, "size": path.stat().st_size}
        progress.keep({**job.details, "file": kept})
    return f"{words} It can be fetched for a day."


def _files(path: Path, wish: Wish, study: Study, user: User, progress: Progress) -> tuple[str, str, str]:
    """The originals; reports only for who may read them."""
    found = Instance.objects.shown().filter(series__study=study).select_related("series__study", "stored_file")
    if not may_read_reports(user, study):
        found = without_reports(found, study)
    instances = list(found.order_by("series__series_number", "series_id", "instance_number", "pk"))
    if not instances:
        raise JobRefused("The study has nothing to take away.")
    progress.start(len(instances), "Packing files")
    with_directory = wish.form is not Form.DICOM
    write_zip(path, instances, progress.step, with_directory=with_directory)
    files = f"{len(instances)} files"
    return ZIP, "zip", f"{files} with an index (DICOMDIR)." if with_directory else f"{files} as they are stored."


def _pictures(path: Path, wish: Wish, study: Study, progress: Progress) -> tuple[str, str, str]:
    progress.start(len(wish.frames), "Drawing pictures")
    longest = {"longest_px": ANIMATED_SIDE_PX} if wish.form in ANIMATIONS else {}

    def taken() -> Iterator[Taken]:
        for wanted in wish.frames:
            yield take(wanted, study, **longest)
            progress.step()

    if wish.form is Form.MP4:
        film = (labelled(one, study, with_names=wish.with_names) for one in taken())
        write_film(path, film, rate=wish.rate or _stated_rate(wish, study))
        return MP4, "mp4", f"{len(wish.frames)} images as a film.{'' if wish.with_names else f' {LOOK_FIRST}'}"
    pictures = list(taken()) if wish.form in ANIMATIONS else taken()
    drawn = ((labelled(one, study, with_names=wish.with_names), one.words) for one in pictures)
    count = len(wish.frames)
    warning = "" if wish.with_names else f" {LOOK_FIRST}"
    if wish.form is Form.PDF:
        head = " · ".join(identity_lines(study)) if wish.with_names else ""
        with path.open("wb") as file:
            bare = ((labelled(one, study, with_names=False), one.words) for one in pictures)
            pages = write_contact_sheet(file, bare, head=head, foot="Not for diagnosis")
        return PDF, "pdf", f"{count} images on {pages} pages.{warning}"
    if wish.form in ANIMATIONS:
        rate = wish.rate or next((one.rate for one in pictures), None)
        media_type, suffix = (GIF, "gif") if wish.form is Form.GIF else (PNG, "png")
        images = [image for image, _ in drawn]
        path.write_bytes(encode_gif(images, frame_rate=rate) if wish.form is Form.GIF else encode_apng(images, rate))
        return media_type, suffix, f"{count} images in a loop.{warning}"
    media_type, suffix = (PNG, "png") if wish.form is Form.PNG else (JPEG, "jpg")
    encoded = (encode_picture(image, media_type) for image, _ in drawn)
    if count == 1:
        path.write_bytes(next(encoded))
        return media_type, suffix, f"1 image.{warning}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, picture in enumerate(encoded, start=1):
            archive.writestr(f"image-{number:03d}.{suffix}", picture)
    return ZIP, "zip", f"{count} images.{warning}"


def _stated_rate(wish: Wish, study: Study) -> float | None:
    return take(wish.frames[0], study, longest_px=ANIMATED_SIDE_PX).rate


def encode_apng(images: list[NDArray[np.uint8]], rate: float | None) -> bytes:
    """An animated PNG without end: every grey level and colour is kept."""
    pictures = [Image.fromarray(image) for image in images]
    buffer = io.BytesIO()
    duration = 1000 / rate if rate and rate > 0 else frame_duration_ms(None)
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:], duration=duration, loop=0)
    return buffer.getvalue()
