"""docs/tiles.md: every example is sent, every table compared with the code."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import resolve
from PIL import Image

from archive.models import Study
from viewer.errors import InvalidParameter
from viewer.rendering.parameters import parse_parameters
from viewer.tiles.fast_lane import PATH
from viewer.tiles.statuses import STATUS

if TYPE_CHECKING:
    from tests.conftest import Cast

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "tiles.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```http\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OF_THE_DOOR = {401, 405, 503}
"""Statuses that no error class stands for."""


@pytest.fixture
def reader(study: Study, cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


def manifest_of(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/stacks/2.25.1002/manifest.json").json()
    return found


def first_cells(head: str) -> list[str]:
    """The first cells of the table that begins with this heading; several names in one cell count each."""
    found = re.search(rf"^\| {head} \|[^\n]*\n\|[-| ]+\n((?:\|[^\n]*\n)+)", PAGE, re.MULTILINE)
    assert found, head
    cells = [line.split("|")[1].strip().strip("`") for line in found[1].splitlines()]
    return [name for cell in cells for name in cell.split(", ")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.partition("\n")[0])
def test_an_example_is_answered_as_the_page_says(example: str, reader: Client) -> None:
    request, status, *rest = example.splitlines()
    method, address = request.split(" ")
    manifest = manifest_of(reader)
    address = address.replace("{key}", manifest["key"]).replace("{revision}", str(manifest["revision"]))

    response = reader.generic(method, address)

    assert response.status_code == int(status)
    for line in rest:
        if line.startswith("{"):
            assert response.json() == json.loads(line)
        else:
            name, _, value = line.partition(": ")
            assert response[name] == value


def test_the_python_of_the_page_reads_a_value_tile(reader: Client) -> None:
    response = reader.get("/tiles/2.25.1002/1/0/0/0.png?values=1")
    with Image.open(io.BytesIO(response.content)) as tile:
        picture, height = tile.tobytes(), tile.height
    scope = {"picture": picture, "rows": len(picture) // 2, "manifest": manifest_of(reader)}
    assert height == 32

    for block in PYTHON:
        exec(block, scope)  # noqa: S102 - the page's own example


def test_the_keys_of_the_manifest_are_those_of_the_page(reader: Client) -> None:
    manifest = manifest_of(reader)

    assert sorted(first_cells("key")) == sorted(manifest)


@pytest.mark.parametrize("key", ["levels", "frames", "windows", "window", "PixelSpacing", "values"])
def test_the_parts_of_a_key_are_named_in_its_row(key: str, reader: Client) -> None:
    value = manifest_of(reader)[key]
    manifest_part = PAGE.partition("## Manifest of a stack")[2]
    (row,) = (line for line in manifest_part.splitlines() if line.startswith(f"| {key} |"))

    parts = value[0] if isinstance(value, list) else value

    assert set(parts) <= set(re.findall(r"`(\w+)`", row))


def test_the_parameters_are_those_that_are_taken() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse_parameters({"": ""})
    taken = refusal.value.accepted.removeprefix("only the parameters ").split(", ")

    assert first_cells("parameter") == [*taken, "k", "rev"]


def test_the_statuses_are_those_of_the_table_of_errors() -> None:
    assert {int(status) for status in first_cells("status")} == {*STATUS.values(), *OF_THE_DOOR}


def test_the_addresses_lead_somewhere() -> None:
    for address in first_cells("address"):
        filled = re.sub(
            r"\{(\w+)\}", lambda found: "1" if found[1] in {"frame", "level", "row", "column"} else "1.2", address
        )
        assert PATH.fullmatch(filled) if filled.startswith("/tiles/") else resolve(filled)
