"""The members of a ZIP file one by one, in bounded memory whatever the file says of itself.

The list of members is read as it is needed and never whole, names are shown to
whoever sent the file and used for nothing else, and everything a member unpacks
to is counted while it is unpacked.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from archive.errors import ArchiveError

BLOCK: Final = 1 << 18
LIST_BLOCK: Final = 1 << 16
LOCAL_HEADER: Final = b"PK\x03\x04"
LIST_ENTRY: Final = b"PK\x01\x02"
END_OF_LIST: Final = b"PK\x05\x06"
END_OF_LIST_64: Final = b"PK\x06\x06"
LOCATOR_64: Final = b"PK\x06\x07"
LONGEST_COMMENT: Final = 0xFFFF
STORED, DEFLATED = 0, 8
ENCRYPTED: Final = 0x41
"""Flag bits 0 (encrypted) and 6 (strongly encrypted)."""
NAME_IS_UTF_8: Final = 0x800
SHOWN_NAME: Final = 200
"""Characters of a name that are shown."""


class ZipRefused(ArchiveError):
    """The ZIP file, or a member of it, is damaged, encrypted or beyond a stated limit."""


class ZipTooLarge(ZipRefused):
    """More came out of the ZIP file than the site takes in one go: nothing after it is read."""


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """What a ZIP file may hold."""

    members: int = 100_000
    inflated_bytes: int = 16 << 30
    """All members together, unpacked."""
    ratio: int = 250
    """Unpacked bytes for each packed one of a member, above ``ratio_free_bytes``. Deflate itself reaches 1032."""
    ratio_free_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the list."""

    number: int
    """From 1, in the order of the list."""
    shown_name: str
    """For the person who sent the file; never a path, never logged."""
    header_offset: int
    packed_size: int
    size: int
    """As the list says; only what is unpacked counts."""
    crc: int
    method: int
    is_encrypted: bool
    is_folder: bool


class ZipReader:
    """A ZIP file, open and seekable."""

    def __init__(self, file: BinaryIO, limits: ZipLimits | None = None) -> None:
        """Find the list of members.

        Raises
        ------
        ZipRefused
            There is none, it spans several disks, or it names too many members.
        """
        self._file = file
        self.limits = limits or ZipLimits()
        self._inflated = 0
        self._size = file.seek(0, 2)
        self._list_start, self._list_size, self._shift, self.count = self._find_list()
        if self.count > self.limits.members:
            raise ZipRefused(
                f"The ZIP file says that it holds {self.count} files; at most {self.limits.members} are read from one."
            )

    # --- The list of members ----------------------------------------------------------------------------------------

    def _at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    def _find_list(self) -> tuple[int, int, int, int]:
        """Start and size of the list, what comes before the ZIP in the file, and how many members it names."""
        tail_start = max(0, self._size - 22 - LONGEST_COMMENT)
        tail = self._at(tail_start, self._size - tail_start)
        place = tail.rfind(END_OF_LIST)
        if place < 0 or len(tail) - place < 22:
            raise ZipRefused("The ZIP file has no end: it is cut short or damaged.")
        disk, list_disk, _here, count, size, offset = struct.unpack_from("<4H2I", tail, place + 4)
        end = tail_start + place
        wide = self._find_wide_list(end)
        if wide is not None:
            disk, list_disk, count, size, offset, end = wide
        if disk or list_disk:
            raise ZipRefused("The ZIP file is one part of several; send one that is whole.")
        shift = end - size - offset
        if shift < 0 or size > end:
            raise ZipRefused("The ZIP file's list of members lies outside of it.")
        return offset + shift, size, shift, count

    def _find_wide_list(self, end: int) -> tuple[int, int, int, int, int, int] | None:
        """The same from the records of ZIP64, where there are any."""
        locator = self._at(end - 20, 20) if end >= 20 else b""
        if not locator.startswith(LOCATOR_64):
            return None
        record = self._at(end - 20 - 56, 56) if end >= 76 else b""
        at = end - 76
        if not record.startswith(END_OF_LIST_64):
            # An extensible record is longer than the usual 56 bytes; the locator then says where it is.
            at = struct.unpack_from("<Q", locator, 8)[0]
            record = self._at(at, 56) if at + 56 <= self._size else b""
        if not record.startswith(END_OF_LIST_64) or len(record) < 56:
            raise ZipRefused("The ZIP file's end is damaged.")
        disk, list_disk, _here, count, size, offset = struct.unpack_from("<2I4Q", record, 16)
        return disk, list_disk, count, size, offset, at

    def members(self) -> Iterator[Member]:
        """Entries of the list, read a block at a time.

        Raises
        ------
        ZipRefused
            The list is damaged, or longer than it says.
        """
        position, end = self._list_start, self._list_start + self._list_size
        buffer, start = b"", position
        number = 0
        while position < end:
            wanted = 46
            for _ in range(2):
                if position + wanted > start + len(buffer):
                    start, buffer = position, self._at(position, min(max(wanted, LIST_BLOCK), end - position))
                head = buffer[position - start :]
                if len(head) < wanted or head[:4] != LIST_ENTRY:
                    raise ZipRefused("The ZIP file's list of members is damaged.")
                wanted = 46 + sum(struct.unpack_from("<3H", head, 28))
            number += 1
            if number > self.limits.members:
                raise ZipRefused(f"The ZIP file holds more than {self.limits.members} files, the most that are read.")
            yield self._member(number, head[:wanted])
            position += wanted

    def _member(self, number: int, entry: bytes) -> Member:
        flags, method = struct.unpack_from("<2H", entry, 8)
        crc, packed, size, name_length, extra_length = struct.unpack_from("<3I2H", entry, 16)
        attributes, offset = struct.unpack_from("<2I", entry, 38)
        name, extra = entry[46 : 46 + name_length], entry[46 + name_length : 46 + name_length + extra_length]
        size, packed, offset = _wide_values(extra, size, packed, offset)
        return Member(
            number=number,
            shown_name=_shown(name, flags),
            header_offset=offset + self._shift,
            packed_size=packed,
            size=size,
            crc=crc,
            method=method,
            is_encrypted=bool(flags & ENCRYPTED),
            is_folder=name.endswith((b"/", b"\\")) or bool(attributes & 0x10 and not size),
        )

    # --- One member -------------------------------------------------------------------------------------------------

    def open(self, member: Member) -> MemberStream:
        """The unpacked bytes of a member, to be read before the next is opened.

        Raises
        ------
        ZipRefused
            It is encrypted, packed by a method that is not read, or its place is damaged.
        """
        if member.is_encrypted:
            raise ZipRefused("It is encrypted; only files without a password are read.")
        if member.method not in {STORED, DEFLATED}:
            raise ZipRefused(f"It is packed by method {member.method}; stored (0) and deflated (8) files are read.")
        head = self._at(member.header_offset, 30) if member.header_offset < self._size else b""
        if len(head) < 30 or head[:4] != LOCAL_HEADER:
            raise ZipRefused("Its place in the ZIP file is damaged.")
        start = member.header_offset + 30 + sum(struct.unpack_from("<2H", head, 26))
        if start + member.packed_size > self._size:
            raise ZipRefused("It is cut short: the ZIP file ends before it does.")
        return MemberStream(self, member, start)

    def read_packed(self, offset: int, size: int) -> bytes:
        return self._at(offset, size)

    def count_inflated(self, size: int, member: Member, member_inflated: int) -> None:
        """Hold what was unpacked against the limits."""
        self._inflated += size
        limits = self.limits
        if self._inflated > limits.inflated_bytes:
            raise ZipTooLarge(
                f"The ZIP file unpacks to more than {limits.inflated_bytes >> 20} MiB, the most taken at once."
            )
        if member_inflated > limits.ratio_free_bytes and member_inflated > limits.ratio * max(member.packed_size, 1):
            raise ZipRefused(f"It unpacks to more than {limits.ratio} times its size: no image does.")


