"""Grey levels of presentation states against dcmp2pgm of dcmtk, an independent renderer of them.

Equal means in every pixel. Where we differ the test says by how much and why.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread

from archive.dicom.part10 import read_dataset
from archive.pixels.describe import describe
from tests.phantoms import image, ramp, to_part10_bytes
from tests.presentation_states import lut, presentation_state, softcopy_lut, softcopy_window
from tests.viewer.rendering.images import Frame
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import render_frame
from viewer.rendering.presentation_state_reading import read_presentation_state

DCMP2PGM = "/usr/bin/dcmp2pgm"
DCMDJPLS = "/usr/bin/dcmdjpls"
CURVE = [round(65535 * (index / 4095) ** 0.5) for index in range(4096)]
WINDOW = {"SoftcopyVOILUTSequence": [softcopy_window(2000, 1000)]}

Compare = Callable[[Dataset, Dataset], "tuple[NDArray[np.int64], NDArray[np.int64]]"]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Our picture and dcmtk's of an image in a state."""
    if shutil.which(DCMP2PGM) is None:
        pytest.skip("dcmtk is not installed: apt-get install dcmtk.")

    def drawn(picture: Dataset, state: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        (tmp_path / "image.dcm").write_bytes(to_part10_bytes(picture))
        (tmp_path / "state.dcm").write_bytes(to_part10_bytes(state))
        return ours(picture, state), theirs(tmp_path / "image.dcm", tmp_path / "state.dcm", tmp_path / "out.pgm")

    return drawn


def ours(picture: Dataset, state: Dataset, parameters: RenderParameters | None = None) -> NDArray[np.int64]:
    description = describe(picture)
    kind = "i" if picture.PixelRepresentation else "u"
    cells = np.frombuffer(picture.PixelData, f"<{kind}{picture.BitsAllocated // 8}")
    values = cells[: picture.Rows * picture.Columns].reshape(picture.Rows, picture.Columns)
    stated = read_presentation_state(state).for_frame(
        str(picture.SOPInstanceUID), 1, signed=bool(picture.PixelRepresentation)
    )
    frame = Frame(values, str(picture.PhotometricInterpretation))
    return render_frame(frame, description, 1, parameters or RenderParameters(), state=stated).astype(np.int64)


def theirs(picture: Path, state: Path, out: Path) -> NDArray[np.int64]:
    subprocess.run([DCMP2PGM, "-p", str(state), str(picture), str(out)], check=True, capture_output=True, timeout=60)
    with Image.open(out) as drawn:
        return np.asarray(drawn).astype(np.int64)


def twelve_bits(**attributes: Any) -> Dataset:
    """Every value of 12 bits once, with a header that must not be used."""
    return image(ramp(64, 64), **{"BitsStored": 12, "WindowCenter": 100, "WindowWidth": 50, **attributes})


def modality_table() -> Dataset:
    table = lut(CURVE)
    table.ModalityLUTType = "US"
    return table


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        WINDOW,
        {**WINDOW, "PresentationLUTShape": "INVERSE"},
        {**WINDOW, "RescaleSlope": 2, "RescaleIntercept": -1000, "RescaleType": "US"},
        {"RescaleSlope": 2, "RescaleIntercept": -1000, "RescaleType": "US"},
        {"SoftcopyVOILUTSequence": [softcopy_lut(CURVE)]},
        {"SoftcopyVOILUTSequence": [softcopy_lut([entry >> 4 for entry in CURVE], bits=12)]},
        {"SoftcopyVOILUTSequence": [softcopy_lut(CURVE[:1000], first=700)]},
        {"ModalityLUTSequence": [modality_table()]},
        {"ModalityLUTSequence": [modality_table()], "SoftcopyVOILUTSequence": [softcopy_window(30000, 20000)]},
    ],
    ids=[
        "identity",
        "window",
        "window inverse",
        "rescale and window",
        "rescale",
        "VOI LUT",
        "VOI LUT of 12 bits",
        "part of a VOI LUT",
        "modality LUT",
        "modality LUT and window",
    ],
)
def test_grey_levels_are_equal(compare: Compare, attributes: dict[str, Any]) -> None:
    picture = twelve_bits()

    our, their = compare(picture, presentation_state(picture, **attributes))

    assert np.array_equal(our, their)


