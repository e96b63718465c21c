"""Data sets into descriptions, and descriptions into JSON and back."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from archive.dicom.part10 import read_dataset
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN, JPEG_BASELINE
from archive.errors import CannotUnderstand
from archive.pixels.describe import describe, from_json, to_json
from archive.pixels.description import ImageDescription, LookupTable, Shutter, VoiFunction, Window
from tests.phantoms import (
    color_image,
    ct_image,
    enhanced_ct,
    image,
    mr_image,
    multi_frame,
    palette_image,
    ramp,
    with_meta,
)


def item(**attributes: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def test_a_ct_image_is_described() -> None:
    description = describe(ct_image(z=15.0))

    assert (description.rows, description.columns, description.frames) == (16, 16, 1)
    assert (description.bits_allocated, description.bits_stored, description.high_bit) == (16, 12, 11)
    assert (description.modality, description.body_part_examined) == ("CT", "ABDOMEN")
    frame = description.frame(1)
    assert (frame.rescale_slope, frame.rescale_intercept, frame.rescale_type) == (1.0, -1024.0, "HU")
    assert frame.windows == (Window(40.0, 400.0),)
    assert frame.image_position_patient == (-4.0, -4.0, 15.0)
    assert frame.image_orientation_patient == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert (frame.pixel_spacing, frame.slice_thickness) == ((0.5, 0.5), 5.0)
    assert frame.image_type == ("ORIGINAL", "PRIMARY", "AXIAL")


def test_an_object_without_image_plane_has_no_rows() -> None:
    assert describe(item(Modality="SR")).rows == 0
    assert describe(Dataset()) == ImageDescription(rows=0, columns=0)


def test_windows_are_pairs_with_function_and_explanation() -> None:
    frame = describe(
        ct_image(
            WindowCenter=[40, 500],
            WindowWidth=[400, 2000],
            WindowCenterWidthExplanation=["SOFT", "BONE"],
            VOILUTFunction="SIGMOID",
        )
    ).frame(1)

    assert frame.windows == (
        Window(40.0, 400.0, VoiFunction.SIGMOID, "SOFT"),
        Window(500.0, 2000.0, VoiFunction.SIGMOID, "BONE"),
    )


def test_an_unpaired_window_value_and_an_unknown_function_are_passed_over() -> None:
    frame = describe(ct_image(WindowCenter=[40, 500], WindowWidth=400, VOILUTFunction="FANCY")).frame(1)

    assert frame.windows == (Window(40.0, 400.0),)


# Padding (PS3.3 C.7.5.1.1.2)


@pytest.mark.parametrize(
    ("signed", "value", "limit", "expected"),
    [
        (0, 0, None, (0.0, 0.0)),
        (1, -2000, None, (-2000.0, -2000.0)),
        (0, 63536, 65535, (63536.0, 65535.0)),
        (1, -2000, -1900, (-2000.0, -1900.0)),
        (1, -1900, -2000, (-2000.0, -1900.0)),
    ],
)
def test_padding_is_a_range_in_order(signed: int, value: int, limit: int | None, expected: tuple[float, float]) -> None:
    ds = image(PixelRepresentation=signed)
    vr = "SS" if signed else "US"
    ds.add_new("PixelPaddingValue", vr, value)
    if limit is not None:
        ds.add_new("PixelPaddingRangeLimit", vr, limit)

    assert describe(ds).padding == expected


def test_padding_takes_the_sign_of_the_pixels_whatever_its_vr() -> None:
    signed = image(PixelRepresentation=1)
    signed.add_new("PixelPaddingValue", "US", 63536)
    unsigned = image(PixelRepresentation=0)
    unsigned.add_new("PixelPaddingValue", "SS", -2000)
    raw = image(PixelRepresentation=1)
    raw.add_new("PixelPaddingValue", "OW", struct.pack("<h", -2000))

    assert describe(signed).padding == (-2000.0, -2000.0)
    assert describe(unsigned).padding == (63536.0, 63536.0)
    assert describe(raw).padding == (-2000.0, -2000.0)


def test_colour_images_have_no_padding() -> None:
    ds = color_image()
    ds.add_new("PixelPaddingValue", "US", 255)

    assert describe(ds).padding is None


# Tables


def test_modality_and_voi_luts_are_read() -> None:
    ds = ct_image(RescaleSlope=None, RescaleIntercept=None)
    ds.ModalityLUTSequence = [item(LUTDescriptor=[3, 5, 16], ModalityLUTType="OD", LUTData=[0, 1000, 65535])]
    ds.VOILUTSequence = [item(LUTDescriptor=[2, 0, 8], LUTExplanation="SOFT", LUTData=[0, 255])]

    frame = describe(ds).frame(1)

    assert frame.modality_lut == LookupTable(
        first_mapped=5, bits=16, entries=struct.pack("<3H", 0, 1000, 65535), kind="OD"
    )
    assert frame.voi_luts == (
        LookupTable(first_mapped=0, bits=8, entries=struct.pack("<2H", 0, 255), explanation="SOFT"),
    )


def test_voi_lut_of_hounsfield_values_begins_below_zero_whatever_its_vr() -> None:
    ds = ct_image()
    ds.VOILUTSequence = [item(LUTDescriptor=[2, 64512, 8], LUTData=[0, 255])]

    assert describe(ds).frame(1).voi_luts[0].first_mapped == -1024


def test_palette_is_read_for_palette_images_only() -> None:
    ds = palette_image(ramp(2, 2), entries=[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    grey = palette_image(ramp(2, 2), entries=[[1], [2], [3]], PhotometricInterpretation="MONOCHROME2")

    palette = describe(ds).palette

    assert palette is not None
    assert palette.green.entries == struct.pack("<4H", 5, 6, 7, 8)
    assert describe(grey).palette is None


# Overlays (PS3.3 C.9.2)


def test_overlay_with_data_and_overlay_in_the_pixel_cells() -> None:
    ds = ct_image()
    for group, bit in ((0x6000, 0), (0x6002, 15)):
        ds.add_new(group << 16 | 0x0010, "US", 16)
        ds.add_new(group << 16 | 0x0011, "US", 16)
        ds.add_new(group << 16 | 0x0040, "CS", "R" if bit else "G")
        ds.add_new(group << 16 | 0x0050, "SS", [1, -3])
        ds.add_new(group << 16 | 0x0100, "US", 16 if bit else 1)
        ds.add_new(group << 16 | 0x0102, "US", bit)
    ds.add_new(0x60001500, "LO", "CONTOUR")
    ds.add_new(0x60003000, "OW", bytes(range(32)))

    drawn, embedded = describe(ds).overlays

    assert (drawn.group, drawn.rows, drawn.columns, drawn.label, drawn.kind) == (0x6000, 16, 16, "CONTOUR", "G")
    assert drawn.bits == bytes(range(32))
    assert (drawn.origin_row, drawn.origin_column) == (1, -3)
    assert (embedded.group, embedded.bits, embedded.bit_position, embedded.kind) == (0x6002, None, 15, "R")


def test_overlay_that_claims_more_than_it_has_is_left_out() -> None:
    ds = ct_image()
    ds.add_new(0x60000010, "US", 60000)
    ds.add_new(0x60000011, "US", 60000)
    ds.add_new(0x60003000, "OW", bytes(32))

    assert describe(ds).overlays == ()


# Colour, rate, regions


def test_ultrasound_regions_keep_their_units() -> None:
    ds = color_image()
    region = item(
        RegionSpatialFormat=1, RegionDataType=1, RegionFlags=2, RegionLocationMinX0=10, RegionLocationMinY0=20,
        RegionLocationMaxX1=300, RegionLocationMaxY1=200, PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3,
        PhysicalDeltaX=0.02, PhysicalDeltaY=0.03, ReferencePixelX0=-5,
    )  # fmt: skip
    ds.SequenceOfUltrasoundRegions = [region, item(RegionSpatialFormat=1)]

    (found,) = describe(ds).ultrasound_regions

    assert (found.x0, found.y0, found.x1, found.y1) == (10, 20, 300, 200)
    assert (found.units_x, found.delta_x, found.delta_y) == (3, 0.02, 0.03)
    assert (found.reference_x, found.reference_y) == (-5, None)


@pytest.mark.parametrize(
    ("attributes", "rate", "source"),
    [
        ({"RecommendedDisplayFrameRate": 15, "CineRate": 30, "FrameTime": 40}, 15.0, "RecommendedDisplayFrameRate"),
        ({"CineRate": 30, "FrameTime": 40}, 30.0, "CineRate"),
        ({"FrameTime": 40}, 25.0, "FrameTime"),
        ({"FrameTime": None, "FrameTimeVector": [0, 30, 50]}, 25.0, "FrameTimeVector"),
        ({"FrameTime": 0}, None, ""),
    ],
)
def test_frame_rate_comes_from_the_best_source(attributes: dict[str, Any], rate: float | None, source: str) -> None:
    description = describe(multi_frame(3, **attributes))

    assert (description.frame_rate, description.frame_rate_source) == (rate, source)


@pytest.mark.parametrize(
    ("attributes", "times"),
    [
        ({"FrameTimeVector": [0, 30, 50]}, (30.0, 50.0, 40.0)),
        ({"FrameTimeVector": [0, 40, 40]}, ()),
        ({"FrameTimeVector": [0, 30]}, ()),
        ({"CineRate": 30, "FrameTimeVector": [0, 30, 50]}, ()),
    ],
)
def test_frames_stand_as_long_as_their_vector_says(attributes: dict[str, Any], times: tuple[float, ...]) -> None:
    described = describe(multi_frame(3, FrameTime=None, **attributes))

    assert described.frame_times_ms == times
    assert from_json(json.loads(json.dumps(to_json(described)))).frame_times_ms == times


def test_a_single_frame_has_no_rate() -> None:
    assert describe(image(CineRate=30)).frame_rate is None


def test_lossy_by_attribute_or_by_transfer_syntax() -> None:
    said = describe(image(LossyImageCompression="01", LossyImageCompressionRatio=[10, 2.5]))

    assert said.lossy
    assert said.lossy_ratio == "10, 2.5"
    assert describe(with_meta(image(BitsAllocated=8), JPEG_BASELINE)).lossy
    assert not describe(image()).lossy


def test_pixel_aspect_ratio_is_vertical_first_and_whole() -> None:
    assert describe(image(PixelAspectRatio=[4, 3])).pixel_aspect_ratio == (4, 3)
    assert describe(image(PixelAspectRatio=[0, 3])).pixel_aspect_ratio is None


def test_laterality_of_the_image_comes_before_that_of_the_series() -> None:
    assert describe(image(ImageLaterality="R", Laterality="L")).frame(1).laterality == "R"
    assert describe(image(Laterality="L")).frame(1).laterality == "L"


def test_mammographic_view_comes_from_its_code_where_it_must() -> None:
    ds = image()
    ds.ViewCodeSequence = [item(CodeValue="R-10242", CodingSchemeDesignator="SRT", CodeMeaning="cranio-caudal")]

    assert describe(ds).view_position == "CC"


def test_states_of_single_images() -> None:
    frame = describe(mr_image(DiffusionBValue=1000.0, EchoNumbers=2, TemporalPositionIdentifier=3)).frame(1)

    assert (frame.b_value, frame.echo, frame.temporal_position) == ("1000", "2", "3")


def test_b_value_of_siemens_and_ge_is_found_where_they_keep_it() -> None:
    siemens = mr_image()
    siemens.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", "800")
    ge = mr_image()
    ge.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x39, "IS", [1000000700, 8, 0, 0])

    assert describe(siemens).frame(1).b_value == "800"
    assert describe(ge).frame(1).b_value == "700"


def test_units_are_those_of_pet_or_of_a_mapping_that_equals_the_rescale() -> None:
    pet = describe(image(Modality="PT", Units="BQML")).frame(1)
    same = image()
    mapping = item(RealWorldValueSlope=1.0, RealWorldValueIntercept=0.0)
    mapping.MeasurementUnitsCodeSequence = [item(CodeValue="mm2/s", CodingSchemeDesignator="UCUM")]
    same.RealWorldValueMappingSequence = [mapping]
    other = image(RescaleSlope=2)
    other.RealWorldValueMappingSequence = [mapping]

    assert pet.units == "BQML"
    assert describe(same).frame(1).units == "mm2/s"
    assert describe(other).frame(1).units == ""


# Enhanced objects (PS3.3 C.7.6.16)


def test_shared_and_per_frame_groups_are_put_together() -> None:
    description = describe(enhanced_ct(3, slopes=[1.0, 2.0, 0.5]))

    assert [description.frame(number).image_position_patient for number in (1, 2, 3)] == [
        (0.0, 0.0, 0.0),
        (0.0, 0.0, 2.5),
        (0.0, 0.0, 5.0),
    ]
    assert [description.frame(number).rescale_slope for number in (1, 2, 3)] == [1.0, 2.0, 0.5]
    second = description.frame(2)
    assert (second.pixel_spacing, second.slice_thickness) == ((0.7, 0.9), 2.5)
    assert (second.rescale_intercept, second.rescale_type) == (0.0, "US")
    assert second.windows == (Window(40.0, 400.0), Window(500.0, 2000.0))
    assert second.image_type == ("ORIGINAL", "PRIMARY", "VOLUME", "NONE")
    assert description.shared.rescale_intercept == -1024.0


def test_frames_that_do_not_differ_are_said_once() -> None:
    ds = enhanced_ct(3)
    for group in ds.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient = [1, 2, 3]

    description = describe(ds)

    assert description.per_frame == ()
    assert description.frame(3).image_position_patient == (1.0, 2.0, 3.0)


def test_frames_without_a_group_of_their_own_have_the_shared_one() -> None:
    ds = enhanced_ct(3)
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:2]

    description = describe(ds)

    assert description.frame(2) == description.per_frame[1]
    assert description.frame(3) == description.shared


def test_a_million_claimed_frames_with_one_group_cost_one_set_of_attributes() -> None:
    ds = enhanced_ct(3, NumberOfFrames=1 << 20)
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:1]

    description = describe(ds)

    assert len(description.per_frame) == 1
    assert description.frame(1 << 20) == description.shared


def test_planes_of_a_dose_lie_along_its_normal() -> None:
    ds = image(
        np.zeros((3, 4, 4)), NumberOfFrames=3, DoseUnits="GY", GridFrameOffsetVector=[0, 3, 6],
        ImagePositionPatient=[1, 2, 10], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    )  # fmt: skip

    assert [frame.image_position_patient for frame in describe(ds).per_frame] == [(1, 2, 10), (1, 2, 13), (1, 2, 16)]


@pytest.mark.parametrize(("bits", "keyword"), [(32, "FloatPixelData"), (64, "DoubleFloatPixelData")])
def test_floating_point_pixels_are_known_also_without_the_pixels(bits: int, keyword: str) -> None:
    ds = image(PixelData=None)
    ds.BitsAllocated = bits
    del ds.BitsStored, ds.PixelRepresentation

    assert describe(ds).pixel_keyword == keyword


@pytest.mark.parametrize("frames", ["0", "-3", "", "99999999999"])
def test_a_senseless_number_of_frames_is_one(frames: str) -> None:
    assert describe(image(NumberOfFrames=frames or None)).frames == 1


# Hostile values: every attribute that is read, with anything in it

READ = [
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "PixelAspectRatio",
    "ImagerPixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "PixelSpacing",
    "SliceThickness",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "ImageType",
    "EchoTime",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "SequenceOfUltrasoundRegions",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "FrameTimeVector",
    "MaskSubtractionSequence",
    "RecommendedViewingMode",
    "PixelIntensityRelationshipSign",
    "RealWorldValueMappingSequence",
    "LargestMonochromePixelValue",
    "PixelPresentation",
    "RedPaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "ICCProfile",
    "PresentationLUTShape",
]


@settings(max_examples=300, deadline=None)
@given(values=st.dictionaries(st.sampled_from(READ), st.binary(max_size=24), max_size=12))
def test_describing_never_raises_and_always_packs(values: dict[str, bytes]) -> None:
    ds = ct_image()
    for keyword, value in values.items():
        ds[keyword] = _raw(ds, keyword, value)

    description = describe(ds)

    assert from_json(json.loads(json.dumps(to_json(description)))) == description


def _raw(ds: Dataset, keyword: str, value: bytes):  # type: ignore[no-untyped-def]
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag(tag_for_keyword(keyword))
    return RawDataElement(tag, dictionary_VR(tag).split(" ")[0], len(value), value, 0, False, True)


# JSON


def test_json_leaves_defaults_out_and_comes_back_the_same() -> None:
    description = describe(ct_image(z=15.0))

    values = to_json(description)

    assert "padding" not in values
    assert values["shared"]["image_position_patient"] == [-4.0, -4.0, 15.0]
    assert len(json.dumps(values)) < 500
    assert from_json(json.loads(json.dumps(values))) == description


def test_bytes_and_frames_come_back_the_same() -> None:
    table = LookupTable(-5, 16, np.arange(4096, dtype="<u2").tobytes(), "SOFT")
    flat = LookupTable(0, 8, bytes(8192))
    description = describe(enhanced_ct(3, slopes=[1, 2, 3]))
    description = replace(
        description,
        icc_profile=b"\0" * 3000,
        shared=replace(description.shared, modality_lut=flat, voi_luts=(table,)),
        per_frame=(
            *(replace(frame, modality_lut=flat) for frame in description.per_frame[:2]),
            description.per_frame[2],
        ),
    )

    packed = json.dumps(to_json(description))

    assert from_json(json.loads(packed)) == description
    assert len(packed) < 16000


def test_geometry_of_each_frame_can_be_read_from_the_json_alone() -> None:
    values = to_json(describe(enhanced_ct(2)))

    assert [frame["image_position_patient"] for frame in values["per_frame"]] == [[0.0, 0.0, 0.0], [0.0, 0.0, 2.5]]
    assert all(frame["pixel_spacing"] == [0.7, 0.9] for frame in values["per_frame"])
    assert all("windows" not in frame for frame in values["per_frame"])


# Real files

PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
"""The images in pydicom's wheel; its own search would ask the network for more."""


