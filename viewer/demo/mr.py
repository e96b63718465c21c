"""MR of the head phantom in three planes of one frame of reference (MR Image IOD, PS3.3 A.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import MRImageStorage
from scipy.ndimage import map_coordinates

from viewer.demo.head import FIRST_MM, STEP_MM, head
from viewer.demo.headers import DemoVisit, new_dataset, put_pixels
from viewer.demo.objects import DemoObject, Maker

SIGNAL = 1500
"""Stored value of the brightest tissue."""
NOISE = 0.016
"""Standard deviation of each of the two channels, as a fraction of the brightest tissue."""
MATRIX = 256

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class MrProtocol:
    """A series of parallel planes: where they lie, and how they are weighted."""

    series: str
    number: int
    description: str
    row_direction: Vector
    """Along a row, to the right of the picture (LPS)."""
    column_direction: Vector
    center_mm: Vector
    """Middle of the middle plane."""
    spacing_mm: float
    slices: int
    slice_spacing_mm: float
    thickness_mm: float
    t2: bool
    repetition_ms: float
    echo_ms: float
    echo_train: int
    window: tuple[int, int]
    """Center and width."""

    def normal(self) -> NDArray[np.float64]:
        return np.asarray(np.cross(self.row_direction, self.column_direction))

    def corner_mm(self, slice_number: int) -> NDArray[np.float64]:
        """Image Position (Patient): the middle of the first pixel sent."""
        half = (MATRIX - 1) / 2 * self.spacing_mm
        along = (slice_number - (self.slices + 1) / 2) * self.slice_spacing_mm
        directions = np.array([self.row_direction, self.column_direction])
        return np.asarray(np.array(self.center_mm) - half * directions.sum(axis=0) + along * self.normal())


PROTOCOLS = (
    MrProtocol(
        "t2 axial", 2, "T2 TSE axial", (1, 0, 0), (0, 1, 0), (0, -2, 18),
        0.9, 24, 6.0, 5.0, t2=True, repetition_ms=4800, echo_ms=98, echo_train=15, window=(620, 1150),
    ),
    MrProtocol(
        "t1 coronal", 3, "T1 SE coronal", (1, 0, 0), (0, 0, -1), (0, -4, -4),
        0.9, 24, 7.0, 5.0, t2=False, repetition_ms=520, echo_ms=11, echo_train=1, window=(600, 1150),
    ),
    MrProtocol(
        "t1 sagittal", 4, "T1 SE sagittal", (0, 1, 0), (0, 0, -1), (0, -8, -4),
        0.9, 24, 6.0, 5.0, t2=False, repetition_ms=520, echo_ms=11, echo_train=1, window=(600, 1150),
    ),
)  # fmt: skip


def signal(protocol: MrProtocol, slice_number: int) -> NDArray[np.float32]:
    """Return the signal of one plane in 0..1, the mean over its thickness, without noise."""
    volume = head().t2 if protocol.t2 else head().t1
    steps = np.arange(MATRIX) * protocol.spacing_mm
    corner = protocol.corner_mm(slice_number)
    total = np.zeros((MATRIX, MATRIX), dtype=np.float32)
    for through in (-0.33, 0.0, 0.33):
        start = corner + through * protocol.thickness_mm * protocol.normal()
        samples = []
        for axis, first in zip((2, 1, 0), FIRST_MM, strict=True):
            along = protocol.row_direction[axis] * steps[None, :] + protocol.column_direction[axis] * steps[:, None]
            samples.append((start[axis] + along - first) / STEP_MM)
        total += map_coordinates(volume, np.stack(samples), order=1, output=np.float32)
    return np.asarray(total / 3, dtype=np.float32)


def stored_values(protocol: MrProtocol, slice_number: int) -> NDArray[np.uint16]:
    """Return the magnitude image: coil shading and Rician noise upon the signal."""
    clean = signal(protocol, slice_number)
    place = np.linspace(-1, 1, MATRIX, dtype=np.float32)
    clean *= 1.06 - 0.16 * (place[None, :] ** 2 + 0.7 * place[:, None] ** 2) + 0.05 * place[:, None]
    random = np.random.default_rng([protocol.number, slice_number])
    noise = NOISE * random.standard_normal((2, MATRIX, MATRIX), dtype=np.float32)
    magnitude = np.hypot(clean + noise[0], noise[1])
    return np.asarray(np.clip(np.rint(magnitude * SIGNAL), 0, 4095), dtype=np.uint16)


def mr_object(visit: DemoVisit, protocol: MrProtocol, slice_number: int) -> DemoObject:
    """Make one plane."""
    ds = new_dataset(
        visit,
        sop_class_uid=MRImageStorage,
        modality="MR",
        series=protocol.series,
        series_number=protocol.number,
        series_description=protocol.description,
        instance_number=slice_number,
        taken_after=timedelta(minutes=4 * protocol.number),
        model="Phantom MR",
    )
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    ds.AcquisitionDate, ds.AcquisitionTime, ds.AcquisitionNumber = ds.ContentDate, ds.ContentTime, 1
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "SE", "SK" if protocol.t2 else "NONE", ""
    ds.MRAcquisitionType, ds.SequenceName = "2D", "tse" if protocol.t2 else "se"
    ds.RepetitionTime, ds.EchoTime = f"{protocol.repetition_ms:g}", f"{protocol.echo_ms:g}"
    ds.EchoTrainLength, ds.EchoNumbers, ds.NumberOfAverages = protocol.echo_train, 1, "1"
    ds.MagneticFieldStrength, ds.ImagingFrequency, ds.ImagedNucleus = "1.5", "63.87", "1H"
    ds.FlipAngle, ds.PixelBandwidth = "90", "130"
    corner = protocol.corner_mm(slice_number)
    ds.PatientPosition = "HFS"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = visit.frame_of_reference_uid, ""
    ds.ImagePositionPatient = [f"{value:.4f}" for value in corner]
    ds.ImageOrientationPatient = [f"{value:g}" for value in (*protocol.row_direction, *protocol.column_direction)]
    ds.PixelSpacing = [f"{protocol.spacing_mm:g}"] * 2
    ds.SliceThickness, ds.SpacingBetweenSlices = f"{protocol.thickness_mm:g}", f"{protocol.slice_spacing_mm:g}"
    ds.SliceLocation = f"{float(corner @ protocol.normal()):.4f}"
    put_pixels(ds, rows=MATRIX, columns=MATRIX, bits_stored=12, signed=False)
    ds.WindowCenter, ds.WindowWidth = (str(value) for value in protocol.window)
    ds.PixelData = stored_values(protocol, slice_number).astype("<u2").tobytes()
    return DemoObject(ds)


def mr_study(visit: DemoVisit) -> list[Maker]:
    """The three series, one after the other."""
    return [
        partial(mr_object, visit, protocol, number)
        for protocol in PROTOCOLS
        for number in range(1, protocol.slices + 1)
    ]
