"""A data set into an ``ImageDescription``, once, when the instance is indexed.

Values are foreign: one that is absent, broken or of the wrong type is absent, and
nothing here raises. What the frames of an enhanced object have of their own is
read in ``functional_groups``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from pydicom import Dataset

from archive.dicom.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN
from archive.dicom.values import first_item, integer, items, number, numbers, text, value_of
from archive.pixels.description import (
    FrameAttributes,
    ImageDescription,
    LookupTable,
    OverlayPlane,
    UltrasoundRegion,
    VoiFunction,
)
from archive.pixels.functional_groups import frame_attributes
from archive.pixels.masks import mask_operations
from archive.pixels.packing import from_json, to_json
from archive.pixels.palettes import first_colored_value, image_palette
from archive.pixels.tables import lookup_table
from archive.pixels.tiling import tiling

__all__ = ["describe", "from_json", "to_json"]

MAXIMUM_FRAMES: Final = 1 << 20
"""A larger Number of Frames is believed to be junk and counts as 1; the index then refuses what does not fit."""
MAXIMUM_ICC_BYTES: Final = 4 << 20
MAXIMUM_OVERLAY_PIXELS: Final = 1 << 28
"""Rows x columns x frames of one overlay plane."""

LOSSY_TRANSFER_SYNTAXES: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 52, 53, 54, 55, 56))
"""DCT JPEG is lossy whatever the data set says. JPEG-LS near-lossless and JPEG 2000 may be used without loss."""

VIEW_CODES: Final = {
    # CID 4014, view for mammography: SNOMED CT, and the retired SNOMED-RT codes that files hold.
    "399162004": "CC",
    "R-10242": "CC",
    "399368009": "MLO",
    "R-10226": "MLO",
    "399260004": "ML",
    "R-10224": "ML",
    "399352003": "LM",
    "R-10228": "LM",
    "399099002": "LMO",
    "R-10230": "LMO",
    "399192005": "XCC",
    "R-1024A": "XCCL",
    "R-1024B": "XCCM",
    "399265009": "XCCL",
    "399101009": "XCCM",
    "399011000": "FB",
    "R-10244": "FB",
}


def describe(ds: Dataset) -> ImageDescription:
    """Return what drawing needs to know of a data set, read with or without its pixel data.

    An object without an image plane has ``rows`` or ``columns`` 0.
    """
    little_endian = is_little_endian(ds)
    frames = integer(ds, "NumberOfFrames", 1)
    frames = frames if 0 < frames <= MAXIMUM_FRAMES else 1
    bits_allocated = integer(ds, "BitsAllocated", 16)
    bits_stored = integer(ds, "BitsStored", bits_allocated)
    signed = integer(ds, "PixelRepresentation") == 1
    photometric_interpretation = text(ds, "PhotometricInterpretation").upper() or "MONOCHROME2"
    tiled = tiling(ds, frames)
    # What the frames of a slide have of their own is their place.
    grouped_frames = 0 if tiled else frames
    shared, per_frame = frame_attributes(ds, frames=grouped_frames, signed=signed, little_endian=little_endian)
    pixel_keyword = _pixel_keyword(ds, bits_allocated)
    if pixel_keyword != "PixelData":
        shared, per_frame = _for_fractions(shared), tuple(_for_fractions(one) for one in per_frame)
    return ImageDescription(
        rows=max(integer(ds, "Rows"), 0),
        columns=max(integer(ds, "Columns"), 0),
        frames=frames,
        samples_per_pixel=integer(ds, "SamplesPerPixel", 1),
        photometric_interpretation=photometric_interpretation,
        planar_configuration=integer(ds, "PlanarConfiguration"),
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=integer(ds, "HighBit", bits_stored - 1),
        pixel_representation=int(signed),
        pixel_keyword=pixel_keyword,
        padding=_padding(ds, bits_allocated, signed=signed),
        masks=mask_operations(ds, frames) if photometric_interpretation.startswith("MONOCHROME") else (),
        shared=shared,
        per_frame=per_frame,
        tiling=tiled,
        **_appearance(ds, signed=signed, little_endian=little_endian),
        **_measurable(ds),
        **_said(ds, frames),
    )


def _for_fractions(attributes: FrameAttributes) -> FrameAttributes:
    """Windows of a map of fractions: a LINEAR one is meant for whole numbers, and one of width 1 would be a step.

    Maps from 0 to 1 are written with center 0.5 and width 1; they are taken as LINEAR_EXACT (PS3.3 C.11.2.1.3.2).
    """
    exact = VoiFunction.LINEAR_EXACT
    is_step = [one.function is VoiFunction.LINEAR and one.width == 1 for one in attributes.windows]
    windows = zip(attributes.windows, is_step, strict=True)
    return replace(attributes, windows=tuple(replace(one, function=exact) if step else one for one, step in windows))


def _appearance(ds: Dataset, *, signed: bool, little_endian: bool) -> dict[str, Any]:
    """How values become greys and colours, and what lies over them, for all frames alike."""
    colors = image_palette(ds, signed=signed, little_endian=little_endian)
    return {
        "presentation_lut_shape": text(ds, "PresentationLUTShape"),
        "presentation_lut": presentation_lut(ds, little_endian=little_endian),
        "palette": colors,
        "first_colored": first_colored_value(ds, colors, signed=signed),
        "icc_profile": icc_profile(ds),
        "overlays": overlay_planes(ds, little_endian=little_endian),
        "recommended_viewing_mode": text(ds, "RecommendedViewingMode").upper(),
    }


def _measurable(ds: Dataset) -> dict[str, Any]:
    """What lengths and values of the image may be read from."""
    properties = _pixel_properties(ds)
    relationship = text(ds, "PixelIntensityRelationship") or text(properties, "PixelIntensityRelationship")
    return {
        "pixel_aspect_ratio": _pixel_aspect_ratio(ds),
        "imager_pixel_spacing": _pair(ds, "ImagerPixelSpacing") or _pair(properties, "ImagerPixelSpacing"),
        "nominal_scanned_pixel_spacing": _pair(ds, "NominalScannedPixelSpacing"),
        "estimated_radiographic_magnification": _positive(ds, "EstimatedRadiographicMagnificationFactor"),
        "pixel_spacing_calibration_type": text(ds, "PixelSpacingCalibrationType"),
        "ultrasound_regions": _ultrasound_regions(ds),
        "pixel_intensity_relationship": relationship.upper(),
        "pixel_intensity_sign": -1 if _is_falling(ds) or _is_falling(properties) else 1,
    }


def _said(ds: Dataset, frames: int) -> dict[str, Any]:
    """What readers are told of an image, and how fast it runs."""
    rate, rate_source = _frame_rate(ds, frames)
    return {
        "lossy": _is_lossy(ds),
        "lossy_ratio": _lossy_ratio(ds),
        "burned_in_annotation": text(ds, "BurnedInAnnotation"),
        "modality": text(ds, "Modality"),
        "body_part_examined": text(ds, "BodyPartExamined"),
        "view_position": _view_position(ds),
        "anatomical_orientation_type": text(ds, "AnatomicalOrientationType"),
        "presentation_intent": text(ds, "PresentationIntentType"),
        "frame_rate": rate,
        "frame_rate_source": rate_source,
        "frame_times_ms": _frame_times(ds, frames, rate_source),
    }


def _pixel_properties(ds: Dataset) -> Dataset:
    """Frame Pixel Data Properties of an enhanced projection image, of its first frame; empty elsewhere (C.8.19.6.4)."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        group = first_item(ds, groups)
        found = first_item(group, "FramePixelDataPropertiesSequence") if group is not None else None
        if found is not None:
            return found
    return Dataset()


