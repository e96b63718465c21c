"""Images brought into the archive of a test, by the intake like any others."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from pydicom import Dataset

from archive.indexing.writer import index_waiting_files
from archive.receiving.intake import IntakeResult
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from tests.phantoms import ct_image, ramp, to_part10_bytes


def send(ds: Dataset, *, door: Door = Door.DIMSE, **origin: Any) -> IntakeResult:
    """Hand one image to the intake."""
    given = {"calling_ae_title": "SCANNER", **origin}
    return receive_part10(io.BytesIO(to_part10_bytes(ds)), Origin(door=door, **given))


def store(*images: Dataset, **origin: Any) -> None:
    """Hand images to the intake and index them."""
    for ds in images:
        send(ds, **origin)
    index_waiting_files()


def other_content(**attributes: Any) -> Dataset:
    """The same image as ``ct_image`` with the same attributes, but for its pixels."""
    return ct_image(ramp(start=5), **attributes)


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()
