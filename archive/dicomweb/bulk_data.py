"""Bulk data (PS3.18 10.4.1.1.5): which values metadata leaves out, their addresses, and the values themselves."""

from __future__ import annotations

import re
from typing import Final

from pydicom import Dataset
from pydicom.encaps import generate_frames

from archive.dicom.part10 import read_dataset
from archive.dicom.transfer_syntaxes import Codec, transfer_syntax
from archive.dicomweb.errors import BadRequest, NotFound
from archive.errors import ArchiveError
from archive.models import Instance
from archive.storage import layout

THRESHOLD: Final = 1024
"""Bytes of a binary value from which on metadata names its address instead."""
MOST_FRAMES: Final = 10_000
_PLACE: Final = re.compile(r"(?:[0-9A-F]{8}/[1-9]\d{0,5}/){0,16}[0-9A-F]{8}", re.ASCII)
_NUMBERS: Final = re.compile(r"[1-9]\d{0,8}(?:,[1-9]\d{0,8})*", re.ASCII)


def frame_numbers(text: str) -> list[int]:
    """Frame numbers of an address, counted from 1, in the order in which they are asked for.

    Raises
    ------
    BadRequest
        It is no list of numbers, or a very long one.
    """
    if not _NUMBERS.fullmatch(text):
        raise BadRequest(f"frames: numbers from 1 with commas between them are accepted, not {text[:32]!r}.")
    numbers = [int(part) for part in text.split(",")]
    if len(numbers) > MOST_FRAMES:
        raise BadRequest(f"frames: at most {MOST_FRAMES} at once.")
    return numbers


def value_at(instance: Instance, place: str) -> bytes:
    """The bytes of one element.

    Parameters
    ----------
    place
        Tag as eight hexadecimal digits; for an element of a sequence, tags and item numbers before it.

    Raises
    ------
    NotFound
        The instance has no such element, or its value is no bulk data.
    """
    if not _PLACE.fullmatch(place):
        raise NotFound("There is no such bulk data.")
    try:
        ds = read_dataset(layout.path_of(instance.stored_file.key), stop_before_pixels=False)
    except OSError:
        raise NotFound("The file of this instance cannot be read; an alarm has been raised.") from None
    *path, last = place.split("/")
    for tag, number in zip(path[::2], path[1::2], strict=True):
        ds = _item(ds, int(tag, 16), int(number))
    value = _bytes(ds, int(last, 16))
    if value is None:
        raise NotFound("There is no such bulk data.")
    if last == "7FE00010" and transfer_syntax(instance.stored_file.transfer_syntax_uid).codec is not Codec.NONE:
        # Fragments without their item headers; single frames are asked for as such.
        return b"".join(generate_frames(value, number_of_frames=max(1, instance.frames)))
    return value


def _item(ds: Dataset, tag: int, number: int) -> Dataset:
    element = ds.get(tag)
    if element is None or element.VR != "SQ" or number > len(element.value):
        raise NotFound("There is no such bulk data.")
    item: Dataset = element.value[number - 1]
    return item


def _bytes(ds: Dataset, tag: int) -> bytes | None:
    try:
        value = ds[tag].value
    except KeyError:
        return None
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot read.
        raise ArchiveError(f"The value cannot be read ({type(error).__name__}).") from None
    return value if isinstance(value, bytes) else None
