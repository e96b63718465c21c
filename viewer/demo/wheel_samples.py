"""The images that pydicom's wheel ships: small real objects in many encodings, sent as they are.

Of files that share a SOP Instance UID one is taken. Left out are those without UIDs, and those whose
file meta information names another instance than the data set, which an archive sets aside.
"""

from __future__ import annotations

from pathlib import Path

from pydicom.data import get_testdata_file

WHEEL_SAMPLES: tuple[str, ...] = (
    "CT_small.dcm",
    "MR_small.dcm",
    "693_J2KI.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG-lossy.dcm",
    "JPEG2000.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "ExplVR_BigEnd.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_jpeg_no_color_transform_2.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_dcmtk_+eb+cy+s2.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_jpeg.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_jpeg_lossy_gdcm.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_small_odd.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_jpeg2k.dcm",
    "examples_overlay.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "examples_ybr_color.dcm",
    "image_dfl.dcm",
    "liver_1frame.dcm",
    "rtdose_rle.dcm",
    "rtstruct.dcm",
    "reportsi.dcm",
    "test-SR.dcm",
    "waveform_ecg.dcm",
)


def sample_bytes(name: str) -> bytes:
    """Return one file; never from the network.

    Raises
    ------
    FileNotFoundError
        The installed wheel does not ship it.
    """
    path = get_testdata_file(name, read=False, download=False)
    if path is None:
        raise FileNotFoundError(name)
    return Path(str(path)).read_bytes()
