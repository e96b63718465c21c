"""What drawing, stacking and measuring need to know of one image, as clean values.

Built once from the data set when an instance is indexed, kept as JSON beside its
row, and read back for every tile, so that drawing a frame needs no header parse.
Geometry and grey-scale attributes that may differ between the frames of an
enhanced object stand in ``FrameAttributes`` (PS3.3 C.7.6.16).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.3."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window in the units that leave the modality LUT (HU for CT)."""

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A modality, VOI or palette table (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

    ``entries`` holds the table as little-endian unsigned 16-bit words, expanded
    when the file had it segmented, one word an entry also for 8-bit tables.
    """

    first_mapped: int
    """First stored value mapped; signed where the input of the table is."""
    bits: int
    """Bits of each entry, the third value of the descriptor (8 to 16)."""
    entries: bytes
    explanation: str = ""
    kind: str = ""
    """Modality LUT Type (0028,3004), such as HU, US, OD; empty for other tables."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Red, green and blue palette tables (PS3.3 C.7.9); hashable, as part of a cache key."""

    red: LookupTable
    green: LookupTable
    blue: LookupTable


@dataclass(frozen=True, slots=True)
class OverlayPlane:
    """One 60xx overlay (PS3.3 C.9.2)."""

    group: int
    rows: int
    columns: int
    origin_row: int
    """1 is the first row of the image (PS3.3 C.9.2.1.1); may be 0 or negative."""
    origin_column: int
    bits: bytes | None
    """One bit a pixel, least significant first, frame after frame; None where the bit lies in the pixel cells."""
    bit_position: int = 0
    """Bit of the pixel cell that carries the overlay where ``bits`` is None (retired, still found)."""
    frames: int = 1
    first_frame: int = 1
    """Image Frame Origin (60xx,0051)."""
    is_bound: bool = False
    """That is said, and so a plane of one frame belongs to that image frame alone; else to every frame."""
    kind: str = "G"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Shutter:
    """What covers the parts of a picture that nobody shall look at (PS3.3 C.7.6.11, C.7.6.15).

    Pixels outside any one of the shapes are covered. Rows and columns count from 1.
    """

    rectangle: tuple[int, int, int, int] | None = None
    """Left, right, upper and lower edge."""
    circle: tuple[int, int, int] | None = None
    """Row and column of the center, and the radius in pixels along a row."""
    polygon: tuple[tuple[int, int], ...] = ()
    """Row and column of each vertex."""
    overlay_group: int = 0
    """Group of the overlay whose ones are covered; 0 without a bitmap."""
    presentation_value: int = 0
    """P-value of covered pixels, 0 (black) to 65535."""
    color: tuple[int, int, int] | None = None
    """CIELab value of covered pixels on a color display, as encoded (PS3.3 C.10.7.1.1)."""


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """One item of the Sequence of Ultrasound Regions (PS3.3 C.8.5.5)."""

    x0: int
    y0: int
    x1: int
    y1: int
    units_x: int
    """Physical Units X Direction: 3 is cm, 4 seconds, 7 cm/s (PS3.3 C.8.5.5.1.15)."""
    units_y: int
    delta_x: float
    delta_y: float
    spatial_format: int = 0
    data_type: int = 0
    flags: int = 0
    reference_x: int | None = None
    reference_y: int | None = None


@dataclass(frozen=True, slots=True)
class RealWorldMapping:
    """One Real World Value Mapping (PS3.3 C.7.6.16.2.11): a line, or a table, over a range of stored values."""

    first: float
    """Lowest stored value that is mapped."""
    last: float
    slope: float = 1.0
    intercept: float = 0.0
    table: bytes = b""
    """Little-endian doubles, one for each value from ``first`` on; empty where the line holds."""
    unit: str = ""
    """Code of the unit (UCUM)."""
    meaning: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class MaskOperation:
    """One item of the Mask Subtraction Sequence (PS3.3 C.7.6.10)."""

    kind: str
    """AVG_SUB, TID or REV_TID."""
    ranges: tuple[tuple[int, int], ...] = ()
    """Applicable Frame Range: first and last frame, from 1, inclusive; empty means what the standard assumes."""
    mask_frames: tuple[int, ...] = ()
    """AVG_SUB: frames whose mean is the mask."""
    contrast_frames: int = 1
    """Frames from the contrast frame on that are averaged before the subtraction."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Rows and columns by which the mask is moved, towards higher indices where positive."""
    tid_offset: int = 1
    item_id: int = 0
    """Subtraction Item ID, which Frame Pixel Shift refers to; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class FrameAttributes:
    """What may differ from frame to frame."""

    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    rescale_type: str = ""
    modality_lut: LookupTable | None = None
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[LookupTable, ...] = ()
    shutter: Shutter | None = None
    image_position_patient: tuple[float, float, float] | None = None
    image_orientation_patient: tuple[float, float, float, float, float, float] | None = None
    pixel_spacing: tuple[float, float] | None = None
    """Row spacing first, mm (PS3.3 10.7.1.3)."""
    slice_thickness: float | None = None
    spacing_between_slices: float | None = None
    image_type: tuple[str, ...] = ()
    laterality: str = ""
    echo: str = ""
    b_value: str = ""
    temporal_position: str = ""
    cardiac_phase: str = ""
    patient_orientation: tuple[str, ...] = ()
    units: str = ""
    """Units (0054,1001) of PET (BQML, GML, CNTS), or the code of the Real World Value Mapping."""
    real_world: tuple[RealWorldMapping, ...] = ()
    grey_only: bool = False
    """A frame without the colours that the supplemental palette gives others."""
    mask_shifts: tuple[tuple[int, float, float], ...] = ()
    """Frame Pixel Shift: Subtraction Item ID, rows, columns (PS3.3 C.7.6.16.2.14)."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """How the frames of a whole-slide image make one large picture; read and used in ``tiling``."""

    total_rows: int
    """Rows of the total pixel matrix (0048,0007)."""
    total_columns: int
    kind: str = ""
    """Image Type, value 3: VOLUME, LABEL, OVERVIEW or THUMBNAIL (PS3.3 C.8.12.4.1.1)."""
    focal_planes: int = 1
    optical_paths: tuple[str, ...] = ()
    """Optical Path Identifiers, in the order of their sequence."""
    optical_path_names: tuple[str, ...] = ()
    """Optical Path Description of each, empty where there is none."""
    depths: tuple[float, ...] = ()
    """Distance of each focal plane from the glass, micrometres; empty where it is not said."""
    places: bytes = b""
    """Place of each frame, packed; empty where the order of the frames says it (TILED_FULL)."""
    concatenation: str = ""
    """Concatenation UID (0020,9161)."""
    first_frame: int = 0
    """Frames of the concatenation before this instance's own (0020,9228)."""
    pyramid: str = ""
    """Pyramid UID (0008,0019)."""
    absent_lab: tuple[int, int, int] | None = None
    """Recommended Absent Pixel CIELab Value (0048,0015)."""


@dataclass(frozen=True, slots=True)
class ImageDescription:
    """One image instance; an instance without pixel data has ``rows`` 0."""

    rows: int
    columns: int
    frames: int = 1
    samples_per_pixel: int = 1
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    pixel_representation: int = 0
    pixel_keyword: str = "PixelData"
    """PixelData, FloatPixelData or DoubleFloatPixelData."""
    padding: tuple[float, float] | None = None
    """Lowest and highest padded stored value, inclusive (PS3.3 C.7.5.1.1.2)."""
    presentation_lut_shape: str = ""
    presentation_lut: LookupTable | None = None
    """Presentation LUT Sequence (PS3.3 C.11.6); its entries are P-values."""
    pixel_aspect_ratio: tuple[int, int] | None = None
    """Vertical, horizontal (PS3.3 C.7.6.3.1.7)."""
    imager_pixel_spacing: tuple[float, float] | None = None
    nominal_scanned_pixel_spacing: tuple[float, float] | None = None
    estimated_radiographic_magnification: float | None = None
    pixel_spacing_calibration_type: str = ""
    palette: Palette | None = None
    first_colored: int | None = None
    """Lowest stored value that a supplemental palette colours (PS3.3 C.7.6.19); None where all is grey, or all colour."""
    icc_profile: bytes | None = None
    overlays: tuple[OverlayPlane, ...] = ()
    lossy: bool = False
    lossy_ratio: str = ""
    burned_in_annotation: str = ""
    modality: str = ""
    body_part_examined: str = ""
    view_position: str = ""
    anatomical_orientation_type: str = ""
    presentation_intent: str = ""
    frame_rate: float | None = None
    """Frames a second: Recommended Display Frame Rate, Cine Rate, Frame Time or the mean of the Frame Time Vector."""
    frame_rate_source: str = ""
    frame_times_ms: tuple[float, ...] = ()
    """How long each frame stands, where the Frame Time Vector (0018,1065) gives the rate and its times differ."""
    ultrasound_regions: tuple[UltrasoundRegion, ...] = ()
    masks: tuple[MaskOperation, ...] = ()
    recommended_viewing_mode: str = ""
    """SUB or NAT (0028,1090): whether the image is meant to be seen subtracted."""
    pixel_intensity_relationship: str = ""
    """LIN, LOG, DISP ... (0028,1040): how stored values of a projection follow the X-ray intensity."""
    pixel_intensity_sign: int = 1
    """-1 where lower stored values mean more intensity (0028,1041)."""
    shared: FrameAttributes = field(default_factory=FrameAttributes)
    per_frame: tuple[FrameAttributes, ...] = ()
    """One a frame where frames differ, else empty; frames behind the last item have what is shared."""
    tiling: Tiling | None = None
    """Of a whole-slide image, whose frames have no attributes of their own here."""

    def frame(self, frame_number: int) -> FrameAttributes:
        """Attributes of one frame, counted from 1."""
        return self.per_frame[frame_number - 1] if frame_number <= len(self.per_frame) else self.shared