class MemberStream:
    """Reads one member; checks its CRC at the end."""

    def __init__(self, reader: ZipReader, member: Member, start: int) -> None:
        self._reader = reader
        self._member = member
        self._position = start
        self._left = member.packed_size
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == DEFLATED else None
        self._crc = 0
        self._done = 0
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; fewer only at the end.

        Raises
        ------
        ZipRefused
            The member is damaged, or unpacks beyond a limit.
        """
        parts, wanted = [], size if size >= 0 else self._reader.limits.inflated_bytes + 1
        while wanted > 0 and not self._ended:
            part = self._some(min(wanted, BLOCK))
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def _some(self, most: int) -> bytes:
        part = self._packed(most) if self._inflater is None else self._inflate(self._inflater, most)
        if part:
            self._done += len(part)
            self._crc = zlib.crc32(part, self._crc)
            self._reader.count_inflated(len(part), self._member, self._done)
        if self._ended and self._crc != self._member.crc:
            raise ZipRefused("It is damaged: its checksum in the ZIP file does not fit.")
        return part

    def _packed(self, most: int) -> bytes:
        part = self._reader.read_packed(self._position, min(most, self._left))
        self._position += len(part)
        self._left -= len(part)
        if not part or not self._left:
            if self._left:
                raise ZipRefused("It is cut short: the ZIP file ends before it does.")
            self._ended = self._inflater is None
        return part

    def _inflate(self, inflater: zlib._Decompress, most: int) -> bytes:
        while True:
            packed = inflater.unconsumed_tail or (self._packed(BLOCK) if self._left else b"")
            try:
                part = inflater.decompress(packed, most)
            except zlib.error:
                raise ZipRefused("It is damaged: it cannot be unpacked.") from None
            self._ended = inflater.eof
            if part or self._ended:
                return part
            if not packed:
                raise ZipRefused("It is damaged: it ends before it is unpacked.")


def _wide_values(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Size, packed size and offset, from the ZIP64 field where they do not fit 32 bits."""
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, position)
        if tag == 1:
            values = iter(
                struct.unpack_from(f"<{length // 8}Q", extra, position + 4)
                if position + 4 + length <= len(extra)
                else ()
            )
            try:
                size = next(values) if size == 0xFFFFFFFF else size
                packed = next(values) if packed == 0xFFFFFFFF else packed
                offset = next(values) if offset == 0xFFFFFFFF else offset
            except StopIteration:
                raise ZipRefused("The ZIP file's list of members is damaged.") from None
        position += 4 + length
    return size, packed, offset


def _shown(name: bytes, flags: int) -> str:
    text = name.decode("utf-8" if flags & NAME_IS_UTF_8 else "cp437", "replace")
    clean = "".join(c if c.isprintable() else "�" for c in text)
    return clean if len(clean) <= SHOWN_NAME else f"…{clean[1 - SHOWN_NAME :]}"