@pytest.mark.parametrize("attributes", [{}, WINDOW], ids=["identity", "window"])
def test_photometric_interpretation_has_no_part_in_it(compare: Compare, attributes: dict[str, Any]) -> None:
    picture = twelve_bits(PhotometricInterpretation="MONOCHROME1")

    our, their = compare(picture, presentation_state(picture, **attributes))

    assert np.array_equal(our, their)
    assert our[0, 0] < our[-1, -1]


@pytest.mark.parametrize("attributes", [{}, {"SoftcopyVOILUTSequence": [softcopy_window(0, 1000)]}])
def test_signed_values_are_equal(compare: Compare, attributes: dict[str, Any]) -> None:
    picture = image(ramp(64, 64, start=-2048), PixelRepresentation=1)

    our, their = compare(picture, presentation_state(picture, **attributes))

    assert np.array_equal(our, their)


def root_table(entries: int, bits: int) -> Dataset:
    return lut([int(((1 << bits) - 1) * (index / (entries - 1)) ** 0.5) for index in range(entries)], bits=bits)


@pytest.mark.parametrize(("entries", "bits"), [(256, 8), (256, 16), (4096, 12), (4096, 16)])
def test_a_presentation_lut_after_a_window_is_equal(compare: Compare, entries: int, bits: int) -> None:
    picture = twelve_bits()
    table = {"PresentationLUTShape": None, "PresentationLUTSequence": [root_table(entries, bits)]}

    our, their = compare(picture, presentation_state(picture, **WINDOW, **table))

    assert np.array_equal(our, their)


@pytest.mark.parametrize("voi", [{}, {"SoftcopyVOILUTSequence": [softcopy_lut(CURVE)]}], ids=["identity", "VOI LUT"])
@pytest.mark.parametrize(("entries", "bits"), [(256, 16), (1024, 12), (4096, 16)])
def test_a_presentation_lut_after_identity_or_a_table_differs_by_one_at_most(
    compare: Compare, voi: dict[str, Any], entries: int, bits: int
) -> None:
    # dcmtk then drops the low bits of P-values, after a window it scales them. We scale them always:
    # the highest P-value of n bits is 2^n - 1 (PS3.3 C.11.6.1.1) and white.
    picture = twelve_bits()
    table = {"PresentationLUTShape": None, "PresentationLUTSequence": [root_table(entries, bits)]}

    our, their = compare(picture, presentation_state(picture, **voi, **table))

    assert int(np.abs(our - their).max()) <= 1


def test_an_inverted_identity_reaches_black_and_white(compare: Compare) -> None:
    # On purpose: dcmtk's inverted picture begins at 254. Ours is the complement of the one that is not inverted.
    picture = twelve_bits()

    our, their = compare(picture, presentation_state(picture, PresentationLUTShape="INVERSE"))

    assert np.array_equal(our, 255 - (ramp(64, 64) >> 4))
    assert int(np.abs(our - their).max()) <= 1


def test_a_bitmap_shutter_is_equal(compare: Compare) -> None:
    picture = twelve_bits()
    ones = np.zeros((64, 64), np.uint8)
    ones[:5], ones[:, 60:], ones[30, 7] = 1, 1, 1
    state = presentation_state(
        picture, **WINDOW, ShutterShape="BITMAP", ShutterOverlayGroup=0x6000, ShutterPresentationValue=0x5555
    )
    for element, vr, value in (
        (0x0010, "US", 64),
        (0x0011, "US", 64),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x3000, "OW", np.packbits(ones.ravel(), bitorder="little").tobytes()),
    ):
        state.add_new(0x60000000 | element, vr, value)

    our, their = compare(picture, state)

    assert (our[ones == 1] == 0x55).all()
    assert np.array_equal(our, their)


def test_a_real_state_of_a_real_image_is_equal(data_dir: Path, tmp_path: Path) -> None:
    if shutil.which(DCMP2PGM) is None:
        pytest.skip("dcmtk is not installed: apt-get install dcmtk.")
    decoded = tmp_path / "image.dcm"
    source = data_dir / "mr_series/mister_mr/cor_t1/0007.dcm"
    subprocess.run([DCMDJPLS, str(source), str(decoded)], check=True, timeout=60)
    state = data_dir / "presentation/derived_gsps_mister_cor7.dcm"

    our = ours(dcmread(decoded), read_dataset(state), RenderParameters(overlays=False))
    their = theirs(decoded, state, tmp_path / "out.pgm")

    assert np.array_equal(our, their)
