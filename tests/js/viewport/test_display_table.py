"""The browser's display table against the server's: every one of 65,536 entries, over many windows and images.

Linear functions use additions, multiplications and divisions of float64 in one order, which IEEE 754 fixes to the last
bit. exp() it does not fix: the two may differ in the last bits, which shows only where the curve lies that near to a
whole number before it is truncated. ``test_the_sigmoid_...`` says how near that is.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from archive.pixels.description import LookupTable, VoiFunction, Window
from tests.viewer.rendering.images import table
from viewer.rendering.color_maps import GREY, MAP_NAMES, color_map
from viewer.rendering.display_table import DisplayTransform, display_table
from viewer.rendering.modality_lut import ModalityTransform
from viewer.rendering.parameters import function_text
from viewer.rendering.voi_lut import display_entries

SCRIPT = Path(__file__).with_name("compare_display_tables.mjs")
HU = ModalityTransform(1.0, -1024.0)


class Case(NamedTuple):
    """A transform of signed or unsigned stored values."""

    transform: DisplayTransform
    signed: bool = False


def compared(cases: Iterable[Case], folder: Path) -> list[dict[str, Any]]:
    """Let Node build the tables, and count the entries that differ from the server's."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: apt-get install nodejs.")
    maps = {name: text_of(color_map(name).tobytes()) for name in MAP_NAMES}
    path = folder / "cases.json"
    path.write_text(json.dumps({"maps": maps, "cases": [facts_of(case) for case in cases]}))
    ran = subprocess.run([node, str(SCRIPT), str(path)], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def facts_of(case: Case) -> dict[str, Any]:
    """What the manifest and the viewport would say of a transform, and the server's table in the order of words."""
    transform, voi = case.transform, case.transform.voi
    patterns = display_table(transform, "<i2" if case.signed else "<u2")
    # Words are stored values plus the offset: of signed ones the lowest comes first.
    words = np.roll(patterns, 32768, axis=0) if case.signed else patterns
    modality_lut = transform.modality.table
    if isinstance(voi, LookupTable):
        listed: dict[str, Any] = {"first": voi.first_mapped, "entries": text_of(display_entries(voi).tobytes())}
    else:
        listed = {"center": voi.center, "width": voi.width, "function": function_text(voi.function)}
    values = {
        "offset": 32768 if case.signed else 0,
        "slope": [transform.modality.slope],
        "intercept": [transform.modality.intercept],
        "modality_lut": [None if modality_lut is None else 0],
        "modality_luts": []
        if modality_lut is None
        else [{"first": modality_lut.first_mapped, "entries": text_of(modality_lut.entries)}],
        "padding": [transform.padding],
        "inverted": [transform.image_inverted],
        "own": [0],
        "vois": [listed],
    }
    view = {"window": {"key": None}, "inverted": transform.reader_inverted, "map": transform.map}
    return {"values": values, "view": view, "table": text_of(words.tobytes())}


def text_of(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def windows(functions: Iterable[VoiFunction]) -> list[Window]:
    """Windows of radiology, of a hand that drags, and at the edge of what is legal."""
    chance = random.Random(3)
    usual = [(40, 400), (-600, 1500), (40, 80), (400, 2000), (2047.5, 4095), (128, 256), (127.5, 255), (600, 1e5)]
    fractions = [(chance.uniform(-2000, 4000), chance.uniform(1, 5000)) for _ in range(60)]
    edges = [(40, 1), (40.25, 1.0000001), (1e12, 1e12), (-1e12, 7.5), (0.1 + 0.2, 3.3)]
    return [Window(float(c), float(w), function) for function in functions for c, w in usual + fractions + edges]


def test_linear_windows_give_the_same_table_to_the_last_grey_level(tmp_path: Path) -> None:
    modalities = [HU, ModalityTransform(), ModalityTransform(-0.37, 900.5), ModalityTransform(0.000412345, 0.1)]
    cases = [
        Case(DisplayTransform(modality, window, image_inverted=index % 3 == 1, reader_inverted=index % 4 == 3), signed)
        for signed in (False, True)
        for modality in modalities
        for index, window in enumerate(windows([VoiFunction.LINEAR, VoiFunction.LINEAR_EXACT]))
    ]
    assert {one["different"] for one in compared(cases, tmp_path)} == {0}


def test_narrow_windows_of_fractions_give_the_same_table(tmp_path: Path) -> None:
    slopes = [1.0, 0.1, 1e-7, 123.456]
    cases = [
        Case(DisplayTransform(ModalityTransform(slope, 0.0), Window(slope * 900, width, VoiFunction.LINEAR_EXACT)))
        for slope in slopes
        for width in (slope / 3, slope * 77.7, 1e-15)
    ]
    assert {one["different"] for one in compared(cases, tmp_path)} == {0}


def test_tables_of_the_file_give_the_same_table(tmp_path: Path) -> None:
    curve = [round(4095 * (step / 999) ** 0.6) for step in range(1000)]
    vois = [
        table(curve, first_mapped=-200, bits=12),
        table(list(range(0, 65536, 7)), first_mapped=40, bits=16),
        table([0, 255, 3], bits=8),
        Window(500.5, 811.25),
    ]
    modalities = [HU, ModalityTransform(table=table(curve[::-1], first_mapped=-30)), ModalityTransform(0.5, -10.25)]
    cases = [
        Case(DisplayTransform(modality, voi, image_inverted=inverted), signed)
        for modality in modalities
        for voi in vois
        for inverted in (False, True)
        for signed in (False, True)
    ]
    assert {one["different"] for one in compared(cases, tmp_path)} == {0}


@pytest.mark.parametrize("padding", [(-2000, -2000), (-32768, -1024), (0, 0), (65535, 65535), (63536.5, 70000.0)])
def test_padding_is_black_in_every_polarity_and_map(tmp_path: Path, padding: tuple[float, float]) -> None:
    cases = [
        Case(DisplayTransform(HU, Window(40, 400), padding, inverted, not inverted, name), signed)
        for name in MAP_NAMES
        for inverted in (False, True)
        for signed in (False, True)
    ]
    assert {one["different"] for one in compared(cases, tmp_path)} == {0}


SIGMOID_MARGIN = 8 * 2.0**-52
"""Relative distance to a whole number within which the curve may be truncated differently.

exp() of numpy and of V8 are each within one unit in the last place; the division adds half a unit and the product
another, on either side: less than four units together. Eight are allowed.
"""


def test_the_sigmoid_differs_at_most_where_the_curve_touches_a_whole_number(tmp_path: Path) -> None:
    cases = [
        Case(DisplayTransform(modality, window, image_inverted=inverted), signed=True)
        for modality in (HU, ModalityTransform(0.37, 11.5))
        for inverted in (False, True)
        for window in windows([VoiFunction.SIGMOID])
    ]
    for case, found in zip(cases, compared(cases, tmp_path), strict=True):
        assert found["furthest"] <= 1
        touching = set(np.flatnonzero(touches(case)).tolist())
        assert found["different"] <= len(touching) and set(found["words"]) <= touching


def touches(case: Case) -> np.ndarray:
    """Words at which the curve is nearer to a whole number than the margin."""
    window, modality = case.transform.voi, case.transform.modality
    assert isinstance(window, Window)
    values = np.arange(-32768, 32768) * modality.slope + modality.intercept
    curve = 255 / (1 + np.exp(np.clip(-4 * (values - window.center) / window.width, -700, 700)))
    curve = 255 - curve if case.transform.image_inverted else curve
    return np.abs(curve - np.rint(curve)) <= SIGMOID_MARGIN * 255


def test_sigmoid_windows_of_real_images_give_the_same_table(tmp_path: Path) -> None:
    # cr_dx_mg/mg_sigmoid_voilut.dcm: 2047 / 4095 of 12 bits; and what mammography and CT readers drag it to.
    real = [(2047, 4095), (2048, 4096), (1800, 2500), (2200.5, 3100), (1500, 900), (40, 400), (-600, 1500), (300, 1200)]
    cases = [
        Case(
            DisplayTransform(modality, Window(float(c), float(w), VoiFunction.SIGMOID), reader_inverted=inverted),
            signed,
        )
        for c, w in real
        for modality in (ModalityTransform(), HU)
        for inverted in (False, True)
        for signed in (False, True)
    ]
    assert {one["different"] for one in compared(cases, tmp_path)} == {0}


def test_a_changed_formula_would_be_noticed(tmp_path: Path) -> None:
    right = Case(DisplayTransform(HU, Window(40, 400)))
    wrong = facts_of(right) | {"table": facts_of(Case(DisplayTransform(HU, Window(40, 401))))["table"]}
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"maps": {}, "cases": [wrong]}))
    ran = subprocess.run(
        [shutil.which("node") or "node", str(SCRIPT), str(path)], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout)[0]["different"] > 0
    assert right.transform.map == GREY
