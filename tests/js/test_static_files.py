"""Promises about the files that browsers get: nothing of others but what is named, and nothing that alters a pixel."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"
ROW = re.compile(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", re.MULTILINE)


def test_every_file_of_others_is_listed_with_its_checksum() -> None:
    folder = STATIC / "vendor"
    listed = dict(ROW.findall((folder / "README.md").read_text(encoding="utf-8")))
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.suffix in {".js", ".svg", ".css", ".woff2"}
    }
    assert listed == found


@pytest.mark.parametrize("name", ["base.css", "viewer.css", "viewport.css", "viewport_text.css", "viewport_marks.css"])
def test_no_style_alters_the_pixels_of_a_viewport_or_of_what_holds_it(name: str) -> None:
    text = re.sub(r"/\*.*?\*/", "", (STATIC / "css" / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    for altering in ("filter", "opacity", "mix-blend-mode", "backdrop-filter", "mask", "image-rendering"):
        assert not re.search(rf"(?<![\w-]){altering}\s*:", text)


def test_modules_import_each_other_relatively_and_with_their_suffix() -> None:
    for path in (STATIC / "js").rglob("*.js"):
        for name in re.findall(
            r'^(?:import|export)[^;]* from "([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert name.startswith("."), f"{path.name} imports {name}"
            assert name.endswith(".js"), f"{path.name} imports {name}"
            assert (path.parent / name).resolve().is_file(), f"{path.name} imports {name}"


LAYERS = {
    "geometry": set(),
    "viewport": {"geometry", "core"},
    "annotations": {"geometry", "core"},
    "tools": {"geometry", "viewport", "core"},
    "core": set(),
}
"""What the modules of each layer may import besides their own."""


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_import_downwards_only(layer: str) -> None:
    for path in (STATIC / "js" / layer).glob("*.js"):
        for name in re.findall(r' from "\.\./([a-z_]+)/', path.read_text(encoding="utf-8")):
            assert name in LAYERS[layer], f"{path.name} of {layer} imports from {name}"