def _is_falling(ds: Dataset) -> bool:
    """Whether lower stored values mean more X-ray intensity (PS3.3 C.8.7.1.1.2)."""
    return integer(ds, "PixelIntensityRelationshipSign", 1) == -1


def _transfer_syntax(ds: Dataset) -> str:
    meta = getattr(ds, "file_meta", None)
    return text(meta, "TransferSyntaxUID") if isinstance(meta, Dataset) else ""


def is_little_endian(ds: Dataset) -> bool:
    """Whether words that pydicom leaves as bytes have their low byte first."""
    return _transfer_syntax(ds) != EXPLICIT_VR_BIG_ENDIAN


def presentation_lut(ds: Dataset, *, little_endian: bool) -> LookupTable | None:
    """The one item of Presentation LUT Sequence (PS3.3 C.11.6)."""
    item = first_item(ds, "PresentationLUTSequence")
    return None if item is None else lookup_table(item, signed=False, little_endian=little_endian)


def _pixel_keyword(ds: Dataset, bits_allocated: int) -> str:
    """Which of the three elements holds the pixels (PS3.3 C.7.6.24, C.7.6.25).

    Where the data set was read without them: floating-point pixels have neither
    Bits Stored nor Pixel Representation.
    """
    for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
        if keyword in ds:
            return keyword
    if bits_allocated in (32, 64) and "BitsStored" not in ds and "PixelRepresentation" not in ds:
        return "FloatPixelData" if bits_allocated == 32 else "DoubleFloatPixelData"
    return "PixelData"


