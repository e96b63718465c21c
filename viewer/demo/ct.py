"""CT of the torso phantom: axial slices in Hounsfield units (CT Image IOD, PS3.3 A.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from scipy.ndimage import gaussian_filter

from viewer.demo.anatomy import Findings
from viewer.demo.canvas import Canvas, smoothstep
from viewer.demo.headers import DemoVisit, new_dataset, put_pixels
from viewer.demo.objects import DemoObject, Maker
from viewer.demo.torso import paint_torso

RESCALE_INTERCEPT = -1024


@dataclass(frozen=True, slots=True)
class AxialGrid:
    """Where the pixels of a series of axial slices lie; slice 1 is the one nearest the head."""

    size: int
    """Rows, and columns."""
    spacing_mm: float
    slices: int
    slice_spacing_mm: float
    top_mm: float
    """Position of slice 1, z."""

    def axis_mm(self) -> NDArray[np.float64]:
        """Return x of the columns, which are also y of the rows."""
        return np.asarray((np.arange(self.size) - (self.size - 1) / 2) * self.spacing_mm)

    def z_mm(self, slice_number: int) -> float:
        return self.top_mm - (slice_number - 1) * self.slice_spacing_mm

    def position(self, slice_number: int) -> list[str]:
        """Return Image Position (Patient) of a slice."""
        first = self.axis_mm()[0]
        return [f"{first:.3f}", f"{first:.3f}", f"{self.z_mm(slice_number):.3f}"]


@dataclass(frozen=True, slots=True)
class CtProtocol:
    """How a series is taken."""

    grid: AxialGrid
    findings: Findings
    series: str = "ct"
    series_number: int = 2
    description: str = "Chest abdomen arterial 2.5"
    noise_hu: float = 11.0
    convolution_kernel: str = "B30f"
    taken_after: timedelta = timedelta(minutes=2)


CHEST_ABDOMEN = CtProtocol(AxialGrid(512, 0.78, 120, 2.5, 150.0), Findings())


def ct_values(protocol: CtProtocol, slice_number: int) -> NDArray[np.int16]:
    """Return one slice in HU, ``(rows, columns)``, with noise and the blur of reconstruction."""
    grid = protocol.grid
    axis = grid.axis_mm()
    canvas = Canvas(axis, axis, grid.z_mm(slice_number), edge_mm=1.1 * grid.spacing_mm)
    paint_torso(canvas, protocol.findings)
    random = np.random.default_rng([slice_number, grid.size])
    noise = gaussian_filter(random.standard_normal(canvas.hu.shape, dtype=np.float32), 0.75)
    noise *= protocol.noise_hu / noise.std()
    # Air is quieter than the body, which attenuates.
    level = 0.35 + 0.65 * smoothstep(canvas.hu, -1000, -300)
    hu = np.rint(canvas.hu + noise * level)
    return np.asarray(np.clip(hu, RESCALE_INTERCEPT, 3071), dtype=np.int16)


def ct_object(visit: DemoVisit, protocol: CtProtocol, slice_number: int) -> DemoObject:
    """Make one slice."""
    grid = protocol.grid
    ds = new_dataset(
        visit,
        sop_class_uid=CTImageStorage,
        modality="CT",
        series=protocol.series,
        series_number=protocol.series_number,
        series_description=protocol.description,
        instance_number=slice_number,
        taken_after=protocol.taken_after,
        model="Phantom CT",
    )
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionDate, ds.AcquisitionTime = ds.ContentDate, ds.ContentTime
    ds.AcquisitionNumber = 1
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime = "120", 240, 500
    ds.ConvolutionKernel = protocol.convolution_kernel
    ds.GantryDetectorTilt = "0"
    if protocol.findings.contrast:
        ds.ContrastBolusAgent = "Phantom contrast"
    put_axial_plane(ds, visit, grid, slice_number)
    put_pixels(ds, rows=grid.size, columns=grid.size, bits_stored=16, signed=True)
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = str(RESCALE_INTERCEPT), "1", "HU"
    ds.WindowCenter, ds.WindowWidth = "40", "400"
    stored = ct_values(protocol, slice_number) - np.int16(RESCALE_INTERCEPT)
    ds.PixelData = stored.astype("<i2").tobytes()
    return DemoObject(ds)


def put_axial_plane(ds: Dataset, visit: DemoVisit, grid: AxialGrid, slice_number: int) -> None:
    """Frame of Reference and Image Plane modules (PS3.3 C.7.4.1, C.7.6.2)."""
    ds.PatientPosition = "HFS"
    ds.FrameOfReferenceUID = visit.frame_of_reference_uid
    ds.PositionReferenceIndicator = ""
    ds.ImagePositionPatient = grid.position(slice_number)
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = [f"{grid.spacing_mm:g}"] * 2
    ds.SliceThickness = f"{grid.slice_spacing_mm:g}"
    ds.SliceLocation = f"{grid.z_mm(slice_number):.3f}"


def ct_series(visit: DemoVisit, protocol: CtProtocol) -> list[Maker]:
    """All slices, from the head down."""
    return [partial(ct_object, visit, protocol, number) for number in range(1, protocol.grid.slices + 1)]
