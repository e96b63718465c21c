"""A screening mammogram of four views (Digital Mammography X-Ray Image IOD for presentation, PS3.3 A.27).

Two devices: the right breast in pixels of 0.07 mm, the left in pixels of 0.1 mm. The left oblique view
was acquired flipped: its chest wall lies at the right edge, and PatientOrientation says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation, HTJ2KLossless, JPEGLSLossless

from archive.dicom.transfer_syntaxes import HTJ2K_LOSSLESS, JPEG_LS_LOSSLESS
from archive.pixels.encode import encode_frame
from viewer.demo.breast import BreastView, draw_breast
from viewer.demo.headers import DemoVisit, code_item, demo_uid, new_dataset, put_pixels
from viewer.demo.objects import DemoObject, Maker

PADDING = 0
"""Stored value of air."""
VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}


@dataclass(frozen=True, slots=True)
class MammographyView:
    """One exposure."""

    laterality: str
    position: str
    drawing: BreastView
    flipped: bool = False
    """Acquired the other way round than such a view is hung."""
    transfer_syntax_uid: str = JPEGLSLossless

    @property
    def name(self) -> str:
        return f"{self.laterality}{self.position}"

    @property
    def chest_wall_right(self) -> bool:
        """True where the chest wall lies at the right edge of the stored picture."""
        return (self.laterality == "R") != self.flipped

    def patient_orientation(self) -> list[str]:
        """Directions of the rows and of the columns (PS3.3 C.7.6.1.1.1): the top of a view is lateral."""
        medial = "L" if self.laterality == "R" else "R"
        return ["P" if self.chest_wall_right else "A", medial if self.position == "CC" else f"F{medial}"]


VIEWS = (
    MammographyView("R", "CC", BreastView(False, 4096, 3328, 0.07, 1001, (58.0, 118.0), (44.0, 152.0))),
    MammographyView("L", "CC", BreastView(False, 4000, 3000, 0.10, 1002), transfer_syntax_uid=HTJ2KLossless),
    MammographyView("R", "MLO", BreastView(True, 4096, 3328, 0.07, 1003, (60.0, 104.0), (46.0, 150.0))),
    MammographyView(
        "L", "MLO", BreastView(True, 4000, 3000, 0.10, 1004), flipped=True, transfer_syntax_uid=HTJ2KLossless
    ),
)


def stored_values(view: MammographyView) -> NDArray[np.uint16]:
    """Return the picture as stored."""
    picture = draw_breast(view.drawing)
    return np.ascontiguousarray(picture[:, ::-1]) if view.chest_wall_right else picture


def compressed(values: NDArray[np.uint16], transfer_syntax_uid: str) -> bytes:
    """Compress a frame without loss, as JPEG-LS or HTJ2K."""
    if transfer_syntax_uid == JPEGLSLossless:
        return encode_frame(values, transfer_syntax_uid=JPEG_LS_LOSSLESS)
    return encode_frame(values, transfer_syntax_uid=HTJ2K_LOSSLESS)


def mammography_object(visit: DemoVisit, number: int) -> DemoObject:
    """Make one view, counted from 1."""
    view = VIEWS[number - 1]
    drawing = view.drawing
    ds = new_dataset(
        visit,
        sop_class_uid=DigitalMammographyXRayImageStorageForPresentation,
        modality="MG",
        series=view.name,
        series_number=number,
        series_description=f"{view.laterality} {view.position}",
        instance_number=1,
        taken_after=timedelta(minutes=number),
        model=f"Phantom MG {drawing.spacing_mm:g}",
    )
    _put_view(ds, view)
    _put_exposure(ds, view)
    put_pixels(ds, rows=drawing.rows, columns=drawing.columns, bits_stored=12, signed=False)
    ds.PixelPaddingValue = PADDING
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape, ds.LossyImageCompression = "IDENTITY", "00"
    ds.WindowCenter, ds.WindowWidth = ["1950", "2250"], ["2500", "2300"]
    ds.WindowCenterWidthExplanation = ["NORMAL", "DENSE"]
    codestream = compressed(stored_values(view), view.transfer_syntax_uid)
    ds.PixelData = encapsulate([codestream])
    ds["PixelData"].VR = "OB"
    return DemoObject(ds, UID(view.transfer_syntax_uid))


def _put_view(ds: Dataset, view: MammographyView) -> None:
    """Which breast from where (PS3.3 C.8.11.5, C.8.11.7)."""
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.ImageLaterality, ds.ViewPosition = view.laterality, view.position
    value, meaning = VIEW_CODES[view.position]
    item = code_item(value, "SCT", meaning)
    item.ViewModifierCodeSequence = Sequence([])
    ds.ViewCodeSequence = Sequence([item])
    ds.PatientOrientation = view.patient_orientation()
    ds.AnatomicRegionSequence = Sequence([code_item("76752008", "SCT", "Breast")])
    ds.OrganExposed, ds.BodyPartExamined, ds.BreastImplantPresent = "BREAST", "BREAST", "NO"
    ds.AcquisitionContextSequence = Sequence([])
    ds.PositionerType = "MAMMOGRAPHIC"
    ds.PositionerPrimaryAngle = "0" if view.position == "CC" else {"R": "-45", "L": "45"}[view.laterality]


def _put_exposure(ds: Dataset, view: MammographyView) -> None:
    """Detector and exposure (PS3.3 C.8.11.4, C.8.7.5)."""
    spacing = f"{view.drawing.spacing_mm:g}"
    ds.ImagerPixelSpacing = [spacing, spacing]
    ds.EstimatedRadiographicMagnificationFactor = f"{660 / 628:.4f}"
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "660", "628"
    ds.DetectorType, ds.DetectorConfiguration = "DIRECT", "AREA"
    ds.DetectorID, ds.DetectorDescription = f"D{spacing}", "Phantom detector"
    ds.KVP, ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure = "29", 850, 100, 85
    ds.AnodeTargetMaterial, ds.FilterMaterial = "TUNGSTEN", "RHODIUM"
    ds.CompressionForce, ds.BodyPartThickness = "98", "56"
    ds.EntranceDoseInmGy, ds.OrganDose = "4.2", "0.012"
    ds.IrradiationEventUID = demo_uid("irradiation event", str(ds.SOPInstanceUID))


def mammography_study(visit: DemoVisit) -> list[Maker]:
    """The four views."""
    return [partial(mammography_object, visit, number) for number in range(1, len(VIEWS) + 1)]