def real_datasets(data_dir: Path) -> list[tuple[str, Dataset]]:
    found = []
    for path in [*sorted(data_dir.rglob("*.dcm")), *sorted(PYDICOM_FILES.rglob("*.dcm"))]:
        try:
            found.append((path.name, read_dataset(path)))
        except CannotUnderstand:
            continue
    return found


def test_every_real_file_is_described_and_packs(data_dir: Path) -> None:
    for name, ds in real_datasets(data_dir):
        description = describe(ds)
        assert from_json(json.loads(json.dumps(to_json(description)))) == description, name


def test_real_overlays_sigmoid_regions_and_frames(data_dir: Path) -> None:
    overlays = describe(read_dataset(data_dir / "luts_overlays/ovly_p01.dcm")).overlays
    assert [(plane.group, plane.bit_position, plane.bits is None) for plane in overlays] == [
        (0x6000, 15, True),
        (0x6002, 14, True),
        (0x6004, 0, False),
        (0x6006, 0, False),
    ]
    mammogram = describe(read_dataset(data_dir / "cr_dx_mg/mg_sigmoid_voilut.dcm")).frame(1)
    assert [window.function for window in mammogram.windows] == [VoiFunction.SIGMOID] * 3
    assert mammogram.voi_luts[0].first_mapped == 625
    cine = describe(read_dataset(data_dir / "us/I_000001.dcm"))
    assert (cine.frame_rate, cine.frame_rate_source) == (33.0, "RecommendedDisplayFrameRate")
    assert [(region.units_x, region.units_y) for region in cine.ultrasound_regions] == [(3, 3), (4, 0)]
    enhanced = describe(read_dataset(data_dir / "enhanced/BRTUM014.dcm"))
    assert enhanced.frame(1).windows == (Window(443.0, 887.0),)
    assert enhanced.frame(2).windows == (Window(415.0, 831.0),)


