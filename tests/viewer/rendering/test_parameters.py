"""Parameters of a picture: what is read, what is refused by name, which keys are equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.pixels.description import VoiFunction, Window
from viewer.errors import InvalidParameter, InvalidWindow
from viewer.rendering.parameters import (
    WINDOW_LIMIT,
    RenderParameters,
    VoiLutNumber,
    WindowSource,
    checked_window,
    parse_parameters,
    parse_window,
    window_text,
)


def test_nothing_asked_is_the_stack_as_it_is_first_shown() -> None:
    assert parse_parameters({}) == RenderParameters()
    assert RenderParameters().key() == ""


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("40,400", Window(40, 400)),
        ("40,400,linear", Window(40, 400)),
        ("-600.5,1500,LINEAR", Window(-600.5, 1500)),
        ("3.5,7,linear-exact", Window(3.5, 7, VoiFunction.LINEAR_EXACT)),
        ("3.5,0.5,linear_exact", Window(3.5, 0.5, VoiFunction.LINEAR_EXACT)),
        ("2653,900,sigmoid", Window(2653, 900, VoiFunction.SIGMOID)),
        ("1e3,2E+3", Window(1000, 2000)),
        ("40,1", Window(40, 1)),
        ("file", WindowSource.FILE),
        ("auto", WindowSource.AUTOMATIC),
        ("lut-1", VoiLutNumber(1)),
        ("lut-12", VoiLutNumber(12)),
    ],
)
def test_a_window_is_read_as_it_is_written(text: str, window: object) -> None:
    assert parse_window(text) == window


@pytest.mark.parametrize(
    "text",
    [
        "", "40", "40,", "40,400,", "40,400,cubic", "40,400,linear,1", "nan,400", "40,inf", "40,-400", "40,0", "40,0.9",
        "40,0,sigmoid", "40,-1,linear-exact", "1e13,400", "40,1e13", "0x10,400", "4 0,400", "١,400", "lut-", "lut-1000",
        "lut--1", "File", "40;400", "1e400,400", "1_0,400",
    ],
)  # fmt: skip
def test_what_is_no_window_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidWindow) as refused:
        parse_parameters({"window": text})

    assert refused.value.parameter == "window"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gamma", "2"),
        ("Window", "40,400"),
        ("invert", "yes"),
        ("invert", ""),
        ("values", "2"),
        ("overlays", "true"),
        ("map", "jet"),
        ("k", "abc"),
    ],
)
def test_an_unknown_parameter_or_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        parse_parameters({name: value})

    assert refused.value.parameter == name
    assert name in str(refused.value)
    assert refused.value.accepted in str(refused.value)


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidParameter) as refused:
        parse_parameters({"window": "9" * 10_000})

    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 2 * WINDOW_LIMIT])
def test_a_window_that_was_not_written_is_checked_too(number: float) -> None:
    with pytest.raises(InvalidWindow):
        checked_window(Window(number, 400))
    with pytest.raises(InvalidWindow):
        checked_window(Window(40, number))


def test_equal_pictures_have_equal_keys() -> None:
    same = [
        {"window": "40,400"},
        {"window": "40.0,400.000,linear"},
        {"window": "4e1,400", "invert": "0", "map": "grey", "overlays": "1", "values": "0"},
    ]
    assert {parse_parameters(query).key() for query in same} == {"window=40,400,linear"}


def test_polarity_is_in_the_key_where_it_matters() -> None:
    keys = [
        parse_parameters(query).key()
        for query in ({}, {"invert": "0"}, {"invert": "1"}, {"window": "file"}, {"window": "file", "invert": "1"})
    ]
    assert keys == ["", "invert=0", "invert=1", "window=file", "window=file&invert=1"]


def test_a_value_tile_has_one_key_whatever_the_window() -> None:
    asked = parse_parameters({"values": "1", "window": "40,400", "invert": "1", "map": "pet"})
    assert asked.key() == "values=1"


def test_every_parameter_is_in_the_key() -> None:
    asked = parse_parameters({"map": "hot-iron", "overlays": "0", "window": "lut-2", "invert": "1"})
    assert asked.key() == "window=lut-2&invert=1&map=hot-iron&overlays=0"


@given(
    st.floats(-WINDOW_LIMIT, WINDOW_LIMIT),
    st.floats(1, WINDOW_LIMIT),
    st.sampled_from(VoiFunction),
)
def test_a_window_reads_back_to_an_equal_one(center: float, width: float, function: VoiFunction) -> None:
    window = Window(center, width, function)
    assert parse_window(window_text(window)) == window


def test_a_presentation_state_is_named_by_its_uid() -> None:
    asked = parse_parameters({"pr": "1.2.840.9", "window": "40,400"})

    assert asked == RenderParameters(window=Window(40, 400), presentation_state="1.2.840.9")
    assert asked.key() == "window=40,400,linear&pr=1.2.840.9"


@pytest.mark.parametrize("text", ["", "1..2", "1.2.", "abc", "1.2/3", "1" * 65, "1.2\n"])
def test_what_is_no_uid_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        parse_parameters({"pr": text})
    assert refused.value.parameter == "pr"


def test_a_state_has_its_own_polarity_so_that_not_inverted_is_said_by_saying_nothing() -> None:
    plain, said = (RenderParameters(presentation_state="1.2", invert=invert) for invert in (None, False))
    inverted = RenderParameters(presentation_state="1.2", invert=True)

    assert plain.key() == said.key() == "pr=1.2"
    assert inverted.key() == "invert=1&pr=1.2"
