"""A chest radiograph: the torso phantom projected from behind to front (CR Image IOD, PS3.3 A.2).

MONOCHROME1: low stored values are dense and shown bright. The window is a sigmoid; outside the
collimated field all is black.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage
from scipy.ndimage import gaussian_filter

from viewer.demo.anatomy import Findings
from viewer.demo.canvas import Canvas, Plane, enlarge, smoothstep
from viewer.demo.headers import DemoVisit, code_item, new_dataset, put_pixels
from viewer.demo.objects import DemoObject, Maker, in_order
from viewer.demo.torso import paint_torso

ROWS, COLUMNS = 2500, 2048
SPACING_MM = 0.175
TOP_MM = 235.0
"""Height of the first row."""
STEP_X_MM, STEP_Y_MM, STEP_Z_MM = 0.7, 2.0, 1.75
COLLIMATED_MM = (12.0, 9.0)
"""Shut off at the top and bottom, and at the sides."""
FINDINGS = Findings(nodule_mm=10.0, contrast=False)
WINDOW = (2200, 2000)


def _column_density(z_mm: float) -> NDArray[np.float32]:
    """Return the path through tissue along y for the columns of one height, in mm of water."""
    x = (np.arange(512) - 255.5) * STEP_X_MM
    y = (np.arange(136) - 67.5) * STEP_Y_MM
    canvas = Canvas(x, y, z_mm, edge_mm=1.0)
    paint_torso(canvas, FINDINGS, couch=False)
    # Bone weighs more at the energies of a radiograph than its Hounsfield units say.
    attenuation = np.maximum(canvas.hu / 1000 + 1, 0) + 0.9 * np.maximum(canvas.hu / 1000 - 0.1, 0)
    return np.asarray(attenuation.sum(axis=0) * STEP_Y_MM, dtype=np.float32)


@cache
def density() -> Plane:
    """Return the projection over the whole picture, mm of water, ``(rows, columns)`` of the phantom's grid."""
    heights = TOP_MM - (np.arange(round(ROWS * SPACING_MM / STEP_Z_MM)) + 0.5) * STEP_Z_MM
    return np.stack(list(in_order(_column_density, heights.tolist())))


def stored_values() -> NDArray[np.uint16]:
    """Return the picture, 12 bits: more for more exposure."""
    whole = density()
    wide = round(COLUMNS * SPACING_MM / STEP_X_MM)
    first = (whole.shape[1] - wide) // 2
    water = enlarge(np.ascontiguousarray(whole[:, first : first + wide]), ROWS, COLUMNS)
    # Exposure falls exponentially and its logarithm is stored; broad differences are evened out, as readers do.
    smooth = enlarge(gaussian_filter(whole[:, first : first + wide], 9), ROWS, COLUMNS)
    level = 3500 - 12 * (water - smooth) - 7 * smooth
    random = np.random.default_rng(2048)
    level += 9 * random.standard_normal(level.shape, dtype=np.float32)
    shown = _shutters()
    return np.asarray(np.clip(level * shown + 4095 * (1 - shown), 0, 4095), dtype=np.uint16)


@cache
def _shutters() -> Plane:
    """1 inside the collimated field, 0 outside, with a penumbra."""
    rows = (np.arange(ROWS, dtype=np.float32) * SPACING_MM)[:, None]
    columns = (np.arange(COLUMNS, dtype=np.float32) * SPACING_MM)[None, :]
    vertical = np.minimum(rows, ROWS * SPACING_MM - rows) - COLLIMATED_MM[0]
    across = np.minimum(columns, COLUMNS * SPACING_MM - columns) - COLLIMATED_MM[1]
    return smoothstep(np.minimum(vertical, across), -0.6, 0.6)


def radiograph_object(visit: DemoVisit) -> DemoObject:
    """Make the picture."""
    ds = new_dataset(
        visit,
        sop_class_uid=ComputedRadiographyImageStorage,
        modality="CR",
        series="chest",
        series_number=1,
        series_description="Chest PA",
        instance_number=1,
        taken_after=timedelta(minutes=1),
        model="Phantom CR",
    )
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.BodyPartExamined, ds.ViewPosition = "CHEST", "PA"
    ds.PatientOrientation = ["L", "F"]
    ds.KVP, ds.ExposureTime, ds.XRayTubeCurrent = "125", 6, 320
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "1800", "1560"
    ds.ImagerPixelSpacing = [f"{SPACING_MM:g}"] * 2
    put_pixels(ds, rows=ROWS, columns=COLUMNS, bits_stored=12, signed=False, photometric="MONOCHROME1")
    ds.WindowCenter, ds.WindowWidth = (str(value) for value in WINDOW)
    ds.VOILUTFunction = "SIGMOID"
    ds.LossyImageCompression = "00"
    ds.AnatomicRegionSequence = Sequence([code_item("51185008", "SCT", "Chest")])
    ds.PixelData = stored_values().astype("<u2").tobytes()
    return DemoObject(ds)


def radiograph_study(visit: DemoVisit) -> list[Maker]:
    """The one picture."""
    return [partial(radiograph_object, visit)]
