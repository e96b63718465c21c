"""Lookup tables as files hold them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from archive.pixels.description import LookupTable
from archive.pixels.tables import lookup_table, palette


def lut(descriptor: list[int] | bytes, data: Any, *, vr: str = "OW", signed: bool = False) -> LookupTable | None:
    item = Dataset()
    item.add_new("LUTDescriptor", "OW" if isinstance(descriptor, bytes) else "US", descriptor)
    item.add_new("LUTData", vr, data)
    return lookup_table(item, signed=signed, little_endian=True)


def entries(table: LookupTable | None) -> list[int]:
    assert table is not None
    return np.frombuffer(table.entries, "<u2").tolist()


def test_words_and_numbers_give_the_same_table() -> None:
    assert entries(lut([3, 0, 16], struct.pack("<3H", 1, 2, 300))) == [1, 2, 300]
    assert entries(lut([3, 0, 16], [1, 2, 300], vr="US")) == [1, 2, 300]


def test_a_count_of_0_is_65536() -> None:
    assert len(entries(lut([0, 0, 16], bytes(131072)))) == 65536


def test_entries_of_8_bits_stand_packed_or_one_in_a_word() -> None:
    assert entries(lut([4, 0, 8], bytes([1, 2, 3, 4]))) == [1, 2, 3, 4]
    assert entries(lut([4, 0, 8], struct.pack("<4H", 1, 2, 3, 4))) == [1, 2, 3, 4]
    assert entries(lut([4, 0, 8], [0x0201, 0x0403], vr="US")) == [1, 2, 3, 4]


def test_a_table_that_is_cut_short_ends_where_it_ends() -> None:
    assert entries(lut([4, 0, 16], struct.pack("<2H", 5, 6))) == [5, 6]


@pytest.mark.parametrize(("signed", "first"), [(False, 65535), (True, -1)])
def test_first_value_mapped_is_signed_where_the_input_is(signed: bool, first: int) -> None:
    table = lut(struct.pack("<3H", 1, 65535, 16), b"\1\0", signed=signed)

    assert table is not None
    assert table.first_mapped == first


@pytest.mark.parametrize("descriptor", [b"", b"\1\0", [1, 2]])
def test_a_table_without_descriptor_or_data_is_none(descriptor: Any) -> None:
    assert lut(descriptor, b"\1\0") is None
    assert lut([4, 0, 16], b"") is None


def segmented(words: list[int], count: int, *, bits: int = 16) -> list[int]:
    ds = Dataset()
    data = bytes(words) if bits == 8 else struct.pack(f"<{len(words)}H", *words)
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [count, 0, bits])
        ds.add_new(f"Segmented{color}PaletteColorLookupTableData", "OW", data)
    found = palette(ds, signed=False, little_endian=True)
    return entries(found.red) if found else []


def test_discrete_and_linear_segments_are_expanded() -> None:
    # PS3.3 C.7.9.2: three entries as they are, then four that lead to 10 from the last.
    assert segmented([0, 3, 7, 8, 2, 1, 4, 10], 7) == [7, 8, 2, 4, 6, 8, 10]


def test_indirect_segments_repeat_earlier_ones() -> None:
    # The offset, 0, is in bytes and stands as two words, the low one first.
    assert segmented([0, 2, 5, 6, 2, 1, 0, 0], 4) == [5, 6, 5, 6]


def test_segments_of_8_bits() -> None:
    assert segmented([0, 2, 5, 6, 1, 2, 10, 0], 4, bits=8) == [5, 6, 8, 10]


def test_segments_end_at_the_entry_count() -> None:
    assert segmented([0, 1, 9, 1, 60000, 0], 100) == [round(9 - 9 * step / 60000) for step in range(100)]


def test_an_indirect_segment_that_refers_to_itself_ends() -> None:
    assert segmented([0, 1, 5, 2, 65535, 6, 0], 100) == [5]


@settings(max_examples=300, deadline=None)
@given(words=st.lists(st.integers(0, 65535) | st.integers(0, 3), max_size=60), count=st.integers(1, 500))
def test_any_segments_give_at_most_the_entries_that_were_announced(words: list[int], count: int) -> None:
    assert len(segmented(words, count)) <= count
