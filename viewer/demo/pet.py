"""PET of the torso phantom: FDG in Bq/ml with a slope for each slice (PET Image IOD, PS3.3 A.21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import PositronEmissionTomographyImageStorage
from scipy.ndimage import gaussian_filter

from viewer.demo.anatomy import Findings
from viewer.demo.canvas import Canvas
from viewer.demo.ct import AxialGrid, CtProtocol, ct_series, put_axial_plane
from viewer.demo.headers import DemoVisit, code_item, dicom_date, dicom_time, new_dataset, put_pixels
from viewer.demo.objects import DemoObject, Maker
from viewer.demo.torso import paint_torso

HALF_LIFE_S = 6586.2
"""Of fluorine 18."""
INJECTED_BQ = 312.0e6
UPTAKE = timedelta(minutes=61)
"""From injection to the start of the series."""
BED_TIME = timedelta(minutes=3)
BED_SLICES = 20
RESOLUTION_MM = 5.5
"""Full width at half maximum."""

FINDINGS = Findings(nodule_mm=9.0, liver_lesion_mm=12.0, lymph_node_mm=8.0, metastasis_mm=10.0, contrast=False)
GRID = AxialGrid(128, 3.125, 40, 6.0, 150.0)
CT_OF_PET = CtProtocol(
    AxialGrid(512, 0.78125, 40, 6.0, 150.0),
    FINDINGS,
    series="ac ct",
    series_number=1,
    description="AC CT low dose",
    noise_hu=22.0,
    convolution_kernel="B19f",
    taken_after=timedelta(minutes=1),
)
PET_AFTER = timedelta(minutes=4)
"""From the start of the study to the PET series."""


@dataclass(frozen=True, slots=True)
class Dose:
    """What was given, and when."""

    injected_at: datetime
    bq: float = INJECTED_BQ

    def left_at(self, moment: datetime) -> float:
        """Activity in Bq after decay."""
        return float(self.bq * 0.5 ** ((moment - self.injected_at).total_seconds() / HALF_LIFE_S))


def suv_values(slice_number: int) -> NDArray[np.float32]:
    """Return one slice as SUV by body weight, g/ml, with the blur and the noise of a scanner."""
    axis = GRID.axis_mm()
    canvas = Canvas(axis, axis, GRID.z_mm(slice_number), edge_mm=1.2 * GRID.spacing_mm)
    paint_torso(canvas, FINDINGS)
    random = np.random.default_rng([slice_number, 18])
    suv = gaussian_filter(canvas.suv, RESOLUTION_MM / 2.355 / GRID.spacing_mm)
    noise = gaussian_filter(random.standard_normal(suv.shape, dtype=np.float32), 0.7)
    suv += 0.11 * np.sqrt(suv + 0.02) * noise / noise.std()
    return np.asarray(np.maximum(suv, 0), dtype=np.float32)


def pet_object(visit: DemoVisit, slice_number: int) -> DemoObject:
    """Make one slice; its slope spends all of 15 bits on its own maximum."""
    series_start = visit.begun + PET_AFTER
    dose = Dose(series_start - UPTAKE)
    bq_per_ml = suv_values(slice_number) * np.float32(dose.left_at(series_start) / (visit.patient.weight_kg * 1000))
    slope = float(f"{max(float(bq_per_ml.max()), 1.0) / 32767:.9g}")
    stored = np.clip(np.rint(bq_per_ml / slope), 0, 32767).astype("<i2")
    ds = new_dataset(
        visit,
        sop_class_uid=PositronEmissionTomographyImageStorage,
        modality="PT",
        series="pet",
        series_number=2,
        series_description="PET AC",
        instance_number=slice_number,
        taken_after=PET_AFTER,
        model="Phantom PET/CT",
    )
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    put_axial_plane(ds, visit, GRID, slice_number)
    del ds.PatientPosition  # PS3.3 C.7.3.1.1.2: not beside Patient Orientation Code Sequence.
    put_pixels(ds, rows=GRID.size, columns=GRID.size, bits_stored=16, signed=True)
    ds.RescaleIntercept, ds.RescaleSlope = "0", f"{slope:.9g}"
    _put_series(ds, dose)
    _put_timing(ds, series_start, slice_number)
    ds.PixelData = stored.tobytes()
    return DemoObject(ds)


def _put_series(ds: Dataset, dose: Dose) -> None:
    """PET Series and PET Isotope modules (PS3.3 C.8.9.1, C.8.9.2)."""
    ds.Units, ds.CountsSource, ds.SeriesType = "BQML", "EMISSION", ["STATIC", "IMAGE"]
    ds.NumberOfSlices = GRID.slices
    ds.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"]
    ds.RandomsCorrectionMethod, ds.AttenuationCorrectionMethod = "DLYD", "CT derived mu map"
    ds.ScatterCorrectionMethod, ds.ReconstructionMethod = "Model based", "OSEM 3i21s"
    ds.DecayCorrection, ds.CollimatorType = "START", "NONE"
    item = Dataset()
    item.Radiopharmaceutical = "Fluorodeoxyglucose F^18^"
    item.RadiopharmaceuticalRoute = "Intravenous route"
    item.RadiopharmaceuticalStartTime = dicom_time(dose.injected_at)
    item.RadiopharmaceuticalStartDateTime = f"{dose.injected_at:%Y%m%d%H%M%S}"
    item.RadionuclideTotalDose = f"{dose.bq:.0f}"
    item.RadionuclideHalfLife = f"{HALF_LIFE_S:g}"
    item.RadionuclidePositronFraction = "0.967"
    item.RadionuclideCodeSequence = Sequence([code_item("77004003", "SCT", "^18^Fluorine")])
    item.RadiopharmaceuticalCodeSequence = Sequence([code_item("35321007", "SCT", "Fluorodeoxyglucose F^18^")])
    ds.RadiopharmaceuticalInformationSequence = Sequence([item])
    ds.PatientOrientationCodeSequence = Sequence([code_item("102538003", "SCT", "recumbent")])
    ds.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = Sequence(
        [code_item("40199007", "SCT", "supine")]
    )
    ds.PatientGantryRelationshipCodeSequence = Sequence([code_item("102540008", "SCT", "headfirst")])


def _put_timing(ds: Dataset, series_start: datetime, slice_number: int) -> None:
    """Acquisition of the bed position that the slice belongs to (PS3.3 C.8.9.4); values are corrected to the start."""
    begun = series_start + BED_TIME * ((slice_number - 1) // BED_SLICES)
    ds.AcquisitionDate, ds.AcquisitionTime = dicom_date(begun), dicom_time(begun)
    middle_s = (begun - series_start + BED_TIME / 2).total_seconds()
    ds.FrameReferenceTime = f"{1000 * middle_s:.0f}"
    ds.ActualFrameDuration = int(BED_TIME.total_seconds() * 1000)
    ds.DecayFactor = f"{2 ** (middle_s / HALF_LIFE_S):.6f}"
    ds.ImageIndex = slice_number


def pet_ct_study(visit: DemoVisit) -> list[Maker]:
    """The CT that attenuation is corrected with, then the PET, both from the head down."""
    return ct_series(visit, CT_OF_PET) + [partial(pet_object, visit, number) for number in range(1, GRID.slices + 1)]
