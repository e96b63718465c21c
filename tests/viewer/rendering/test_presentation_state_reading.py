"""Presentation states from their data sets: every module, real ones, and hostile ones."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from archive.dicom.part10 import read_dataset
from archive.pixels.description import Shutter, VoiFunction, Window
from tests.phantoms import ct_image, multi_frame
from tests.presentation_states import (
    BLENDING,
    PSEUDO_COLOR,
    displayed_area,
    item,
    lut,
    presentation_state,
    reference,
    softcopy_lut,
    softcopy_window,
)
from viewer.errors import NothingToDraw
from viewer.rendering.annotation_reading import MAXIMUM_ITEMS, MAXIMUM_POINTS, MAXIMUM_REFERENCES
from viewer.rendering.graphic_objects import GraphicObject, GraphicType, Place, TextObject, Units
from viewer.rendering.modality_lut import ModalityTransform
from viewer.rendering.presentation_state import (
    DisplayedArea,
    FrameState,
    GraphicLayer,
    MaskSubtraction,
    SizeMode,
    StateKind,
)
from viewer.rendering.presentation_state_reading import read_presentation_state

IMAGE = ct_image()
UID = str(IMAGE.SOPInstanceUID)


def frame_state(*, frame: int = 1, signed: bool = False, **attributes: Any) -> FrameState:
    """What a state with these attributes says about the image."""
    found = read_presentation_state(presentation_state(IMAGE, **attributes)).for_frame(UID, frame, signed=signed)
    assert found is not None
    return found


def test_a_state_that_says_nothing_is_identity() -> None:
    assert frame_state() == FrameState(
        kind=StateKind.GRAYSCALE,
        area=DisplayedArea({}, (1, 1), (16, 16), SizeMode.SCALE_TO_FIT, pixel_aspect_ratio=(1, 1)),
    )


def test_who_made_it_and_when_is_kept_as_recorded() -> None:
    state = read_presentation_state(presentation_state(IMAGE))

    assert (state.label, state.description, state.creator) == ("LESION", "Window of the reader", "READER^ONE")
    assert state.created == "20261124101500"
    assert state.images == {UID: frozenset()}


def test_it_is_about_the_images_and_frames_that_it_lists() -> None:
    loop = multi_frame(5)
    state = read_presentation_state(presentation_state(loop, frames=(2, 4)))

    about = [number for number in range(1, 6) if state.for_frame(str(loop.SOPInstanceUID), number) is not None]

    assert about == [2, 4]
    assert state.for_frame("1.2.3", 2) is None


def test_modality_step_is_a_line_or_a_table() -> None:
    line = frame_state(RescaleSlope=2, RescaleIntercept=-1000)
    table = frame_state(ModalityLUTSequence=[lut([5, 6, 7], first=0xFFFE)], RescaleSlope=2, RescaleIntercept=0)

    assert line.modality == ModalityTransform(2.0, -1000.0)
    assert table.modality.table is not None
    assert table.modality.table.entries == struct.pack("<3H", 5, 6, 7)


def test_a_table_begins_below_zero_where_the_pixels_can_be_negative() -> None:
    attributes = {"ModalityLUTSequence": [lut([5, 6, 7], first=0xFFFE)]}

    unsigned, signed = (frame_state(signed=signed, **attributes).modality.table for signed in (False, True))

    assert unsigned is not None and signed is not None
    assert (unsigned.first_mapped, signed.first_mapped) == (0xFFFE, -2)


def test_voi_is_a_window_with_its_function_or_a_table() -> None:
    window = frame_state(SoftcopyVOILUTSequence=[softcopy_window(40, 80, VOILUTFunction="SIGMOID")])
    table = frame_state(SoftcopyVOILUTSequence=[softcopy_lut([0, 9], first=3, bits=8)])
    useless = frame_state(SoftcopyVOILUTSequence=[softcopy_window(40, 0)])

    assert window.voi == Window(40.0, 80.0, VoiFunction.SIGMOID)
    assert table.voi is not None and not isinstance(table.voi, Window)
    assert (table.voi.first_mapped, table.voi.bits) == (3, 8)
    assert useless.voi is None


def test_an_item_with_references_is_about_those_frames_alone() -> None:
    loop = multi_frame(3)
    uid = str(loop.SOPInstanceUID)
    own = [softcopy_window(10, 20, reference(loop, 1, 3)), softcopy_window(50, 60, reference(loop, 2))]
    state = read_presentation_state(presentation_state(loop, SoftcopyVOILUTSequence=own))

    windows = [found.voi if (found := state.for_frame(uid, number)) else None for number in (1, 2, 3)]

    assert windows == [Window(10.0, 20.0), Window(50.0, 60.0), Window(10.0, 20.0)]


def test_presentation_lut_shape_or_sequence() -> None:
    assert frame_state(PresentationLUTShape="INVERSE").inverted
    table = frame_state(PresentationLUTShape=None, PresentationLUTSequence=[lut([0, 4095], bits=12)])
    assert table.presentation_lut is not None
    assert (table.presentation_lut.bits, table.inverted) == (12, False)


def bitmap(group: int, rows: int, columns: int, data: bytes, **more: Any) -> dict[int, tuple[str, Any]]:
    """Elements of an overlay plane, by tag."""
    base = group << 16
    return {
        base | 0x0010: ("US", rows),
        base | 0x0011: ("US", columns),
        base | 0x0040: ("CS", "G"),
        base | 0x0050: ("SS", [1, 1]),
        base | 0x0100: ("US", 1),
        base | 0x0102: ("US", 0),
        base | 0x3000: ("OW", data),
        **{base | int(element, 16): value for element, value in more.items()},
    }


def with_elements(ds: Dataset, elements: dict[int, tuple[str, Any]]) -> Dataset:
    for tag, (vr, value) in elements.items():
        ds.add_new(tag, vr, value)
    return ds


def test_a_shutter_of_shapes_and_a_bitmap_shutter_with_its_plane() -> None:
    circle = frame_state(
        ShutterShape="CIRCULAR",
        CenterOfCircularShutter=[8, 8],
        RadiusOfCircularShutter=4,
        ShutterPresentationValue=0x8000,
    )
    assert (circle.shutter, circle.shutter_bitmap) == (Shutter(circle=(8, 8, 4), presentation_value=0x8000), None)

    ds = presentation_state(IMAGE, ShutterShape="BITMAP", ShutterOverlayGroup=0x6002, ShutterPresentationValue=0)
    with_elements(ds, bitmap(0x6002, 16, 16, bytes(32), **{"1001": ("CS", "LAYER")}))
    state = read_presentation_state(ds).for_frame(UID, 1)
    assert state is not None and state.shutter_bitmap is not None
    assert (state.shutter_bitmap.group, state.overlays) == (0x6002, ())


def test_overlays_are_shown_in_the_layer_that_switches_them_on() -> None:
    ds = presentation_state(IMAGE)
    with_elements(ds, bitmap(0x6000, 16, 16, bytes(32), **{"1001": ("CS", "ONE")}))
    with_elements(ds, bitmap(0x6004, 16, 16, bytes(32)))
    ds.add_new(0x60021001, "CS", "TWO")

    state = read_presentation_state(ds)

    assert [(one.layer, one.group, one.plane is None) for one in state.overlays] == [
        ("ONE", 0x6000, False),
        ("TWO", 0x6002, True),
    ]


def test_layers_are_in_their_order_with_what_they_are_drawn_with() -> None:
    layers = [
        item(GraphicLayer="TOP", GraphicLayerOrder=7, GraphicLayerDescription="findings"),
        item(GraphicLayer="GREY", GraphicLayerOrder=2, GraphicLayerRecommendedDisplayGrayscaleValue=0x80FF),
        item(GraphicLayer="RED", GraphicLayerOrder=1, GraphicLayerRecommendedDisplayCIELabValue=[35578, 53664, 50858]),
    ]

    found = frame_state(GraphicLayerSequence=layers).layers

    assert [layer.name for layer in found] == ["RED", "GREY", "TOP"]
    assert [layer.paint for layer in found] == [(255, 0, 0), (128, 128, 128), (255, 255, 255)]
    assert found[2] == GraphicLayer("TOP", 7, "findings")


def test_displayed_areas_of_every_mode() -> None:
    true_size = displayed_area(
        1,
        1,
        8,
        8,
        PresentationSizeMode="TRUE SIZE",
        PresentationPixelAspectRatio=None,
        PresentationPixelSpacing=[0.5, 0.25],
    )
    magnify = displayed_area(-3, 2, 20, 9, PresentationSizeMode="MAGNIFY", PresentationPixelMagnificationRatio=2.5)

    first, second = (frame_state(DisplayedAreaSelectionSequence=[one]).area for one in (true_size, magnify))

    assert first == DisplayedArea({}, (1, 1), (8, 8), SizeMode.TRUE_SIZE, pixel_spacing=(0.5, 0.25))
    assert second == DisplayedArea({}, (-3, 2), (20, 9), SizeMode.MAGNIFY, pixel_aspect_ratio=(1, 1), magnification=2.5)


@pytest.mark.parametrize(("written", "read"), [(0, 0), (90, 90), (270, 270), (-90, 270), (45, 0), (360, 0)])
def test_rotation_is_a_quarter_turn_or_none(written: int, read: int) -> None:
    state = presentation_state(IMAGE, ImageHorizontalFlip="Y")
    state.add_new(0x00700042, "IS" if written < 0 else "US", written)

    found = read_presentation_state(state)

    assert (found.rotation, found.flipped) == (read, True)


def graphic(kind: str, points: list[float], **attributes: Any) -> Dataset:
    return item(
        **{
            "GraphicAnnotationUnits": "PIXEL",
            "GraphicDimensions": 2,
            "NumberOfGraphicPoints": len(points) // 2,
            "GraphicData": points,
            "GraphicType": kind,
            **attributes,
        }
    )


def test_graphics_and_texts_are_read_with_their_units() -> None:
    annotation = item(
        GraphicLayer="ONE",
        GraphicObjectSequence=[
            graphic("POLYLINE", [0, 0, 16, 16], GraphicFilled="N"),
            graphic("CIRCLE", [0.5, 0.5, 0.75, 0.5], GraphicAnnotationUnits="DISPLAY", GraphicFilled="Y"),
        ],
        TextObjectSequence=[
            item(
                UnformattedTextValue="two\r\nlines",
                BoundingBoxAnnotationUnits="DISPLAY",
                BoundingBoxTopLeftHandCorner=[0.25, 0.5],
                BoundingBoxBottomRightHandCorner=[0.5, 0.75],
                BoundingBoxTextHorizontalJustification="CENTER",
            ),
            item(
                UnformattedTextValue="here",
                AnchorPointAnnotationUnits="PIXEL",
                AnchorPoint=[3, 4],
                AnchorPointVisibility="Y",
            ),
        ],
    )

    [found] = frame_state(GraphicAnnotationSequence=[annotation]).annotations

    assert found.graphics == (
        GraphicObject(GraphicType.POLYLINE, Units.PIXEL, (Place(0, 0), Place(16, 16))),
        GraphicObject(GraphicType.CIRCLE, Units.DISPLAY, (Place(0.5, 0.5), Place(0.75, 0.5)), filled=True),
    )
    assert found.texts == (
        TextObject(
            "two\nlines",
            box=(Place(0.25, 0.5), Place(0.5, 0.75)),
            box_units=Units.DISPLAY,
            justification="CENTER",
        ),
        TextObject("here", anchor=Place(3, 4), anchor_visible=True),
    )


def test_a_mask_subtraction_is_kept_as_a_value() -> None:
    mask = item(
        MaskOperation="AVG_SUB", MaskFrameNumbers=[1, 2], ContrastFrameAveraging=3, MaskSubPixelShift=[0.5, -1.5]
    )

    state = read_presentation_state(presentation_state(IMAGE, MaskSubtractionSequence=[mask]))

    assert state.mask == MaskSubtraction(
        "AVG_SUB", mask_frames=(1, 2), contrast_frame_averaging=3, sub_pixel_shift=(0.5, -1.5)
    )


def with_palette(ds: Dataset) -> Dataset:
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [2, 0, 16])
        setattr(ds, f"{color}PaletteColorLookupTableData", struct.pack("<2H", 0, 0xFFFF))
    return ds


def test_pseudo_color_has_a_palette_and_blending_two_sets() -> None:
    pseudo = read_presentation_state(with_palette(presentation_state(IMAGE, SOPClassUID=PSEUDO_COLOR)))
    assert pseudo.palette is not None
    assert pseudo.kind is StateKind.PSEUDO_COLOR

    other = ct_image()
    sides = [
        item(
            BlendingPosition=position,
            StudyInstanceUID=image.StudyInstanceUID,
            ReferencedSeriesSequence=[item(ReferencedImageSequence=[reference(image)])],
            RescaleSlope=slope,
            RescaleIntercept=0,
            SoftcopyVOILUTSequence=[softcopy_window(10 * slope, 100)],
        )
        for position, image, slope in (("SUPERIMPOSED", other, 3), ("UNDERLYING", IMAGE, 2))
    ]
    ds = presentation_state(IMAGE, SOPClassUID=BLENDING, BlendingSequence=sides, RelativeOpacity=0.25)
    blending = read_presentation_state(with_palette(ds))
    assert blending.blending is not None
    assert blending.blending.relative_opacity == 0.25
    below, above = blending.for_frame(UID, 1), blending.for_frame(str(other.SOPInstanceUID), 1)
    assert below is not None and above is not None
    assert (below.modality.slope, below.voi) == (2.0, Window(20.0, 100.0))
    assert (above.modality.slope, above.voi) == (3.0, Window(30.0, 100.0))


@pytest.mark.parametrize(
    "ds",
    [
        presentation_state(IMAGE, SOPClassUID="1.2.840.10008.5.1.4.1.1.11.6"),
        presentation_state(IMAGE, ReferencedSeriesSequence=None),
        presentation_state(IMAGE, SOPClassUID=BLENDING),
        Dataset(),
    ],
    ids=["volumetric", "about nothing", "blending without sets", "empty"],
)
def test_what_cannot_be_shown_says_so(ds: Dataset) -> None:
    with pytest.raises(NothingToDraw):
        read_presentation_state(ds)


# --- Hostile ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "objects",
    [
        [graphic("POLYLINE", [0.0] * (2 * MAXIMUM_POINTS + 4))],
        [graphic("POLYLINE", [0.0, 1.0])],
        [graphic("ELLIPSE", [0.0] * 6)],
        [graphic("SPIRAL", [0.0] * 6)],
        [graphic("POLYLINE", [float("nan"), 1.0, 2.0, 3.0])],
        [graphic("POLYLINE", [3e38, 1.0, 2.0, 3.0])],
        [graphic("CIRCLE", [0.0, 0.0, 900.0, 0.0], GraphicAnnotationUnits="DISPLAY")],
        [graphic("POINT", [1.0, 1.0], GraphicDimensions=3)],
    ],
    ids=["points", "too few", "no axes", "unknown", "no number", "far away", "display units", "three dimensions"],
)
def test_a_graphic_that_cannot_be_drawn_is_left_out_and_said(objects: list[Dataset]) -> None:
    ds = presentation_state(IMAGE, GraphicAnnotationSequence=[item(GraphicLayer="ONE", GraphicObjectSequence=objects)])

    state = read_presentation_state(ds)

    assert state.annotations[0].graphics == ()
    assert state.notes == ("1 annotation of this presentation state cannot be shown.",)


def test_more_objects_than_can_be_meant_are_left_out_and_counted() -> None:
    objects = [graphic("POINT", [1.0, 1.0])] * (MAXIMUM_ITEMS + 5)
    ds = presentation_state(IMAGE, GraphicAnnotationSequence=[item(GraphicLayer="ONE", GraphicObjectSequence=objects)])

    state = read_presentation_state(ds)

    assert len(state.annotations[0].graphics) == MAXIMUM_ITEMS
    assert state.notes == ("5 annotations of this presentation state cannot be shown.",)


def test_more_references_than_can_be_meant_are_refused() -> None:
    one = reference(IMAGE)
    one.ReferencedFrameNumber = list(range(1, MAXIMUM_REFERENCES + 1))
    series = item(ReferencedImageSequence=[one])

    with pytest.raises(NothingToDraw, match="more images"):
        read_presentation_state(presentation_state(IMAGE, ReferencedSeriesSequence=[series]))


def test_an_image_named_twice_has_the_frames_of_both_and_all_where_one_names_none() -> None:
    loop = multi_frame(4)

    def frames(*named: Dataset) -> frozenset[int]:
        series = item(ReferencedImageSequence=list(named))
        state = read_presentation_state(presentation_state(loop, ReferencedSeriesSequence=[series]))
        return state.images[str(loop.SOPInstanceUID)]

    assert frames(reference(loop, 1), reference(loop, 3)) == {1, 3}
    assert frames(reference(loop, 1), reference(loop)) == frozenset()


def test_overlays_that_are_larger_than_any_picture_are_left_out_and_said() -> None:
    ds = presentation_state(IMAGE)
    for group in (0x6000, 0x6002):
        with_elements(ds, bitmap(group, 8192, 8192 * 5 // 8, bytes(1024 * 1024 * 5), **{"1001": ("CS", "ONE")}))

    state = read_presentation_state(ds)

    assert [overlay.group for overlay in state.overlays] == [0x6000]
    assert state.notes == ("1 annotation of this presentation state cannot be shown.",)


def test_an_area_beyond_reason_is_none() -> None:
    assert frame_state(DisplayedAreaSelectionSequence=[displayed_area(1, 1, 2**31 - 1, 5)]).area is None


RAW = st.dictionaries(
    st.sampled_from(
        [
            "WindowCenter",
            "RescaleSlope",
            "ShutterShape",
            "VerticesOfThePolygonalShutter",
            "GraphicData",
            "ImageRotation",
            "RelativeOpacity",
            "ReferencedFrameNumber",
            "DisplayedAreaTopLeftHandCorner",
        ]
    ),
    st.binary(max_size=40),
)


@settings(max_examples=80, deadline=None)
@given(RAW)
def test_junk_in_any_value_never_raises_anything_else(values: dict[str, bytes]) -> None:
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    ds = presentation_state(
        IMAGE, GraphicAnnotationSequence=[item(GraphicLayer="A", GraphicObjectSequence=[Dataset()])]
    )
    for keyword, value in values.items():
        tag = Tag(tag_for_keyword(keyword) or 0)
        element = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
        for target in (
            ds,
            ds.GraphicAnnotationSequence[0].GraphicObjectSequence[0],
            ds.DisplayedAreaSelectionSequence[0],
        ):
            target._dict[tag] = element

    state = read_presentation_state(ds)

    assert state.kind is StateKind.GRAYSCALE


def test_real_states_are_read(data_dir: Path) -> None:
    folder = data_dir / "presentation"
    hip, findings, analysis = (
        read_presentation_state(read_dataset(folder / name))
        for name in ("PR000000.dcm", "derived_gsps_mister_cor7.dcm", "gsps_issue168.dcm")
    )

    assert (hip.description, hip.greys.vois[0].voi) == ("hip", Window(2048.0, 4096.0))
    assert hip.annotations[0].graphics[0].kind is GraphicType.ELLIPSE
    assert (findings.label, findings.greys.vois[0].voi) == ("FINDINGS", Window(600.0, 900.0))
    assert [graphic.kind.value for graphic in findings.annotations[0].graphics] == ["POLYLINE", "CIRCLE"]
    assert [text.text for text in analysis.annotations[0].texts][:2] == ["98%", "87%"]
    assert not any(state.notes for state in (hip, findings, analysis))
