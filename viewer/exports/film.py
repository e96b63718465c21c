"""Frames as a film (MP4), written by the site's own ffmpeg: the portal brings no encoder for it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import IO, cast

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from archive.jobs.run import JobRefused

USUAL_RATE = 10.0
FINISHING_S = 600
"""So long the encoder may take after its last frame."""


def encoder() -> str:
    """The site's ffmpeg; empty where the site has named none, or it is not there."""
    return shutil.which(settings.PORTAL_FFMPEG) or "" if settings.PORTAL_FFMPEG else ""


def write_film(path: Path, images: Iterable[NDArray[np.uint8]], *, rate: float | None) -> None:
    """Write grey or sRGB frames of one size, at ``rate`` frames a second.

    Raises
    ------
    JobRefused
        There is no encoder, frames differ in size, or it cannot write them.
    """
    program, frames = encoder(), iter(images)
    if not program:
        raise JobRefused("A film needs ffmpeg, which this site has not set up.")
    first = next(frames)
    rows, columns = first.shape[:2]
    # Colours are halved in both directions: sides must be even, and black fills what is missing.
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
    source = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{columns}x{rows}",
        "-r",
        f"{rate or USUAL_RATE:g}",
        "-i",
        "-",
    ]
    target = ["-an", "-vf", even, "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", "-y", str(path)]
    command = [program, "-hide_banner", "-loglevel", "error", *source, *target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        entrance = cast("IO[bytes]", run.stdin)
        try:
            for image in chain((first,), frames):
                if image.shape[:2] != (rows, columns):
                    raise JobRefused("Images of different sizes make no film.")
                entrance.write(_colored(image).tobytes())
            entrance.close()
            code = run.wait(FINISHING_S)
        except (OSError, subprocess.TimeoutExpired):
            raise JobRefused("The site's ffmpeg ended before the film was whole.") from None
        finally:
            run.kill()
    if code or not path.is_file():
        raise JobRefused(f"The site's ffmpeg could not write the film: it ended with {code}.")


def _colored(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