def test_big_endian_tables_and_overlays_have_their_bytes_turned() -> None:
    ds = with_meta(palette_image(ramp(2, 2), entries=[[1], [2], [3]]), EXPLICIT_VR_BIG_ENDIAN)
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableData", struct.pack(">2H", 258, 772))
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [2, 0, 16])
    ds.add_new(0x60000010, "US", 4)
    ds.add_new(0x60000011, "US", 4)
    ds.add_new(0x60003000, "OW", b"\x01\x02")

    description = describe(ds)

    assert description.palette is not None
    assert description.palette.red.entries == struct.pack("<2H", 258, 772)
    assert description.overlays[0].bits == b"\x02\x01"


def test_a_shutter_of_every_shape_is_read_and_comes_back_from_json() -> None:
    ds = ct_image(
        ShutterShape=["RECTANGULAR", "CIRCULAR", "POLYGONAL"],
        ShutterLeftVerticalEdge=2,
        ShutterRightVerticalEdge=15,
        ShutterUpperHorizontalEdge=3,
        ShutterLowerHorizontalEdge=14,
        CenterOfCircularShutter=[8, 9],
        RadiusOfCircularShutter=6,
        VerticesOfThePolygonalShutter=[1, 1, 1, 16, 16, 8],
        ShutterPresentationValue=0x7FFF,
        ShutterPresentationColorCIELabValue=[1, 2, 3],
    )

    description = describe(ds)

    assert description.frame(1).shutter == Shutter(
        rectangle=(2, 15, 3, 14),
        circle=(8, 9, 6),
        polygon=((1, 1), (1, 16), (16, 8)),
        presentation_value=0x7FFF,
        color=(1, 2, 3),
    )
    assert from_json(json.loads(json.dumps(to_json(description)))) == description


