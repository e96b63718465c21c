"""Negotiation of rendered media types (PS3.18 8.7.4 to 8.7.8)."""

from __future__ import annotations

import pytest

from archive.dicom.accept import ANYTHING, accept_header
from viewer.errors import InvalidParameter, NotAcceptable
from viewer.rendering.media_types import (
    OFFERED,
    Category,
    Selected,
    parse_accept_parameter,
    select,
)

IMAGE = OFFERED[Category.SINGLE_FRAME]


def chosen(header: str | None, parameter: str = "", offered: tuple[str, ...] = IMAGE) -> Selected:
    return select(
        offered,
        parameter=parse_accept_parameter(parameter) if parameter else (),
        header=accept_header(header),
        what="It",
    )


@pytest.mark.parametrize("category", Category)
def test_table_8_7_4_1_names_the_default_first(category: Category) -> None:
    defaults = {Category.SINGLE_FRAME: "image/jpeg", Category.TEXT: "text/html"}
    if category in defaults:
        assert OFFERED[category][0] == defaults[category]
        assert chosen("*/*", offered=OFFERED[category]) == Selected(defaults[category])


def test_the_most_specific_range_gives_the_weight() -> None:
    # The Accept header of the example in 8.7.8.1, without the levels of text/html, which are not offered here.
    header = "text/*; q=0.5, text/html; q=0.4, image/png, */*; q=0.4"
    assert chosen(header, offered=("text/html", "text/plain")) == Selected("text/plain")
    assert chosen(header, offered=("image/jpeg", "text/plain")) == Selected("text/plain")
    assert chosen(header, offered=("text/plain", "image/jpeg", "image/png")) == Selected("image/png")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("image/png", "image/png"),
        ("IMAGE/PNG", "image/png"),
        ("image/png;level=1;q=0.5,image/gif;q=0.4", "image/png"),
        ("image/*;q=0.9, image/jpeg;q=0.1", "image/png"),
        ("image/jpeg;q=0, image/*", "image/png"),
        ("*/*;q=0.1, image/gif", "image/gif"),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image/jpeg"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "image/jpeg"),
        (" , ;;, image/png;q=5, image/gif", "image/gif"),
        ('application/x;a="b,c;d", image/png', "image/png"),
        (None, "image/jpeg"),
        ("", "image/jpeg"),
    ],
)
def test_the_header_decides(header: str | None, expected: str) -> None:
    assert chosen(header).media_type == expected


def test_a_range_within_multipart_is_that_of_the_parts() -> None:
    assert chosen('multipart/related; type="image/png"') == Selected("image/png", multipart=True)
    assert chosen("multipart/related; type=image/gif") == Selected("image/gif", multipart=True)
    assert chosen("multipart/related") == Selected("image/jpeg", multipart=True)
    assert chosen('multipart/related; type="image/png", image/gif;q=0.5') == Selected("image/png", multipart=True)


def test_the_parameter_comes_before_the_header_and_the_header_after_it() -> None:
    assert chosen("*/*", "image/gif").media_type == "image/gif"
    assert chosen("image/png", "image/webp").media_type == "image/png"
    assert chosen("*/*", "image/webp,text/html").media_type == "image/jpeg"


@pytest.mark.parametrize("header", ["text/html", "*/*;q=0", "image/webp", "nonsense", "*/png", "image/png;q=0.0"])
def test_nothing_acceptable_lists_what_is_offered(header: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        chosen(header)
    assert refused.value.offered == IMAGE
    assert "image/jpeg, image/png, image/gif" in str(refused.value)


def test_a_long_header_is_read_only_so_far() -> None:
    assert len(accept_header(",".join(["image/png"] * 10_000))) <= 64


def test_the_parameter_of_wado_uri_may_have_wildcards_and_dicom_but_not_both_kinds() -> None:
    assert parse_accept_parameter("*/*", "contentType", wildcards=True) == ANYTHING
    (dicom,) = parse_accept_parameter("application/dicom", "contentType", dicom=True)
    assert dicom.specificity("application/dicom") == 3
    with pytest.raises(InvalidParameter):
        parse_accept_parameter("application/dicom,image/png", "contentType", dicom=True)
