"""Each attribute that may differ between frames: of the frame's group, else the shared group, else the data set.

PS3.3 C.7.6.16.2; every row names a macro of an enhanced CT, MR, PET, XA, US or legacy
converted object, what it says, and what is read of it.
"""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from archive.pixels.describe import describe
from archive.pixels.description import FrameAttributes, VoiFunction, Window
from tests.phantoms import image, ramp

Macro = dict[str, Any]


def item(values: Macro) -> Dataset:
    """Nested dictionaries as nested data sets, lists of them as sequences."""
    ds = Dataset()
    for keyword, value in values.items():
        nested = isinstance(value, list) and value and isinstance(value[0], dict)
        setattr(ds, keyword, [item(one) for one in value] if nested else value)
    return ds


ROWS: dict[str, tuple[Macro, Macro, dict[str, Any], dict[str, Any]]] = {
    # name: the macro in one group and in another, what each must give
    "plane position": (
        {"PlanePositionSequence": [{"ImagePositionPatient": [1, 2, 3]}]},
        {"PlanePositionSequence": [{"ImagePositionPatient": [4, 5, 6]}]},
        {"image_position_patient": (1.0, 2.0, 3.0)},
        {"image_position_patient": (4.0, 5.0, 6.0)},
    ),
    "plane orientation": (
        {"PlaneOrientationSequence": [{"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}]},
        {"PlaneOrientationSequence": [{"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}]},
        {"image_orientation_patient": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)},
        {"image_orientation_patient": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)},
    ),
    "pixel measures": (
        {"PixelMeasuresSequence": [{"PixelSpacing": [0.5, 0.75], "SliceThickness": 2, "SpacingBetweenSlices": 3}]},
        {"PixelMeasuresSequence": [{"PixelSpacing": [1, 1], "SliceThickness": 4, "SpacingBetweenSlices": -5}]},
        {"pixel_spacing": (0.5, 0.75), "slice_thickness": 2.0, "spacing_between_slices": 3.0},
        {"pixel_spacing": (1.0, 1.0), "slice_thickness": 4.0, "spacing_between_slices": -5.0},
    ),
    "rescale": (
        {"PixelValueTransformationSequence": [{"RescaleSlope": 2, "RescaleIntercept": -1024, "RescaleType": "HU"}]},
        {"PixelValueTransformationSequence": [{"RescaleSlope": 0.5, "RescaleIntercept": 0, "RescaleType": "US"}]},
        {"rescale_slope": 2.0, "rescale_intercept": -1024.0, "rescale_type": "HU"},
        {"rescale_slope": 0.5, "rescale_intercept": 0.0, "rescale_type": "US"},
    ),
    "windows": (
        {"FrameVOILUTSequence": [{"WindowCenter": [40, 50], "WindowWidth": [400, 80]}]},
        {"FrameVOILUTSequence": [{"WindowCenter": 7, "WindowWidth": 9, "VOILUTFunction": "SIGMOID"}]},
        {"windows": (Window(40, 400), Window(50, 80))},
        {"windows": (Window(7, 9, VoiFunction.SIGMOID),)},
    ),
    "CT frame type": (
        {"CTImageFrameTypeSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]}]},
        {"CTImageFrameTypeSequence": [{"FrameType": ["DERIVED", "PRIMARY", "PERFUSION", "RCBF"]}]},
        {"image_type": ("ORIGINAL", "PRIMARY", "VOLUME", "NONE")},
        {"image_type": ("DERIVED", "PRIMARY", "PERFUSION", "RCBF")},
    ),
    "MR frame type, echo and diffusion": (
        {
            "MRImageFrameTypeSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]}],
            "MREchoSequence": [{"EffectiveEchoTime": 80.0}],
            "MRDiffusionSequence": [{"DiffusionBValue": 0.0}],
        },
        {
            "MRImageFrameTypeSequence": [{"FrameType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}],
            "MREchoSequence": [{"EffectiveEchoTime": 95.5}],
            "MRDiffusionSequence": [{"DiffusionBValue": 1000.0}],
        },
        {"image_type": ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"), "echo": "80", "b_value": "0"},
        {"image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC"), "echo": "95.5", "b_value": "1000"},
    ),
    "PET frame type and time": (
        {
            "PETFrameTypeSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "DYNAMIC", "NONE"]}],
            "FrameContentSequence": [{"TemporalPositionIndex": 1}],
        },
        {
            "PETFrameTypeSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "DYNAMIC", "NONE"]}],
            "FrameContentSequence": [{"TemporalPositionIndex": 2}],
        },
        {"temporal_position": "1"},
        {"temporal_position": "2"},
    ),
    "XA frame type and shift": (
        {
            "FramePixelDataPropertiesSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]}],
            "FramePixelShiftSequence": [{"SubtractionItemID": 1, "MaskSubPixelShift": [0.5, -1.0]}],
        },
        {
            "FramePixelDataPropertiesSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "BIPLANE A"]}],
            "FramePixelShiftSequence": [
                {"SubtractionItemID": 1, "MaskSubPixelShift": [0.0, 0.0]},
                {"SubtractionItemID": 2, "MaskSubPixelShift": [2.0, 3.0]},
            ],
        },
        {"image_type": ("ORIGINAL", "PRIMARY", "SINGLE PLANE"), "mask_shifts": ((1, 0.5, -1.0),)},
        {"image_type": ("ORIGINAL", "PRIMARY", "BIPLANE A"), "mask_shifts": ((1, 0.0, 0.0), (2, 2.0, 3.0))},
    ),
    "US frame type and time": (
        {
            "USImageDescriptionSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"]}],
            "TemporalPositionSequence": [{"TemporalPositionTimeOffset": 0.25}],
        },
        {
            "USImageDescriptionSequence": [{"FrameType": ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"]}],
            "TemporalPositionSequence": [{"TemporalPositionTimeOffset": 0.5}],
        },
        {"temporal_position": "0.25"},
        {"temporal_position": "0.5"},
    ),
    "cardiac phase": (
        {"CardiacSynchronizationSequence": [{"NominalPercentageOfCardiacPhase": 0.0}]},
        {"CardiacSynchronizationSequence": [{"NominalPercentageOfCardiacPhase": 75.0}]},
        {"cardiac_phase": "0"},
        {"cardiac_phase": "75"},
    ),
    "anatomy and orientation": (
        {
            "FrameAnatomySequence": [{"FrameLaterality": "R"}],
            "PatientOrientationInFrameSequence": [{"PatientOrientation": ["A", "F"]}],
        },
        {
            "FrameAnatomySequence": [{"FrameLaterality": "L"}],
            "PatientOrientationInFrameSequence": [{"PatientOrientation": ["P", "F"]}],
        },
        {"laterality": "R", "patient_orientation": ("A", "F")},
        {"laterality": "L", "patient_orientation": ("P", "F")},
    ),
    "legacy converted states": (
        {"UnassignedSharedConvertedAttributesSequence": [{"EchoTime": 12, "TemporalPositionIdentifier": 3}]},
        {"UnassignedPerFrameConvertedAttributesSequence": [{"EchoNumbers": 2, "DiffusionBValue": 500.0}]},
        {"echo": "12", "temporal_position": "3"},
        {"echo": "2", "b_value": "500"},
    ),
}


def two_frames(shared: Macro, per_frame: list[Macro]) -> Dataset:
    ds = image(ramp(2, 32).reshape(2, 4, 8), NumberOfFrames=2)
    if shared:
        ds.SharedFunctionalGroupsSequence = [item(shared)]
    if per_frame:
        ds.PerFrameFunctionalGroupsSequence = [item(one) for one in per_frame]
    return ds


def assert_holds(frame: FrameAttributes, expected: dict[str, Any]) -> None:
    assert {name: getattr(frame, name) for name in expected} == expected


@pytest.mark.parametrize("name", ROWS)
def test_the_shared_group_holds_for_every_frame(name: str) -> None:
    macro, _, expected, _ = ROWS[name]
    description = describe(two_frames(macro, []))
    for number in (1, 2):
        assert_holds(description.frame(number), expected)
    assert description.per_frame == ()


@pytest.mark.parametrize("name", ROWS)
def test_each_frame_has_its_own(name: str) -> None:
    one, other, expected_one, expected_other = ROWS[name]
    description = describe(two_frames({}, [one, other]))
    assert_holds(description.frame(1), expected_one)
    assert_holds(description.frame(2), expected_other)


@pytest.mark.parametrize("name", ROWS)
def test_the_group_of_a_frame_wins_over_the_shared_one(name: str) -> None:
    one, other, expected_one, expected_other = ROWS[name]
    description = describe(two_frames(one, [{}, other]))
    assert_holds(description.frame(1), expected_one)
    assert_holds(description.frame(2), expected_other)


def test_the_spacing_of_an_enhanced_angiogram_is_that_at_its_detector() -> None:
    properties = {
        "FramePixelDataPropertiesSequence": [
            {
                "PixelIntensityRelationship": "LIN",
                "PixelIntensityRelationshipSign": -1,
                "ImagerPixelSpacing": [0.2, 0.25],
            }
        ]
    }
    description = describe(two_frames(properties, []))
    assert description.imager_pixel_spacing == (0.2, 0.25)
    assert (description.pixel_intensity_relationship, description.pixel_intensity_sign) == ("LIN", -1)


@pytest.mark.parametrize(
    ("attributes", "first"),
    [
        ({"PixelRepresentation": 0}, 65436),
        ({"PixelRepresentation": 1}, -100),
        ({"PixelRepresentation": 0, "RescaleSlope": 1, "RescaleIntercept": -1024}, -100),
        ({"PixelRepresentation": 0, "RescaleSlope": -1, "RescaleIntercept": 0}, -100),
    ],
)
def test_the_first_value_of_a_voi_lut_has_the_sign_of_what_goes_in(attributes: dict[str, Any], first: int) -> None:
    ds = image(VOILUTSequence=[item({"LUTDescriptor": [2, 65436, 16], "LUTData": [1, 2]})], **attributes)
    assert describe(ds).frame(1).voi_luts[0].first_mapped == first


def test_what_leaves_a_modality_lut_has_no_sign() -> None:
    lut = {"LUTDescriptor": [2, 0, 16], "LUTData": [1, 2], "ModalityLUTType": "US"}
    ds = image(
        PixelRepresentation=1,
        ModalityLUTSequence=[item(lut)],
        VOILUTSequence=[item({"LUTDescriptor": [2, 65436, 16], "LUTData": [1, 2]})],
    )
    assert describe(ds).frame(1).voi_luts[0].first_mapped == 65436
