"""``docs/rendered.md`` says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from viewer.rendering.formats import DEFAULT_FRAME_RATE, DEFAULT_QUALITY
from viewer.rendering.media_types import MP4, MPEG, OFFERED, TRANSPORT_STREAM, Category
from viewer.rendering.rendered_parameters import LARGEST_SIDE, Annotation, IccProfile, parse_rendered
from viewer.rendering.viewports import MOST_PIXELS
from viewer.tiles.representations import LARGEST_DOCUMENT, MOST_ANIMATED_PIXELS
from viewer.tiles.targets import MOST_FRAMES_LISTED
from viewer.tiles.wado_rendered import MOST_PARTS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "rendered.md").read_text("utf-8")
ROWS = {
    Category.SINGLE_FRAME: "single frame",
    Category.PRESENTATION_STATE: "single frame",
    Category.MULTI_FRAME: "multi-frame image",
    Category.TEXT: "structured report",
    Category.DOCUMENT: "encapsulated PDF",
}


def row(begins: str) -> list[str]:
    (found,) = (line for line in PAGE.splitlines() if line.startswith(f"| {begins}"))
    return [cell.strip() for cell in found.strip("|").split(" | ")]


def words(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


@pytest.mark.parametrize("category", ROWS)
def test_media_types_are_those_that_are_offered_in_their_order(category: Category) -> None:
    assert words(row(ROWS[category])[1]) == OFFERED[category]


def test_containers_of_films_are_named() -> None:
    assert set(words(row("video")[1])) == {MP4, TRANSPORT_STREAM, MPEG}


def test_parameters_are_those_that_are_read() -> None:
    section = PAGE.partition("## Parameters")[2].partition("## Limits")[0]
    named = [words(line)[0] for line in section.splitlines() if line.startswith("| `")]
    assert len(named) == 6
    # What the code does not know, it would say to be ignored.
    assert "parameters are not supported" in parse_rendered({"x": ""}).ignored[0]
    values = {"window": "1,2,linear", "viewport": "1,1", "quality": "1", "charset": "utf-8"}
    values |= {"annotation": ",".join(Annotation), "iccprofile": "no"}
    assert set(named) == set(values) and parse_rendered(values).ignored == ()
    assert words(row("`iccprofile`")[1]) == tuple(IccProfile)
    assert words(row("`annotation`")[1]) == tuple(Annotation)


def test_limits_are_those_of_the_code() -> None:
    assert row("rows or columns of a viewport")[1] == str(LARGEST_SIDE)
    assert row("pixels of a picture")[1] == f"2^{MOST_PIXELS.bit_length() - 1}"
    assert row("pixels of all frames")[1] == f"2^{MOST_ANIMATED_PIXELS.bit_length() - 1}"
    assert row("parts of an answer")[1] == f"{MOST_PARTS}; {MOST_FRAMES_LISTED}"
    assert row("document in an object")[1] == f"{LARGEST_DOCUMENT >> 20} MiB"
    assert f"else {DEFAULT_FRAME_RATE:g} frames a second" in PAGE
    assert f"JPEG's own scale, {DEFAULT_QUALITY} where none is given" in PAGE