@pytest.mark.parametrize(
    "attributes",
    [
        {"ShutterShape": "RECTANGULAR"},
        {
            "ShutterShape": "RECTANGULAR",
            "ShutterLeftVerticalEdge": 9,
            "ShutterRightVerticalEdge": 2,
            "ShutterUpperHorizontalEdge": 1,
            "ShutterLowerHorizontalEdge": 9,
        },
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [1, 2]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 2, 2]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1] * 10_000},
        {"RadiusOfCircularShutter": 4, "CenterOfCircularShutter": [1, 2]},
    ],
)
def test_a_shutter_that_is_not_complete_covers_nothing(attributes: dict[str, Any]) -> None:
    assert describe(ct_image(**attributes)).frame(1).shutter is None


def test_a_frame_has_the_shutter_of_its_group() -> None:
    ds = enhanced_ct(2)
    circle = item(ShutterShape="CIRCULAR", CenterOfCircularShutter=[2, 2], RadiusOfCircularShutter=1)
    ds.PerFrameFunctionalGroupsSequence[1].FrameDisplayShutterSequence = [circle]

    description = describe(ds)

    assert (description.frame(1).shutter, description.frame(2).shutter) == (None, Shutter(circle=(2, 2, 1)))
    assert from_json(json.loads(json.dumps(to_json(description)))) == description


def test_a_presentation_lut_is_read_and_a_description_from_before_has_none() -> None:
    lut = item(LUTDescriptor=[4, 0, 12])
    lut.add_new(0x00283006, "OW", struct.pack("<4H", 0, 1, 2, 4095))

    description = describe(ct_image(PresentationLUTSequence=[lut]))

    assert description.presentation_lut == LookupTable(0, 12, struct.pack("<4H", 0, 1, 2, 4095))
    assert from_json(json.loads(json.dumps(to_json(description)))) == description
    before = to_json(describe(ct_image()))
    assert "presentation_lut" not in before and "shutter" not in before["shared"]
    assert (from_json(before).presentation_lut, from_json(before).shared.shutter) == (None, None)


def test_the_profile_of_a_microscope_stands_in_its_first_optical_path() -> None:
    ds = color_image()
    ds.OpticalPathSequence = [item(ICCProfile=b"\1" * 128), item(ICCProfile=b"\2" * 128)]
    assert describe(ds).icc_profile == b"\1" * 128
    ds.ICCProfile = b"\3" * 128
    assert describe(ds).icc_profile == b"\3" * 128
