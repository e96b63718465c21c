"""docs/conformance.md says what the code does: every table is compared with it, both ways."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from archive.dicom.sop_classes import name_of
from archive.dicom.transfer_syntaxes import TRANSFER_SYNTAXES, Codec
from archive.dimse.contexts import STORAGE_CLASSES
from archive.errors import CannotDecode
from archive.pixels import decode
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import VoiFunction
from archive.pixels.limits import BITS_ALLOCATED
from tests.phantoms import image
from viewer.errors import InvalidParameter, NothingToDraw
from viewer.rendering import color
from viewer.rendering.color_maps import MAP_NAMES
from viewer.rendering.parameters import function_text, parse_parameters
from viewer.rendering.pipeline import render_frame

PAGE = Path(__file__).resolve().parent.parent / "docs" / "conformance.md"
DRAWN, KEPT = "drawn", "kept"
DEFINED = {
    "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "HSV", "ARGB", "CMYK", "YBR_FULL", "YBR_FULL_422",
    "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB",
}  # fmt: skip
"""Defined terms of PS3.3 C.7.6.3.1.2."""


def table(*head: str) -> list[list[str]]:
    """The rows of the table that begins with these headings."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^\| {re.escape(' | '.join(head))} \|\n\|[-| ]+\n((?:\|[^\n]*\n)+)", text, re.MULTILINE)
    assert found, head
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found[1].splitlines()]
    names = [row[0] for row in rows]
    assert sorted(set(names)) == sorted(names)
    return rows


def test_every_transfer_syntax_has_a_row_and_every_row_is_true() -> None:
    rows = table("UID", "name", "what is done", "decoder")

    found = {uid: (name, done, bool(decoder)) for uid, name, done, decoder in rows}

    assert found == {
        uid: (
            syntax.name,
            DRAWN if syntax.codec in decode._DECODERS else KEPT,
            syntax.codec in decode._DECODERS,
        )
        for uid, syntax in TRANSFER_SYNTAXES.items()
    }


