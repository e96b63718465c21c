"""Every drawable real file against dcmtk, an independent renderer: equal in every pixel, or different for a reason.

The reasons are written here as arithmetic, so that a difference of any other size or
place fails: dcmtk cuts rescaled values to whole numbers; it knows no padding,
no supplemental palette and no ICC profile; it centers native chroma at 127.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

from archive.pixels.decode import DecodedFrame
from archive.pixels.description import ImageDescription, Window
from tests.viewer.rendering.corpus import WHEEL, Opened, images_below, readable_by_dcmtk
from tests.viewer.rendering.images import Frame, dcmtk_picture, describe_values
from viewer.rendering.color import is_color, to_rgb
from viewer.rendering.modality_lut import apply_modality, modality_transform
from viewer.rendering.parameters import RenderParameters, VoiLutNumber
from viewer.rendering.pipeline import render_frame
from viewer.rendering.voi_lut import usable_voi_luts, usable_windows

FOLDERS = {
    # Folder of the real files, and how many of its images are compared.
    "color": 9,
    "cr_dx_mg": 3,
    "ct_series": 49,
    "enhanced": 5,
    "luts_overlays": 2,
    "mr_series": 94,
    "nm": 1,
    "odd": 17,
    "petct": 184,
    "seg_rt": 5,
    "sr": 2,
    "syntaxes": 20,
    "test_patterns": 1,
    "us": 5,
    "wsi": 1,
    "xa": 1,
}
WITHOUT_PICTURES = {"presentation", "video", "waveform_pdf"}
WHEEL_IMAGES = 60

ASKED = Window(600, 1600)
NATIVE_CHROMA_DIFFERENCE = 2
"""dcmtk centers native chroma at 127.5 and cuts each of two terms; PS3.3 C.7.6.3.1.2 centers it at 128."""

SMALL_FOLDER = 12
"""Files of a folder up to which windows and tables of the header are compared as well; larger ones are series."""

RESCALE_SLOPE = 0x00281053
HTJ2K_LOSSY = "1.2.840.10008.1.2.4.203"

NO_PICTURE = "The object holds no pixel data"
NOT_DICOM = "The file does not begin like a DICOM file"
NO_SIZE = "The image has no rows or no columns"
CUT = "The data set cannot be read: it is cut short"

NOT_DRAWN_BY_DCMTK = {
    "odd/GH340.dcm": "Cells of 12 bits: test_decode_real_files compares the values.",
    "seg_rt/parametric_map_float.dcm": "Floating point: test_oracle_by_hand compares the grey levels.",
    "test_files/JPEG2000-embedded-sequence-delimiter.dcm": "Claims 3,722,445,056 columns: refused here when it is drawn.",
    "test_files/SC_rgb_jpeg.dcm": "dcmtk and pydicom both stop at the damaged end of the pixel data.",
}
"""Pictures that are not compared, and why."""

REFUSED = (
    # Files that are no pictures, each with the words in which it is refused.
    ("enhanced/mr_spectroscopy_BRSV001.dcm", NO_PICTURE),
    ("mr_series/mister_mr/sr_*", NO_PICTURE),
    ("odd/2017-06-27-XSSInjection.dcm", NO_PICTURE),
    ("petct/acrin_042/rwv_5.dcm", NO_PICTURE),
    ("petct/sts_001/rtstruct_*", NO_PICTURE),
    ("presentation/*", NO_PICTURE),
    ("sr/*", NO_PICTURE),
    ("waveform_pdf/*", NO_PICTURE),
    ("video/derived_h264_us.dcm", "Video (MPEG-4 AVC/H.264 High Profile): it is played on a page of its own."),
    ("odd/20-wrong-transfer-syntax.dcm", "The file says JPEG-LS Lossless, but its pixel data is not encapsulated"),
    ("odd/2026-05-26-oob-monochrome-65535.dcm", "A frame of 65535 x 65535 pixels takes 8589672450 bytes"),
    ("odd/dwv-test_no-number-rows.dcm", NO_SIZE),
    ("odd/truncated_3gb_bulk.dcm", CUT),
)
REFUSED_OF_PYDICOM = (
    ("__init__.py", NOT_DICOM),
    ("*.pyc", NOT_DICOM),
    ("*.py", NOT_DICOM),
    ("*.json", NOT_DICOM),
    ("*.txt", NOT_DICOM),
    ("*.dump", NOT_DICOM),
    ("*README*", NOT_DICOM),
    ("*.icc", NOT_DICOM),
    ("*.gz", NOT_DICOM),
    ("test_files/no_meta.dcm", NOT_DICOM),
    ("charset_files/chr*", NO_PICTURE),
    ("palettes/*.dcm", NO_PICTURE),
    ("test_files/dicomdirtests/*", NO_PICTURE),
    ("test_files/ExplVR_*", NO_PICTURE),
    ("test_files/UN_sequence.dcm", NO_PICTURE),
    ("test_files/empty_charset_LEI.dcm", NO_PICTURE),
    ("test_files/no_meta_group_length.dcm", NO_PICTURE),
    ("test_files/priv_SQ.dcm", NO_PICTURE),
    ("test_files/reportsi*", NO_PICTURE),
    ("test_files/rt*.dcm", NO_PICTURE),
    ("test_files/test-SR.dcm", NO_PICTURE),
    ("test_files/waveform_ecg.dcm", NO_PICTURE),
    ("test_files/meta_missing_tsyntax.dcm", NO_SIZE),
    ("test_files/nested_priv_SQ.dcm", NO_SIZE),
    ("test_files/MR_truncated.dcm", CUT),
    ("test_files/rtplan_truncated.dcm", CUT),
)


def test_every_folder_of_the_real_files_is_compared(data_dir: Path) -> None:
    folders = {path.name for path in data_dir.iterdir() if path.is_dir()}
    assert folders == FOLDERS.keys() | WITHOUT_PICTURES


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_image_of_a_folder_is_equal_or_explained(folder: str, data_dir: Path, tmp_path: Path) -> None:
    count, different, left_out = differences(data_dir / folder, tmp_path, REFUSED, below=data_dir)
    assert (different, left_out) == ({}, {})
    assert count == FOLDERS[folder]


@pytest.mark.parametrize("folder", sorted(WITHOUT_PICTURES))
def test_folders_without_pictures_have_none(folder: str, data_dir: Path, tmp_path: Path) -> None:
    assert differences(data_dir / folder, tmp_path, REFUSED, below=data_dir) == (0, {}, {})


def test_every_image_of_pydicom_is_equal_or_explained(tmp_path: Path) -> None:
    count, different, left_out = differences(WHEEL, tmp_path, REFUSED_OF_PYDICOM, below=WHEEL)
    assert (different, left_out) == ({}, {})
    assert count >= WHEEL_IMAGES


def differences(
    folder: Path, scratch: Path, refused: Sequence[tuple[str, str]], *, below: Path
) -> tuple[int, dict[str, str], dict[str, str]]:
    """Draw every image below a folder twice.

    Returns
    -------
    How many there are, what was not equal, and what is no picture though no row says so, in words.
    """
    found: dict[str, str] = {}
    silently: dict[str, str] = {}
    count = 0
    for opened in images_below(folder):
        if not isinstance(opened, Opened):
            path, refusal = opened
            name = path.relative_to(below).as_posix()
            if not any(fnmatch(name, pattern) and refusal.startswith(words) for pattern, words in refused):
                silently[name] = refusal
            continue
        name = opened.path.relative_to(below).as_posix()
        if name in NOT_DRAWN_BY_DCMTK:
            continue
        count += 1
        file = readable_by_dcmtk(opened, scratch)
        for frame_number in sorted({1, opened.description.frames}):
            if said := compare(opened, file, frame_number):
                found[f"{name} frame {frame_number}"] = said
    return count, found, silently


def compare(opened: Opened, file: Path, frame_number: int) -> str:
    """Empty where both draw the same, as far as the reasons above allow."""
    decoded = opened.frame(frame_number)
    if is_color(decoded.photometric_interpretation):
        return compare_color(decoded, opened, dcmtk_picture(file, "+F", frame_number))
    description = as_dcmtk_reads(opened, file, frame_number)
    choices: list[tuple[Window | VoiLutNumber, tuple[object, ...]]] = [(ASKED, ("+Ww", ASKED.center, ASKED.width))]
    if not opened.description.per_frame and len(list(opened.path.parent.iterdir())) <= SMALL_FOLDER:
        attributes = description.frame(1)
        choices += [(window, ("+Wi", number)) for number, window in enumerate(usable_windows(attributes), 1)]
        numbers = range(1, len(usable_voi_luts(attributes)) + 1)
        choices += [(VoiLutNumber(number), ("+Wl", number)) for number in numbers]
    for choice, options in choices:
        linear = ("+Wfl",) if choice is ASKED else ()
        theirs = dcmtk_picture(file, "+F", frame_number, *options, *linear)
        ours, allowed = draw_as_dcmtk(decoded, description, RenderParameters(choice, overlays=False))
        if said := words(ours, theirs, allowed):
            return f"{choice}: {said}"
    return ""


def as_dcmtk_reads(opened: Opened, file: Path, frame_number: int) -> ImageDescription:
    """Without padding and supplemental colours, and without a rescale whose VR is UN."""
    frame = opened.description.frame(frame_number)
    if RESCALE_SLOPE in (ds := dcmread(file, stop_before_pixels=True, force=True)):
        written = ds.get_item(RESCALE_SLOPE)
        if written is not None and written.VR == "UN":
            frame = replace(frame, rescale_slope=1.0, rescale_intercept=0.0)
    return replace(opened.description, padding=None, first_colored=None, frames=1, shared=frame, per_frame=())


def draw_as_dcmtk(
    decoded: DecodedFrame, description: ImageDescription, parameters: RenderParameters
) -> tuple[NDArray[np.uint8], int]:
    """Draw a frame with modality values cut to whole numbers, which dcmtk does; and how far dcmtk may be off.

    Where values span little, dcmtk takes them from a table that begins at the lowest value that
    could be stored: where that is a fraction, each is off by less than one.
    """
    transform = modality_transform(description, 1)
    values = apply_modality(decoded.values, transform)
    whole = np.trunc(values)
    if np.array_equal(whole, values):
        return render_frame(decoded, description, 1, parameters), 0
    lowest = -(2 ** (description.bits_stored - 1)) * description.pixel_representation
    begins_at = lowest * transform.slope + transform.intercept
    span = transform.slope * 2**description.bits_stored
    allowed = int(not begins_at.is_integer() and 3 * span < values.size)
    photometric = description.photometric_interpretation
    cut = describe_values(whole, photometric_interpretation=photometric, voi_luts=description.frame(1).voi_luts)
    return render_frame(Frame(whole, photometric), cut, 1, parameters), allowed


def compare_color(decoded: DecodedFrame, opened: Opened, theirs: NDArray[np.uint8]) -> str:
    """Before the ICC profile, of which dcmtk knows nothing."""
    ours = to_rgb(decoded.values, decoded.photometric_interpretation, opened.description)
    allowed = NATIVE_CHROMA_DIFFERENCE if decoded.photometric_interpretation.startswith("YBR") else 0
    if opened.transfer_syntax_uid == HTJ2K_LOSSY:
        # Two codecs round the lossy transform, and OpenJPH lets what lies above 255 begin again at 0.
        allowed, theirs = 1, np.where((ours == 255) & (theirs == 0), ours, theirs)
    return words(ours, theirs, allowed)


def words(ours: NDArray[np.uint8], theirs: NDArray[np.uint8], allowed: int) -> str:
    """Empty where two pictures differ in no pixel by more than allowed."""
    if ours.shape != theirs.shape:
        return f"{ours.shape} here, {theirs.shape} there"
    difference = np.abs(ours.astype(int) - theirs)
    return "" if difference.max() <= allowed else f"up to {difference.max()} in {np.mean(difference > 0):.1%}"