def _padding(ds: Dataset, bits_allocated: int, *, signed: bool) -> tuple[float, float] | None:
    """Padded stored values of a greyscale image (PS3.3 C.7.5.1.1.2), whatever sign the VR of the file gave them."""
    if not text(ds, "PhotometricInterpretation").upper().startswith("MONOCHROME"):
        return None
    for keyword, end_keyword in (
        ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
        ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
    ):
        value = number(ds, keyword)
        if value is not None:
            end = number(ds, end_keyword)
            return _ordered(value, value if end is None else end)
    first = _stored_value(value_of(ds, "PixelPaddingValue"), bits_allocated, signed=signed)
    if first is None:
        return None
    last = _stored_value(value_of(ds, "PixelPaddingRangeLimit"), bits_allocated, signed=signed)
    return _ordered(first, first if last is None else last)


def _ordered(one: float, other: float) -> tuple[float, float]:
    return min(one, other), max(one, other)


def _stored_value(value: object, bits_allocated: int, *, signed: bool) -> float | None:
    """A US or SS value in the sign that Pixel Representation demands."""
    if isinstance(value, bytes):
        value = int.from_bytes(value[:2], "little") if len(value) >= 2 else None
    if not isinstance(value, int):
        return None
    value &= 0xFFFF
    if bits_allocated <= 8:
        # The value of an 8-bit image may stand in one byte of the word, sign extended or not.
        value &= 0xFF
        return float(value - 0x100 if signed and value >= 0x80 else value)
    return float(value - 0x10000 if signed and value >= 0x8000 else value)


def _pair(ds: Dataset, keyword: str) -> tuple[float, float] | None:
    """Two positive numbers, rows first."""
    values = numbers(ds, keyword)
    return (values[0], values[1]) if len(values) >= 2 and values[0] > 0 and values[1] > 0 else None


def _positive(ds: Dataset, keyword: str) -> float | None:
    value = number(ds, keyword)
    return value if value is not None and value > 0 else None


def _pixel_aspect_ratio(ds: Dataset) -> tuple[int, int] | None:
    pair = _pair(ds, "PixelAspectRatio")
    if pair is None:
        return None
    if pair[0].is_integer() and pair[1].is_integer():
        return int(pair[0]), int(pair[1])
    # IS allows integers only; fractions are found all the same.
    return round(pair[0] * 1000), round(pair[1] * 1000)


def icc_profile(ds: Dataset) -> bytes | None:
    """ICC Profile of the image, or of the first optical path of a microscope (PS3.3 C.11.15, C.8.12.5)."""
    profile = value_of(ds, "ICCProfile")
    if not isinstance(profile, bytes):
        path = first_item(ds, "OpticalPathSequence")
        profile = value_of(path, "ICCProfile") if path is not None else None
    return profile if isinstance(profile, bytes) and 128 <= len(profile) <= MAXIMUM_ICC_BYTES else None


def _is_lossy(ds: Dataset) -> bool:
    return text(ds, "LossyImageCompression") == "01" or _transfer_syntax(ds) in LOSSY_TRANSFER_SYNTAXES


def _lossy_ratio(ds: Dataset) -> str:
    """Ratios in the order in which the image was compressed."""
    return ", ".join(f"{ratio:.3g}" for ratio in numbers(ds, "LossyImageCompressionRatio") if ratio > 0)


def _view_position(ds: Dataset) -> str:
    """View Position, else the mammographic view that View Code Sequence names."""
    position = text(ds, "ViewPosition")
    code = first_item(ds, "ViewCodeSequence")
    if position or code is None:
        return position
    return VIEW_CODES.get(text(code, "CodeValue"), "")


def _frame_rate(ds: Dataset, frames: int) -> tuple[float | None, str]:
    """Frames a second and the keyword that said so (PS3.3 C.7.6.5)."""
    if frames < 2:
        return None, ""
    for keyword in ("RecommendedDisplayFrameRate", "CineRate"):
        rate = _positive(ds, keyword)
        if rate is not None:
            return rate, keyword
    frame_time_ms = _positive(ds, "FrameTime")
    if frame_time_ms is not None:
        return 1000.0 / frame_time_ms, "FrameTime"
    # The first value is the time before the first frame, always 0.
    increments = [value for value in numbers(ds, "FrameTimeVector")[1:] if value > 0]
    if increments:
        return 1000.0 * len(increments) / sum(increments), "FrameTimeVector"
    return None, ""