@pytest.mark.parametrize("row", table("UID", "name", "what is done", "decoder"), ids=lambda row: row[1])
def test_a_syntax_is_decoded_in_a_child_where_its_row_says_so(row: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    uid, _name, done, decoder = row
    asked: list[str] = []

    def note(request: decode.Request, _data: bytes) -> np.ndarray:
        asked.append(request.codec)
        return np.zeros(request.shape, request.dtype or "u1")

    monkeypatch.setattr(decode, "decode_in_child", note)
    syntax = TRANSFER_SYNTAXES[uid]
    if done == KEPT or syntax.codec in (Codec.NONE, Codec.DEFLATE):
        return
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    decode_frame(
        stream_of(syntax.codec, values),
        transfer_syntax_uid=uid,
        description=describe(image(values, BitsAllocated=8)),
    )

    sequential_alone = "progressive in a child" in decoder
    assert bool(asked) == ("in a child" in decoder and not sequential_alone)
    names = {"jpeg2k_decode": "OpenJPEG", "htj2k_decode": "OpenJPH", "jpegxl_decode": "libjxl"}
    assert not asked or decoder.startswith(names[asked[0]])


def stream_of(codec: Codec, values: np.ndarray) -> bytes:
    """A code stream of the codec."""
    if codec is Codec.RLE:
        return b"\1\0\0\0\x40\0\0\0" + bytes(56) + bytes(imagecodecs.packbits_encode(values.tobytes()))
    encoders = {
        Codec.JPEG: lambda: imagecodecs.jpeg8_encode(values),
        Codec.JPEG_LOSSLESS: lambda: imagecodecs.jpeg8_encode(values, lossless=True),
        Codec.JPEG_LS: lambda: imagecodecs.jpegls_encode(values),
        Codec.JPEG_2000: lambda: imagecodecs.jpeg2k_encode(values, level=0, codecformat="J2K"),
        Codec.HTJ2K: lambda: imagecodecs.htj2k_encode(values, reversible=True),
        Codec.JPEG_XL: lambda: imagecodecs.jpegxl_encode(values, lossless=True),
    }
    return bytes(encoders[codec]())


PHOTOMETRIC = table("name", "what is done", "how")


def test_every_photometric_interpretation_has_a_row() -> None:
    inside_a_codec = {"XYB"}

    drawn = {name for name, done, _how in PHOTOMETRIC if done == DRAWN}

    assert {row[0] for row in PHOTOMETRIC} == DEFINED
    assert drawn - inside_a_codec == {
        "MONOCHROME1",
        "MONOCHROME2",
        color.PALETTE_COLOR,
        *color._ALREADY_RGB,
        *color._FULL_RANGE,
        *color._PARTIAL_RANGE,
    }


@pytest.mark.parametrize(("name", "done"), [row[:2] for row in PHOTOMETRIC if row[0] != "XYB"])
def test_a_photometric_interpretation_is_drawn_or_refused_as_its_row_says(name: str, done: str) -> None:
    samples = 1 if name.startswith(("MONOCHROME", "PALETTE")) else 4 if name in ("ARGB", "CMYK") else 3
    shape = (4, 4) if samples == 1 else (4, 4, samples)
    ds = image(np.full(shape, 100), BitsAllocated=8, SamplesPerPixel=samples, PhotometricInterpretation=name)
    if name == color.PALETTE_COLOR:
        for part in ("Red", "Green", "Blue"):
            setattr(ds, f"{part}PaletteColorLookupTableDescriptor", [256, 0, 8])
            setattr(ds, f"{part}PaletteColorLookupTableData", bytes(range(256)))
    description = describe(ds)
    decoded = decode_frame(ds.PixelData, transfer_syntax_uid="1.2.840.10008.1.2.1", description=description)
    try:
        picture = render_frame(decoded, description, 1)
    except (NothingToDraw, CannotDecode):
        assert done == KEPT
        return

    assert done == DRAWN
    assert picture.shape == ((4, 4) if name.startswith("MONOCHROME") else (4, 4, 3))


def test_the_cells_are_those_that_are_decoded() -> None:
    assert {int(bits) for bits, _done in table("bits", "what is done")} == BITS_ALLOCATED


SOP_CLASSES = table("UID", "name", "what is done")


def test_every_storage_class_that_is_received_has_a_row() -> None:
    assert {row[0] for row in SOP_CLASSES} == STORAGE_CLASSES
    for uid, name, done in SOP_CLASSES:
        assert done in (DRAWN, KEPT)
        # Classes that pydicom does not know yet have their UID for a name.
        assert name_of(uid) in (name.removesuffix(" (retired)"), uid)


@pytest.mark.parametrize("uid", [row[0] for row in SOP_CLASSES if row[2] == DRAWN])
def test_images_of_a_drawn_class_are_drawn(uid: str) -> None:
    ds = image(np.full((4, 4), 100), BitsAllocated=8, sop_class_uid=uid)
    description = describe(ds)
    decoded = decode_frame(ds.PixelData, transfer_syntax_uid="1.2.840.10008.1.2.1", description=description)

    assert (render_frame(decoded, description, 1) == 100).all()


def test_the_parameters_are_those_that_are_taken() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse_parameters({"": ""})
    taken = refusal.value.accepted.removeprefix("only the parameters ").split(", ")

    assert [row[0] for row in table("parameter", "values", "what is done")] == taken


def test_the_functions_and_maps_are_those_that_are_taken() -> None:
    assert [row[0] for row in table("function of a window", "source")] == [function_text(one) for one in VoiFunction]
    assert tuple(row[0] for row in table("map", "source")) == MAP_NAMES


@pytest.mark.parametrize("row", table("limit", "value", "constant"), ids=lambda row: row[2])
def test_a_limit_is_what_the_page_says(row: list[str]) -> None:
    module, _, name = row[2].strip("`").rpartition(".")

    assert float(row[1]) == getattr(importlib.import_module(module), name)
