"""The bounded parser: what it finds, what it bears, what it refuses."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.dicom.header import HeaderLimits
from archive.dicom.header_scan import scan_header
from archive.dicom.header_source import inflate
from archive.dicom.part10 import read_file_meta
from archive.dicom.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE,
)
from archive.errors import CannotUnderstand
from tests.phantoms import ct_image, data_set_bytes, enhanced_ct, multi_frame, with_encapsulated

UNDEFINED = 0xFFFFFFFF
LONG = {"OB", "OW", "SQ", "UN", "UT"}


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """An explicit little-endian element, of a false length if asked."""
    size = len(value) if length is None else length
    group, number = tag >> 16, tag & 0xFFFF
    if vr in LONG:
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, size) + value
    return struct.pack("<HH2sH", group, number, vr.encode(), size) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def item(value: bytes, *, defined: bool = True) -> bytes:
    if defined:
        return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value
    return struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED) + value + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)


SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
UID = element(0x00080018, "UI", b"1.2.3\0")
STUDY = element(0x0020000D, "UI", b"1.2.4\0")


def scan(data: bytes, transfer_syntax_uid: str = EXPLICIT_VR_LITTLE_ENDIAN, **arguments: Any):  # type: ignore[no-untyped-def]
    return scan_header(io.BytesIO(data), start=0, transfer_syntax_uid=transfer_syntax_uid, **arguments)


@pytest.mark.parametrize("uid", [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN])
def test_uids_and_place_of_the_pixel_data_are_found_in_every_encoding(uid: str) -> None:
    ds = ct_image()

    data = data_set_bytes(ds, uid)
    header = scan(data, uid)

    assert header.sop_instance_uid == ds.SOPInstanceUID
    assert header.sop_class_uid == ds.SOPClassUID
    assert (header.study_instance_uid, header.series_instance_uid) == ("2.25.1001", "2.25.1002")
    assert header.end == len(data)
    assert header.pixel_data is not None
    assert header.pixel_data.length == 512
    assert header.pixel_data.offset == len(data) - 512
    assert len(header.elements) == len(ds)


def test_places_of_a_deflated_data_set_count_in_the_inflated_one() -> None:
    ds = ct_image()

    header = scan(data_set_bytes(ds, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)

    plain = data_set_bytes(ds)
    assert header.deflated
    assert header.end == len(plain)
    assert header.pixel_data is not None
    assert header.pixel_data.offset == len(plain) - 512


def test_values_are_kept_and_text_is_the_first_without_padding() -> None:
    header = scan(element(0x00080008, "CS", b"ORIGINAL\\PRIMARY ") + UID + element(0x00280010, "US", b"\x00\x02"))

    assert header.value(0x00280010) == b"\x00\x02"
    assert header.text(0x00080008) == "ORIGINAL"
    assert header.text(0x00100010) == ""
    assert header.value(0x00100010) is None


def test_fragments_of_encapsulated_pixel_data_are_listed_with_the_offset_table_first() -> None:
    ds = with_encapsulated(multi_frame(2), [[b"\xff\xd8abcd"], [b"\xff\xd8ef", b"ghij"]])

    data = data_set_bytes(ds, JPEG_BASELINE)
    location = scan(data, JPEG_BASELINE).pixel_data

    assert location is not None
    assert location.is_encapsulated
    assert [data[offset : offset + length] for offset, length in location.fragments] == [
        struct.pack("<II", 0, 14),
        b"\xff\xd8abcd",
        b"\xff\xd8ef",
        b"ghij",
    ]
    assert location.offset + location.length == len(data)


def test_pixel_data_of_an_icon_is_not_that_of_the_image() -> None:
    icon = item(element(0x7FE00010, "OW", b"\1\2"))
    header = scan(UID + element(0x00880200, "SQ", icon) + element(0x7FE00010, "OW", b"\1\2\3\4"))

    assert header.pixel_data is not None
    assert header.pixel_data.length == 4


def test_nothing_after_the_wanted_tag_is_looked_at() -> None:
    header = scan(UID + element(0x00100010, "PN", b"", length=9999), stop_after=0x00080018)

    assert header.sop_instance_uid == "1.2.3"
    assert 0x00100010 not in header.elements


# What real files do


def test_undefined_lengths_are_followed_to_their_delimiters() -> None:
    inner = element(0x00081155, "UI", b"9.9\0")
    sequence = element(0x00081140, "SQ", item(inner, defined=False) + item(inner) + SEQUENCE_END, length=UNDEFINED)

    header = scan(UID + sequence + STUDY)

    assert header.study_instance_uid == "1.2.4"
    assert (header.element_count, header.item_count) == (5, 2)


def test_private_sequence_in_un_is_read_as_implicit() -> None:
    hidden = item(implicit(0x00091001, b"ab"), defined=False)
    data = UID + element(0x00091000, "UN", hidden + SEQUENCE_END, length=UNDEFINED) + STUDY

    header = scan(data)

    assert header.study_instance_uid == "1.2.4"
    assert header.element_count == 4


def test_item_in_implicit_vr_inside_explicit_is_read() -> None:
    sequence = element(0x00081140, "SQ", item(implicit(0x00081155, b"9.9\0")) + SEQUENCE_END, length=UNDEFINED)

    assert scan(UID + sequence + STUDY).study_instance_uid == "1.2.4"


def test_implicit_data_set_that_is_announced_as_explicit_is_read() -> None:
    header = scan(implicit(0x00080018, b"1.2.3\0") + implicit(0x0020000D, b"1.2.4\0"))

    assert header.implicit_vr
    assert header.study_instance_uid == "1.2.4"


def test_odd_lengths_group_lengths_and_unknown_vrs_are_borne() -> None:
    data = element(0x00080000, "UL", b"\x10\0\0\0") + element(0x00080018, "UI", b"1.2.3")
    data += element(0x00091001, "ZZ", b"xyz") + STUDY

    assert scan(data).study_instance_uid == "1.2.4"


def test_zeros_after_the_end_are_no_part_of_the_data_set() -> None:
    header = scan(UID + STUDY + bytes(100_001))

    assert header.end == len(UID + STUDY)


def test_junk_inside_a_nested_value_of_defined_length_is_passed_over() -> None:
    junk = item(b"\x08\0\x18\0UI\xff\x7fnot there")

    header = scan(UID + element(0x00081140, "SQ", junk) + STUDY)

    assert header.study_instance_uid == "1.2.4"


def test_values_of_implicit_files_that_merely_look_like_items_are_passed_over() -> None:
    data = implicit(0x00080018, b"1.2.3\0") + implicit(0x00091001, b"\xfe\xff\x00\xe0" + b"\xee" * 20)

    header = scan(data + implicit(0x0020000D, b"1.2.4\0"), IMPLICIT_VR_LITTLE_ENDIAN)

    assert header.study_instance_uid == "1.2.4"


# What is refused


@pytest.mark.parametrize(
    "data",
    [
        UID + element(0x7FE00010, "OW", b"\1\2\3\4", length=6),
        UID + element(0x00100010, "PN", b"DOE", length=40),
        UID + element(0x7FE00010, "OB", item(b"") + item(b"abcd"), length=UNDEFINED),
        UID + element(0x7FE00010, "OB", item(b"") + item(b"abcd")[:-2], length=UNDEFINED),
        UID + element(0x00081140, "SQ", item(UID, defined=False), length=UNDEFINED),
        UID + element(0x00081140, "SQ", item(UID), length=400),
        UID + b"\x10\0\x10",
        UID + STUDY[:6],
    ],
    ids=["pixels", "value", "no delimiter", "fragment", "sequence", "defined sequence", "tag", "element"],
)
def test_a_data_set_that_is_cut_short_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(CannotUnderstand, match="cut short"):
        scan(data)


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_deflated_data_set_that_is_cut_short_is_refused(cut: int) -> None:
    data = data_set_bytes(enhanced_ct(), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)

    with pytest.raises(CannotUnderstand, match="cut short"):
        scan(data[:-cut], DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


def test_a_deflated_sequence_that_claims_more_than_is_there_is_refused() -> None:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    plain = UID + element(0x00081140, "SQ", item(UID), length=5000)

    with pytest.raises(CannotUnderstand, match="cut short"):
        scan(stream.compress(plain) + stream.flush(), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.parametrize("data", [b"", b"abc", bytes(200)], ids=["empty", "short", "zeros"])
def test_nothing_is_no_data_set(data: bytes) -> None:
    with pytest.raises(CannotUnderstand, match="no data set"):
        scan(data)


def nested(depth: int, *, defined: bool) -> bytes:
    value = UID
    for _ in range(depth):
        value = element(0x00081140, "SQ", item(value, defined=defined) + (b"" if defined else SEQUENCE_END))
        if not defined:
            value = value[:8] + struct.pack("<I", UNDEFINED) + value[12:]
    return UID + value


@pytest.mark.parametrize("defined", [True, False])
def test_nesting_is_bounded_whether_lengths_are_defined_or_not(defined: bool) -> None:
    assert scan(nested(64, defined=defined)).element_count == 66

    with pytest.raises(CannotUnderstand, match="nested deeper than 64"):
        scan(nested(65, defined=defined))


def test_nesting_is_bounded_in_values_that_only_pydicom_would_take_for_sequences() -> None:
    value = implicit(0x00080018, b"1.2.3\0")
    for _ in range(100):
        value = implicit(0x00081140, item(value))

    with pytest.raises(CannotUnderstand, match="nested deeper"):
        scan(UID + element(0x00091001, "UN", item(value)))


def test_items_elements_and_fragments_are_counted() -> None:
    items = element(0x00081140, "SQ", item(b"") * 20)
    fragments = element(0x7FE00010, "OB", item(b"ab") * 20 + SEQUENCE_END, length=UNDEFINED)

    with pytest.raises(CannotUnderstand, match="more than 10 items"):
        scan(UID + items, limits=HeaderLimits(items=10))
    with pytest.raises(CannotUnderstand, match="more than 10 elements"):
        scan(UID * 11, limits=HeaderLimits(elements=10))
    with pytest.raises(CannotUnderstand, match="more than 10 fragments"):
        scan(UID + fragments, limits=HeaderLimits(fragments=10))


def test_header_bytes_are_bounded_and_pixel_data_does_not_count() -> None:
    pixels = element(0x7FE00010, "OW", bytes(5000))
    limits = HeaderLimits(header_bytes=1000)

    assert scan(UID + pixels, limits=limits).end == len(UID + pixels)
    with pytest.raises(CannotUnderstand, match="larger than 1000 bytes"):
        scan(UID + element(0x00091001, "OB", bytes(1001)), limits=limits)


def test_an_inflate_bomb_is_refused_before_it_is_inflated() -> None:
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = UID + element(0x7FE00010, "OW", b"", length=200 << 20)
    data = stream.compress(bomb)
    data += b"".join(stream.compress(bytes(1 << 20)) for _ in range(200)) + stream.flush()

    with pytest.raises(CannotUnderstand, match="grows beyond"):
        scan(data, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


def test_a_damaged_deflate_stream_is_refused() -> None:
    with pytest.raises(CannotUnderstand, match="damaged"):
        scan(b"\xff" * 100, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


def test_inflate_gives_the_first_bytes() -> None:
    ds = ct_image()
    deflated = io.BytesIO(b"before" + data_set_bytes(ds, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN))

    assert inflate(deflated, start=6, size=100) == data_set_bytes(ds)[:100]


# Any bytes

SEEDS = [
    (data_set_bytes(ct_image(), EXPLICIT_VR_LITTLE_ENDIAN), EXPLICIT_VR_LITTLE_ENDIAN),
    (data_set_bytes(enhanced_ct(2), IMPLICIT_VR_LITTLE_ENDIAN), IMPLICIT_VR_LITTLE_ENDIAN),
    (data_set_bytes(enhanced_ct(2), EXPLICIT_VR_BIG_ENDIAN), EXPLICIT_VR_BIG_ENDIAN),
    (data_set_bytes(enhanced_ct(2), EXPLICIT_VR_LITTLE_ENDIAN), EXPLICIT_VR_LITTLE_ENDIAN),
    (data_set_bytes(ct_image(), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN),
    (data_set_bytes(with_encapsulated(multi_frame(2), [[b"ab"], [b"cd"]]), JPEG_BASELINE), JPEG_BASELINE),
    (nested(5, defined=False), EXPLICIT_VR_LITTLE_ENDIAN),
]


@settings(max_examples=400, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=8)), max_size=8),
    cut=st.integers(0, 200),
)
def test_mutated_bytes_are_read_or_refused_and_nothing_else(
    seed: tuple[bytes, str], changes: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytearray(seed[0])
    for position, change in changes:
        data[position % len(data) : position % len(data) + len(change)] = change
    data = data[: len(data) - cut]

    try:
        header = scan(bytes(data), seed[1])
    except CannotUnderstand:
        return
    assert 0 < header.end <= len(data) or header.deflated
    assert all(element.value is None or len(element.value) == element.length for element in header.elements.values())


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300), uid=st.sampled_from([uid for _data, uid in SEEDS]))
def test_random_bytes_are_read_or_refused_and_nothing_else(data: bytes, uid: str) -> None:
    try:
        scan(data, uid)
    except CannotUnderstand:
        return


# Real files

CUT_SHORT = {"odd/truncated_3gb_bulk.dcm"}


def test_every_real_file_is_scanned_as_pydicom_reads_it(data_dir: Path) -> None:
    differing = []
    for path in sorted(data_dir.rglob("*.dcm")):
        name = path.relative_to(data_dir).as_posix()
        with path.open("rb") as file:
            meta = read_file_meta(file)
            if name in CUT_SHORT:
                with pytest.raises(CannotUnderstand, match="cut short"):
                    scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
                continue
            header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
        ds = pydicom.dcmread(path, force=True)
        if set(header.elements) != {int(element.tag) for element in ds}:
            differing.append(name)
        if header.sop_instance_uid != str(ds.get("SOPInstanceUID", "")):
            differing.append(name)
    assert differing == []
