"""Every grammar and error row of PS3.18 8.3.5 and the content negotiation parameters of 8.3.3."""

from __future__ import annotations

from typing import Any

import pytest

from archive.pixels.description import VoiFunction, Window
from viewer.errors import InvalidParameter
from viewer.rendering.rendered_parameters import (
    Annotation,
    IccProfile,
    RenderedParameters,
    Viewport,
    parse_rendered,
    parse_thumbnail,
)

PATIENT, TECHNIQUE = Annotation.PATIENT, Annotation.TECHNIQUE

READ: list[tuple[str, str, dict[str, Any]]] = [
    # 8.3.5.1.1 annotation = 1#("patient" / "technique")
    ("annotation", "patient", {"annotation": (PATIENT,)}),
    ("annotation", "technique", {"annotation": (TECHNIQUE,)}),
    ("annotation", "patient,technique", {"annotation": (PATIENT, TECHNIQUE)}),
    ("annotation", "technique,patient", {"annotation": (PATIENT, TECHNIQUE)}),
    # 8.3.5.1.2 quality = integer, 1 to 100 inclusive
    ("quality", "1", {"quality": 1}),
    ("quality", "100", {"quality": 100}),
    ("quality", "075", {"quality": 75}),
    # 8.3.5.1.3 viewport = vw "," vh ["," [sx] "," [sy] "," [sw] "," [sh]]
    ("viewport", "512,256", {"viewport": Viewport(512, 256)}),
    ("viewport", "1,8192", {"viewport": Viewport(1, 8192)}),
    ("viewport", "512,512,,,512,512", {"viewport": Viewport(512, 512, 0, 0, 512, 512)}),
    ("viewport", "512,512,10,20,30,40", {"viewport": Viewport(512, 512, 10, 20, 30, 40)}),
    ("viewport", "512,512,10.5,+20,.5,4e1", {"viewport": Viewport(512, 512, 10.5, 20, 0.5, 40)}),
    ("viewport", "512,512,10", {"viewport": Viewport(512, 512, 10)}),
    ("viewport", "512,512,,20", {"viewport": Viewport(512, 512, 0, 20)}),
    ("viewport", "512,512,,,30", {"viewport": Viewport(512, 512, 0, 0, 30)}),
    ("viewport", "512,512,,,,40", {"viewport": Viewport(512, 512, 0, 0, None, 40)}),
    ("viewport", "512,512,-10,-20,30,40", {"viewport": Viewport(512, 512, 10, 20, 30, 40)}),
    ("viewport", "5,5,,,-30,40", {"viewport": Viewport(5, 5, 0, 0, 30, 40, flip_columns=True)}),
    ("viewport", "5,5,,,30,-40", {"viewport": Viewport(5, 5, 0, 0, 30, 40, flip_rows=True)}),
    ("viewport", "5,5,,,-3,-4", {"viewport": Viewport(5, 5, 0, 0, 3, 4, flip_rows=True, flip_columns=True)}),
    # 8.3.5.1.4 window = center "," width "," function
    ("window", "40,400,linear", {"window": Window(40, 400)}),
    ("window", "-600.5,1500,linear-exact", {"window": Window(-600.5, 1500, VoiFunction.LINEAR_EXACT)}),
    ("window", "0,0.5,sigmoid", {"window": Window(0, 0.5, VoiFunction.SIGMOID)}),
    ("window", "40,1,linear", {"window": Window(40, 1)}),
    # 8.3.5.1.5 iccprofile
    ("iccprofile", "no", {"icc_profile": IccProfile.NO}),
    ("iccprofile", "yes", {"icc_profile": IccProfile.YES}),
    ("iccprofile", "srgb", {"icc_profile": IccProfile.SRGB}),
    # 8.3.3.2 charset = 1#(charset [weight])
    ("charset", "utf-8", {}),
    ("charset", "UTF-8", {}),
    ("charset", "iso-8859-1;q=0.9,utf-8;q=0.5", {}),
    ("charset", '"ISO_IR 192"', {}),
]

