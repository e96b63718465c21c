"""The real files as the archive opens them, and the same files as dcmtk can draw them.

dcmtk's renderer knows neither JPEG-LS nor JPEG 2000 nor deflated frames: another
of its tools, GDCM or a second codec unpacks those first. It also finds no second
frame where the offset table is empty: there it gets one.
"""

from __future__ import annotations

import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRLittleEndian

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset, read_file_meta
from archive.errors import ArchiveError
from archive.pixels.decode import DecodedFrame, decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription
from archive.pixels.frames import FrameIndex, index_frames, read_frame

WHEEL = Path(pydicom.__file__).parent / "data"
"""Real and made files that come with pydicom itself."""

DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
_UNPACKERS = {
    "1.2.840.10008.1.2.4.80": ("/usr/bin/dcmdjpls",),
    "1.2.840.10008.1.2.4.81": ("/usr/bin/dcmdjpls",),
    "1.2.840.10008.1.2.4.90": ("/usr/bin/gdcmconv", "--raw"),
    "1.2.840.10008.1.2.4.91": ("/usr/bin/gdcmconv", "--raw"),
}
_HTJ2K = frozenset({"1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"})


class Opened(NamedTuple):
    """A file as the archive knows it."""

    path: Path
    description: ImageDescription
    index: FrameIndex
    transfer_syntax_uid: str

    def frame(self, frame_number: int = 1) -> DecodedFrame:
        """Decode one frame, counted from 1."""
        with self.path.open("rb") as file:
            data = read_frame(file.fileno(), self.index, frame_number)
        return decode_frame(
            data,
            transfer_syntax_uid=self.transfer_syntax_uid,
            description=self.description,
            frame_number=frame_number,
        )


def open_image(path: Path) -> Opened:
    """Open a file by the archive's own steps; raises ``ArchiveError`` where it has no picture."""
    with path.open("rb") as file:
        meta = read_file_meta(file)
        header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
        description = describe(read_dataset(path))
        index = index_frames(file, header, description, meta.transfer_syntax_uid)
    return Opened(path, description, index, meta.transfer_syntax_uid)


def images_below(folder: Path) -> Iterator[Opened | tuple[Path, str]]:
    """Every file below a folder: opened as the archive does, or with the words in which it refuses it."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            yield open_image(path)
        except ArchiveError as error:
            yield path, str(error)


def drawable_images(folder: Path) -> Iterator[Opened]:
    """Every file below a folder that the archive opens as a picture."""
    return (found for found in images_below(folder) if isinstance(found, Opened))


def readable_by_dcmtk(opened: Opened, folder: Path) -> Path:
    """The same image in a transfer syntax that dcmj2pnm knows; the file itself where it does already."""
    syntax = opened.transfer_syntax_uid
    unpacked = folder / "unpacked.dcm"
    if syntax in _UNPACKERS:
        tool, *options = _UNPACKERS[syntax]
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed.")
        command = [tool, *options, str(opened.path), str(unpacked)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return unpacked
    if syntax in _HTJ2K or syntax == DEFLATED_FRAME:
        _write_native(opened, syntax, unpacked)
        return unpacked
    if opened.description.frames > 1 and syntax.startswith("1.2.840.10008.1.2.4."):
        _write_with_offset_table(opened, unpacked)
        return unpacked
    return opened.path


def _write_with_offset_table(opened: Opened, target: Path) -> None:
    ds = dcmread(opened.path)
    frames = list(generate_frames(ds.PixelData, number_of_frames=opened.description.frames))
    ds.PixelData = encapsulate(frames, has_bot=True)
    ds.save_as(target)


def _write_native(opened: Opened, syntax: str, target: Path) -> None:
    """OpenJPH instead of the OpenJPEG that the archive uses; zlib for deflated frames."""
    ds = dcmread(opened.path)
    streams = generate_frames(ds.PixelData, number_of_frames=opened.description.frames)
    if syntax == DEFLATED_FRAME:
        native = b"".join(zlib.decompress(stream, -zlib.MAX_WBITS) for stream in streams)
    else:
        native = b"".join(np.ascontiguousarray(imagecodecs.htj2k_decode(stream)).tobytes() for stream in streams)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.PixelData = native + b"\0" * (len(native) % 2)
    ds["PixelData"].VR = "OB" if ds.BitsAllocated <= 8 else "OW"
    ds["PixelData"].is_undefined_length = False
    ds.save_as(target, enforce_file_format=True)