def _frame_times(ds: Dataset, frames: int, rate_source: str) -> tuple[float, ...]:
    """How long each frame stands, ms: until the next one's increment has passed, the last as long as their mean.

    Empty where the vector is not what gives the rate, does not fit the frames, or has equal steps (PS3.3 C.7.6.5.1.2).
    """
    steps = numbers(ds, "FrameTimeVector")[1:] if rate_source == "FrameTimeVector" else []
    if len(steps) != frames - 1 or min(steps, default=0.0) <= 0 or min(steps) == max(steps):
        return ()
    return (*steps, sum(steps) / len(steps))


def overlay_planes(ds: Dataset, *, little_endian: bool) -> tuple[OverlayPlane, ...]:
    """Overlay planes of groups 6000 to 601E that have a size and either data or a bit of the pixel cells."""
    planes = (_overlay(ds, group, little_endian=little_endian) for group in range(0x6000, 0x6020, 2))
    return tuple(plane for plane in planes if plane is not None)


def _overlay(ds: Dataset, group: int, *, little_endian: bool) -> OverlayPlane | None:
    base = group << 16
    rows, columns = integer(ds, base | 0x0010), integer(ds, base | 0x0011)
    frames = max(integer(ds, base | 0x0015, 1), 1)
    if rows <= 0 or columns <= 0 or rows * columns * frames > MAXIMUM_OVERLAY_PIXELS:
        return None
    bits = _overlay_bits(ds, base | 0x3000, little_endian=little_endian)
    bit_position = integer(ds, base | 0x0102)
    if bits is None and not 0 < bit_position < 32:
        return None
    if bits is not None:
        frames = min(frames, len(bits) * 8 // (rows * columns))
        if frames == 0:
            return None
    origin = numbers(ds, base | 0x0050, 2) or (1.0, 1.0)
    return OverlayPlane(
        group=group,
        rows=rows,
        columns=columns,
        origin_row=int(origin[0]),
        origin_column=int(origin[1]),
        bits=None if bits is None else bits[: (rows * columns * frames + 7) // 8],
        bit_position=bit_position if bits is None else 0,
        frames=frames,
        first_frame=max(integer(ds, base | 0x0051, 1), 1),
        is_bound=integer(ds, base | 0x0051) > 0,
        kind=text(ds, base | 0x0040) or "G",
        label=text(ds, base | 0x1500) or text(ds, base | 0x0022),
    )


def _overlay_bits(ds: Dataset, tag: int, *, little_endian: bool) -> bytes | None:
    """Overlay Data; None where the bits lie in the pixel cells."""
    bits = value_of(ds, tag)
    if not isinstance(bits, bytes) or not bits:
        return None
    return bits if little_endian else np.frombuffer(bits[: len(bits) & ~1], ">u2").astype("<u2").tobytes()


def _ultrasound_regions(ds: Dataset) -> tuple[UltrasoundRegion, ...]:
    """Items of the Sequence of Ultrasound Regions that have an area and both units."""
    regions = (_region(item) for item in items(ds, "SequenceOfUltrasoundRegions"))
    return tuple(region for region in regions if region is not None)


def _region(item: Dataset) -> UltrasoundRegion | None:
    bounds = [
        number(item, keyword)
        for keyword in ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    ]
    if any(bound is None for bound in bounds):
        return None
    x0, y0, x1, y1 = (int(bound) for bound in bounds if bound is not None)
    reference_x, reference_y = number(item, "ReferencePixelX0"), number(item, "ReferencePixelY0")
    return UltrasoundRegion(
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        units_x=integer(item, "PhysicalUnitsXDirection"),
        units_y=integer(item, "PhysicalUnitsYDirection"),
        delta_x=number(item, "PhysicalDeltaX") or 0.0,
        delta_y=number(item, "PhysicalDeltaY") or 0.0,
        spatial_format=integer(item, "RegionSpatialFormat"),
        data_type=integer(item, "RegionDataType"),
        flags=integer(item, "RegionFlags"),
        reference_x=None if reference_x is None else int(reference_x),
        reference_y=None if reference_y is None else int(reference_y),
    )