REFUSED: list[tuple[str, str]] = [
    # 8.3.5.1.1 "not keywords, or there are no parameter values"
    *(("annotation", text) for text in ("", ",", "patient,", ",patient", "pa tient", "1", "patient;technique", "-x")),
    # 8.3.5.1.2 "missing or is not an integer between 1 and 100"
    *(("quality", text) for text in ("", "0", "101", "-1", "50.5", "5e1", "abc", "٥", " 50", "1,2", "9" * 30)),
    # 8.3.5.1.3 "ill-formed or not supported"
    *(("viewport", text) for text in ("", "512", "512,", ",512", "512,512,", "512,512,1,", "512,512,,,,", "1,2,3,4,5,6,7")),
    *(("viewport", text) for text in ("0,512", "512,0", "-5,5", "5.5,5", "a,5", "8193,5", "5,8193", "1e2,5")),
    *(("viewport", text) for text in ("5,5,a", "5,5,nan", "5,5,,inf", "5,5,0x1", "5,5,1 ", "5,5,,,0,5", "5,5,,,5,-0")),
    # 8.3.5.1.4 "All three parameters shall be present with valid values"
    *(("window", text) for text in ("", "40", "40,400", "40,400,", ",400,linear", "40,,linear", "40,400,linear,1")),
    *(("window", text) for text in ("a,400,linear", "nan,400,linear", "40,inf,linear", "40,400,LINEAR", "40,400,cubic")),
    *(("window", text) for text in ("40,400,linear_exact", "40,0,linear", "40,0.9,linear", "40,0,sigmoid", "40,-1,linear-exact")),
    *(("window", text) for text in ("1e13,1,linear", "40,1e13,linear", "file", "auto", "lut-1", f"{'1' * 400},1,linear")),
    # 8.3.5.1.5
    *(("iccprofile", text) for text in ("", "adobergb", "rommrgb", "SRGB", "yes,no", "displayp3")),
    # 8.3.3.2 "not a valid or supported character set"
    *(("charset", text) for text in ("", "klingon", "iso-8859-1", "utf-8;q=0", "*", "utf-8;q=2", "ut\nf-8")),
    # 8.3.3.1 "it shall not have wildcards"; DICOM media types are not rendered
    *(("accept", text) for text in ("", "*/*", "image/*", "image", "image/png,", "image/png;q=2", "application/dicom")),
    ("accept", "application/dicom+json,image/png"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), READ)
def test_a_parameter_is_read_as_the_grammar_says(name: str, text: str, expected: dict[str, Any]) -> None:
    assert parse_rendered({name: text}) == RenderedParameters(**expected)


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_is_not_of_the_grammar_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        parse_rendered({name: text})
    assert refused.value.parameter == name
    assert str(refused.value).startswith(f"{name}: ")


def test_all_parameters_can_stand_together() -> None:
    query = {
        "accept": "image/png",
        "annotation": "patient",
        "charset": "utf-8",
        "quality": "50",
        "viewport": "10,20",
        "window": "1,2,linear",
        "iccprofile": "no",
    }
    found = parse_rendered(query)
    assert (found.quality, found.viewport, found.window) == (50, Viewport(10, 20), Window(1, 2))
    assert found.ignored == () and not found.embeds_profile


def test_unsupported_annotations_are_ignored_and_said() -> None:
    found = parse_rendered({"annotation": "patient,logo,scale-bar"})
    assert found.annotation == (PATIENT,)
    assert found.ignored == ("The following annotation values are not supported: logo, scale-bar",)


def test_unknown_parameters_are_ignored_and_said_and_names_are_case_sensitive() -> None:
    found = parse_rendered({"Window": "1,2,linear", "b": "", "a\r\n": ""})
    assert found.window is None
    assert found.ignored == ("The following parameters are not supported: (unreadable), Window, b",)


@pytest.mark.parametrize("text", ["16,16", "1,8192"])
def test_a_thumbnail_takes_two_values_of_a_viewport(text: str) -> None:
    columns, rows = map(int, text.split(","))
    assert parse_thumbnail({"viewport": text}).viewport == Viewport(columns, rows)


@pytest.mark.parametrize("text", ["16,16,0", "16,16,,,8,8", "16", "0,1", "16,16,"])
def test_a_thumbnail_refuses_anything_else(text: str) -> None:
    with pytest.raises(InvalidParameter):
        parse_thumbnail({"viewport": text})


@pytest.mark.parametrize("name", ["annotation", "quality", "window", "iccprofile"])
def test_a_thumbnail_has_no_other_parameters(name: str) -> None:
    found = parse_thumbnail({name: "anything"})
    assert found == RenderedParameters(ignored=(f"The following parameters are not supported: {name}",))
