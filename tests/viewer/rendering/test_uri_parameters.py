"""WADO-URI: every parameter, and the rules between them (PS3.18 9.1.2, 9.4.1.2, 9.5.1.2)."""

from __future__ import annotations

from typing import Any

import pytest

from archive.pixels.description import Window
from viewer.errors import InvalidParameter
from viewer.rendering.rendered_parameters import Annotation, Viewport
from viewer.rendering.uri_parameters import Fraction, UriRequest, parse_uri_request, viewport_of

OBJECT = {"requestType": "WADO", "studyUID": "1.2.3", "seriesUID": "1.2.4", "objectUID": "1.2.5"}
DICOM = {"contentType": "application/dicom"}


def asked(**query: str) -> UriRequest:
    return parse_uri_request({**OBJECT, **query})


def refused(query: dict[str, str]) -> str:
    with pytest.raises(InvalidParameter) as refusal:
        parse_uri_request(query)
    return refusal.value.parameter


def test_three_uids_name_the_object() -> None:
    found = asked()
    assert (found.study_uid, found.series_uid, found.object_uid) == ("1.2.3", "1.2.4", "1.2.5")
    assert not found.wants_dicom
    assert viewport_of(found, image_rows=5, image_columns=5) is None


@pytest.mark.parametrize("name", OBJECT)
def test_what_is_required_is_missed_by_name(name: str) -> None:
    assert refused({key: value for key, value in OBJECT.items() if key != name}) == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requestType", "wado"),
        ("requestType", "XDS"),
        ("studyUID", "abc"),
        ("seriesUID", ""),
        ("objectUID", "1.2.5,1.2.6"),
        ("objectUID", "../etc/passwd"),
        ("contentType", "image"),
        ("contentType", "image/png,application/dicom"),
        ("charset", "klingon"),
        ("annotation", ""),
        ("annotation", "pa tient"),
        ("rows", "0"),
        ("rows", "-5"),
        ("rows", "1.5"),
        ("rows", "8193"),
        ("columns", "a"),
        ("columns", "0"),
        ("region", "0,0,1"),
        ("region", "0,0,1,1,1"),
        ("region", "0,0,1,1.01"),
        ("region", "-0.1,0,1,1"),
        ("region", "0.5,0,0.5,1"),
        ("region", "0.6,0,0.5,1"),
        ("region", "0,1,1,0"),
        ("region", "0,0,nan,1"),
        ("frameNumber", "0"),
        ("frameNumber", "1,2"),
        ("frameNumber", "one"),
        ("imageQuality", "0"),
        ("imageQuality", "101"),
        ("imageQuality", "best"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, text: str) -> None:
    assert refused({**OBJECT, name: text}) == name


# --- Rules between parameters -----------------------------------------------------------------------------------------

OF_RENDERED = {
    "annotation": "patient",
    "rows": "5",
    "columns": "5",
    "region": "0,0,1,1",
    "windowCenter": "40",
    "windowWidth": "400",
    "frameNumber": "1",
    "imageQuality": "50",
    "presentationUID": "1.2",
    "presentationSeriesUID": "1.3",
}


@pytest.mark.parametrize("name", OF_RENDERED)
def test_the_object_itself_has_no_rendering_parameters(name: str) -> None:
    assert refused({**OBJECT, **DICOM, name: OF_RENDERED[name]}) == name


@pytest.mark.parametrize("content_type", [{}, {"contentType": "image/png"}, {"contentType": "*/*"}])
@pytest.mark.parametrize(("name", "text"), [("anonymize", "yes"), ("transferSyntax", "1.2.840.10008.1.2.1")])
def test_a_rendered_form_has_no_parameters_of_the_object(name: str, text: str, content_type: dict[str, str]) -> None:
    assert refused({**OBJECT, **content_type, name: text}) == name


@pytest.mark.parametrize(
    ("one", "other"), [("windowCenter", "windowWidth"), ("presentationUID", "presentationSeriesUID")]
)
def test_both_of_a_pair_or_none(one: str, other: str) -> None:
    assert refused({**OBJECT, one: OF_RENDERED[one]}) == other
    assert refused({**OBJECT, other: OF_RENDERED[other]}) == one


def test_a_presentation_state_brings_its_own_window_and_area() -> None:
    state = {"presentationUID": "1.2", "presentationSeriesUID": "1.3"}
    assert asked(**state).presentation == ("1.3", "1.2")
    assert asked(**state).look.presentation_state == "1.2"
    assert refused({**OBJECT, **state, "windowCenter": "40", "windowWidth": "400"}) == "windowCenter"
    assert refused({**OBJECT, **state, "region": "0,0,1,1"}) == "region"


def test_de_identification_is_refused_and_never_left_out_in_silence() -> None:
    assert refused({**OBJECT, **DICOM, "anonymize": "yes"}) == "anonymize"


@pytest.mark.parametrize(("center", "width"), [("a", "400"), ("40", ""), ("40", "0"), ("inf", "400"), ("40", "-1")])
def test_a_window_needs_two_numbers_and_a_width(center: str, width: str) -> None:
    assert refused({**OBJECT, "windowCenter": center, "windowWidth": width}).startswith("window")


def test_everything_for_a_picture_is_read() -> None:
    found = asked(
        contentType="image/png;q=0.5,image/*",
        charset="utf-8",
        annotation="patient,logo",
        windowCenter="40.5",
        windowWidth="400",
        imageQuality="75",
        frameNumber="3",
        overlays="no",
    )
    assert found.look.window == Window(40.5, 400)
    assert (found.look.quality, found.frame_number, found.look.annotation) == (75, 3, (Annotation.PATIENT,))
    assert [one.subtype for one in found.content_type] == ["png", "*"]
    assert found.look.ignored == (
        "The following annotation values are not supported: logo",
        "The following parameters are not supported: overlays",
    )


# --- Size and region --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"rows": "100", "columns": "50"}, Viewport(50, 100, 0, 0, 200, 100)),
        ({"rows": "50"}, Viewport(8192, 50, 0, 0, 200, 100)),
        ({"columns": "50"}, Viewport(50, 8192, 0, 0, 200, 100)),
        ({"region": "0.25,0.5,0.75,1"}, Viewport(100, 50, 50, 50, 100, 50)),
        ({"region": "0,0,0.5,0.5", "rows": "10"}, Viewport(8192, 10, 0, 0, 100, 50)),
    ],
)
def test_size_and_region_become_a_viewport_of_the_image(query: dict[str, Any], expected: Viewport) -> None:
    assert viewport_of(asked(**query), image_rows=100, image_columns=200) == expected


def test_a_region_is_relative_to_the_image() -> None:
    assert asked(region="0.25,0,1,0.5").region == Fraction(0.25, 0, 1, 0.5)
