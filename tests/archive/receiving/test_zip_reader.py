"""ZIP files of people and of attackers: what is in them comes out, and nothing else happens."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from archive.receiving.zip_reader import ZipLimits, ZipReader, ZipRefused, ZipTooLarge
from tests.archive.receiving.sending import zip_of


def contents(data: bytes, limits: ZipLimits | None = None) -> list[tuple[str, bytes]]:
    reader = ZipReader(io.BytesIO(data), limits)
    return [(member.shown_name, reader.open(member).read()) for member in reader.members() if not member.is_folder]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_out_as_they_went_in(method: int) -> None:
    members = {"a.dcm": b"first" * 1000, "folder/b.dcm": bytes(range(256)) * 3000, "empty": b""}
    assert contents(zip_of(members, method)) == list(members.items())


def test_a_member_is_read_in_pieces_of_any_size() -> None:
    content = bytes(range(251)) * 5000
    reader = ZipReader(io.BytesIO(zip_of({"a": content})))
    stream = reader.open(next(reader.members()))
    parts = [stream.read(size) for size in (1, 7, 300_000, 1, 2_000_000)]
    assert b"".join(parts) == content
    assert [len(part) for part in parts[:4]] == [1, 7, 300_000, 1]
    assert stream.read(10) == b""


def test_folders_are_told_from_files() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.mkdir("images")
        file.writestr("images/a", b"x")
    assert contents(buffer.getvalue()) == [("images/a", b"x")]


def test_what_stands_before_the_zip_is_passed_over() -> None:
    assert contents(b"#!/bin/sh\n" * 50 + zip_of({"a": b"x"})) == [("a", b"x")]


def test_a_comment_at_the_end_is_no_trouble() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a", b"x")
        file.comment = b"from the CD of room 4" * 100
    assert contents(buffer.getvalue()) == [("a", b"x")]


def test_sizes_of_64_bits_are_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file, file.open("a", "w", force_zip64=True) as member:
        member.write(b"wide" * 1000)
    assert contents(buffer.getvalue()) == [("a", b"wide" * 1000)]


def test_the_list_of_a_wide_zip_is_found(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(66_000):
            file.writestr(zipfile.ZipInfo(str(number)), b"")
    with path.open("rb") as file:
        reader = ZipReader(file)
        assert reader.count == 66_000
        assert sum(1 for _ in reader.members()) == 66_000


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x03\x04" + bytes(500), b"hello" * 50])
def test_what_has_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(ZipRefused):
        ZipReader(io.BytesIO(data))


def test_every_cut_is_noticed() -> None:
    whole = zip_of({"a": b"one" * 50, "b": b"two" * 50})
    for size in range(0, len(whole) - 1, 3):
        with pytest.raises(ZipRefused):
            contents(whole[:size])


def test_every_flipped_byte_is_noticed_or_harmless() -> None:
    members = {"a": b"one" * 50, "b": b"two" * 50}
    whole = zip_of(members)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        try:
            found = contents(bytes(changed), ZipLimits(inflated_bytes=1 << 20))
        except ZipRefused:
            continue
        assert {content for _, content in found} <= set(members.values()), place


def test_a_wrong_checksum_is_damage() -> None:
    whole = zip_of({"a": b"content"}, zipfile.ZIP_STORED).replace(b"content", b"cOntent")
    with pytest.raises(ZipRefused, match="checksum"):
        contents(whole)


def test_an_encrypted_member_is_refused_in_words() -> None:
    whole = bytearray(zip_of({"a": b"x"}))
    entry = whole.index(b"PK\x01\x02")
    whole[entry + 8] |= 1
    with pytest.raises(ZipRefused, match="encrypted"):
        contents(bytes(whole))


def test_an_unknown_method_is_refused_in_words() -> None:
    with pytest.raises(ZipRefused, match=r"method 12; stored \(0\) and deflated \(8\)"):
        contents(zip_of({"a": b"x" * 100}, zipfile.ZIP_BZIP2))


def test_a_bomb_is_stopped_at_its_ratio() -> None:
    bomb = zip_of({"a": bytes(30 << 20)})
    limits = ZipLimits(ratio_free_bytes=1 << 20)
    reader = ZipReader(io.BytesIO(bomb), limits)
    stream = reader.open(next(reader.members()))
    with pytest.raises(ZipRefused, match="250 times"):
        while stream.read(1 << 16):
            pass


def test_all_members_together_are_counted() -> None:
    whole = zip_of({str(number): bytes(1 << 20) for number in range(8)})
    with pytest.raises(ZipTooLarge, match="4 MiB"):
        contents(whole, ZipLimits(inflated_bytes=4 << 20))


def test_members_that_share_their_bytes_are_counted_each_time() -> None:
    """A bomb of overlapping members: one kernel, named many times (as in Fifield 2019)."""
    content = bytes(1 << 20)
    single = zip_of({"a": content})
    start = single.index(b"PK\x01\x02")
    end = single.index(b"PK\x05\x06")
    entry, count = single[start:end], 1000
    tail = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, count, count, len(entry) * count, start, 0)
    bomb = single[:start] + entry * count + tail
    taken = 0
    reader = ZipReader(io.BytesIO(bomb), ZipLimits(inflated_bytes=10 << 20))
    with pytest.raises(ZipTooLarge):
        for member in reader.members():
            taken += len(reader.open(member).read())
    assert taken == 10 << 20


def test_a_list_that_names_too_much_is_refused_before_it_is_read() -> None:
    whole = bytearray(zip_of({"a": b"x"}))
    end = whole.index(b"PK\x05\x06")
    struct.pack_into("<2H", whole, end + 8, 60_000, 60_000)
    with pytest.raises(ZipRefused, match="60000"):
        ZipReader(io.BytesIO(bytes(whole)), ZipLimits(members=1000))


def test_a_list_longer_than_it_says_is_stopped() -> None:
    whole = bytearray(zip_of({str(number): b"" for number in range(50)}))
    end = whole.index(b"PK\x05\x06")
    struct.pack_into("<2H", whole, end + 8, 1, 1)
    with pytest.raises(ZipRefused, match="more than 20"):
        contents(bytes(whole), ZipLimits(members=20))


def test_a_long_list_is_never_held_whole() -> None:
    name = b"n" * 60_000
    entry = b"PK\x01\x02" + struct.pack("<6H3I5H2I", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    listed = entry * 500
    tail = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 500, 500, len(listed), 0, 0)
    file = io.BytesIO(listed + tail)
    del listed
    tracemalloc.start()
    assert sum(len(member.shown_name) for member in ZipReader(file).members()) == 500 * 200
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\windows\\x", "a\nb\x00c", "\x1b[31m"])
def test_a_name_is_only_ever_shown(name: str) -> None:
    info = zipfile.ZipInfo("x")
    info.filename = name
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, b"x")
    ((shown, content),) = contents(buffer.getvalue())
    assert content == b"x" and shown.isprintable()


def test_a_zip64_field_cut_short_is_damage() -> None:
    name, extra = b"a", struct.pack("<2H", 1, 4) + bytes(4)
    entry = b"PK\x01\x02" + struct.pack(
        "<6H3I5H2I", 45, 45, 0, 0, 0, 0, zlib.crc32(b""), 0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra), 0, 0, 0, 0, 0
    )
    listed = entry + name + extra
    data = listed + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 1, 1, len(listed), 0, 0)
    with pytest.raises(ZipRefused):
        contents(data)
