"""Images with known values: descriptions built by hand, files that dcmtk can draw, and dcmtk's drawing of them."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from archive.pixels.description import FrameAttributes, ImageDescription, LookupTable

DCMJ2PNM = "/usr/bin/dcmj2pnm"


class Frame(NamedTuple):
    """What a decoder gives."""

    values: NDArray[Any]
    photometric_interpretation: str = "MONOCHROME2"


def describe_values(values: NDArray[Any], **attributes: Any) -> ImageDescription:
    """Describe an image of these values; attributes of the frame and of the image together."""
    frame_fields = FrameAttributes.__dataclass_fields__
    frame = {name: attributes.pop(name) for name in list(attributes) if name in frame_fields}
    bits = values.dtype.itemsize * 8
    known: dict[str, Any] = {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "samples_per_pixel": values.shape[2] if values.ndim == 3 else 1,
        "bits_allocated": bits,
        "bits_stored": bits,
        "high_bit": bits - 1,
        "pixel_representation": int(values.dtype.kind == "i"),
        "shared": FrameAttributes(**frame),
    }
    return ImageDescription(**(known | attributes))


def table(entries: Sequence[int], *, first_mapped: int = 0, bits: int = 16, explanation: str = "") -> LookupTable:
    """A lookup table of these entries."""
    return LookupTable(first_mapped, bits, np.array(entries, "<u2").tobytes(), explanation)


def write_image(path: Path, values: NDArray[Any], **elements: Any) -> Path:
    """Write a secondary capture of these values with more elements by keyword."""
    ds = FileDataset(str(path), Dataset(), file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = SecondaryCaptureImageStorage, "1.2.3", "OT"
    ds.Rows, ds.Columns = values.shape[:2]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = values.dtype.itemsize * 8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(values.dtype.kind == "i")
    ds.PixelData = values.tobytes()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    ds.save_as(path, enforce_file_format=True)
    return path


def dcmtk_picture(path: Path, *options: object) -> NDArray[np.uint8]:
    """Let dcmj2pnm draw a file, without overlays unless the options switch them on."""
    if shutil.which(DCMJ2PNM) is None:
        pytest.skip("dcmtk is not installed: apt-get install dcmtk.")
    overlays = [] if "+O" in options else ["-O"]
    command = [DCMJ2PNM, "+op", *overlays, *map(str, options), str(path)]
    drawn = subprocess.run([*command, "/dev/stdout"], check=True, capture_output=True, timeout=60)
    return np.asarray(Image.open(io.BytesIO(drawn.stdout)))
