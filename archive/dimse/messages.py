"""The few DIMSE messages and PDUs that the receiver reads and writes by hand, because it does so for every image.

Command sets are Implicit VR Little Endian (PS3.7 6.3.1); PDUs are big endian (PS3.8 9.3).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple, Self

COMMAND_DATA_SET_ABSENT = 0x0101
C_STORE_RQ = 0x0001
C_STORE_RSP = 0x8001
C_GET_RSP = 0x8010
C_FIND_RSP = 0x8020
C_MOVE_RSP = 0x8021
REMAINING, COMPLETED, FAILED, WARNING = 0x1020, 0x1021, 0x1022, 0x1023
"""Element numbers of the numbers of sub-operations (PS3.7 E.1)."""

_ELEMENT = struct.Struct("<HHI")
_US = struct.Struct("<H")
_P_DATA_HEAD = struct.Struct(">BBIIBB")
"""PDU type, reserved, PDU length, PDV length, presentation context ID, message control header."""

LAST_COMMAND_FRAGMENT = 0x03
DATA_FRAGMENT = 0x00
LAST_DATA_FRAGMENT = 0x02
PRIORITY_MEDIUM = 0x0000
DATA_SET_PRESENT = 0x0001
LONGEST_SENT_PDU = 128 * 1024
"""Also to a peer that takes any length: a PDU is held in memory."""


class BadMessage(Exception):
    """A PDU or command set that breaks PS3.7 or PS3.8; the association is aborted."""


class Abort(NamedTuple):
    """Source and reason of an A-ABORT (PS3.8 9.3.8)."""

    source: int
    reason: int


BY_US = Abort(0, 0)
UNRECOGNIZED_PDU = Abort(2, 1)
UNEXPECTED_PDU = Abort(2, 2)
INVALID_PARAMETER = Abort(2, 6)


def pack_abort(abort: Abort) -> bytes:
    """Return an A-ABORT PDU."""
    return bytes((7, 0, 0, 0, 0, 4, 0, 0, *abort))


class Rejection(NamedTuple):
    """Result, source and diagnostic of an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    result: int
    source: int
    diagnostic: int


APPLICATION_CONTEXT_NOT_SUPPORTED = Rejection(1, 1, 2)
CALLING_AE_TITLE_NOT_RECOGNIZED = Rejection(1, 1, 3)
CALLED_AE_TITLE_NOT_RECOGNIZED = Rejection(1, 1, 7)
PROTOCOL_VERSION_NOT_SUPPORTED = Rejection(1, 2, 2)
LOCAL_LIMIT_EXCEEDED = Rejection(2, 3, 2)


def pack_rejection(rejection: Rejection) -> bytes:
    """Return an A-ASSOCIATE-RJ PDU."""
    return bytes((3, 0, 0, 0, 0, 4, 0, *rejection))


class StoreRequest(NamedTuple):
    """What matters of a C-STORE-RQ (PS3.7 9.3.1.1)."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    has_data_set: bool

    @classmethod
    def of(cls, elements: dict[int, bytes]) -> Self:
        """Read a command set that ``read_command_set`` returned."""
        return cls(
            message_id=us(elements, 0x0110),
            sop_class_uid=text(elements, 0x0002),
            sop_instance_uid=text(elements, 0x1000),
            has_data_set=us(elements, 0x0800) != COMMAND_DATA_SET_ABSENT,
        )


def read_command_set(data: bytes | bytearray) -> dict[int, bytes]:
    """Return the elements of a command set by element number.

    Raises
    ------
    BadMessage
        It is not made of elements of group 0000, or one is longer than what there is.
    """
    elements: dict[int, bytes] = {}
    offset, end = 0, len(data)
    while offset < end:
        if end - offset < 8:
            raise BadMessage("The command set ends inside an element.")
        group, element, length = _ELEMENT.unpack_from(data, offset)
        offset += 8
        if group != 0 or length > end - offset:
            raise BadMessage("The command set is not made of whole elements of group 0000.")
        elements[element] = bytes(data[offset : offset + length])
        offset += length
    return elements


def us(elements: dict[int, bytes], element: int) -> int:
    """Return the first value of a US element.

    Raises
    ------
    BadMessage
        It is missing or too short.
    """
    value = elements.get(element, b"")
    if len(value) < 2:
        raise BadMessage(f"The command set lacks (0000,{element:04X}).")
    return int(_US.unpack_from(value)[0])


def text(elements: dict[int, bytes], element: int) -> str:
    """Return a UI or AE element without padding; empty where it is missing."""
    return elements.get(element, b"").strip(b"\0 ").decode("ascii", "replace")


def pack_store_response(request: StoreRequest, *, status: int, comment: str = "") -> bytes:
    """Return the command set of a C-STORE-RSP (PS3.7 9.3.1.2), group length included.

    Parameters
    ----------
    request
        What is answered. A UID that is none is not repeated.
    comment
        Words for (0000,0902), at most 64 printable ASCII characters.
    """
    body = b"".join(
        (
            _uid(0x0002, request.sop_class_uid),
            _short(0x0100, C_STORE_RSP),
            _short(0x0120, request.message_id),
            _short(0x0800, COMMAND_DATA_SET_ABSENT),
            _short(0x0900, status),
            _text(0x0902, comment) if comment else b"",
            _uid(0x1000, request.sop_instance_uid),
        )
    )
    return _ELEMENT.pack(0, 0, 4) + struct.pack("<I", len(body)) + body


def pack_response(
    command_field: int,
    *,
    sop_class_uid: str,
    message_id: int,
    status: int,
    comment: str = "",
    has_data_set: bool = False,
    counts: Mapping[int, int] | None = None,
) -> bytes:
    """Return the command set of a C-FIND, C-GET or C-MOVE response (PS3.7 9.3.2.2, 9.3.3.2, 9.3.4.2).

    ``counts`` are numbers of sub-operations by element number, 65535 at most, however many there are.
    """
    body = b"".join(
        (
            _uid(0x0002, sop_class_uid),
            _short(0x0100, command_field),
            _short(0x0120, message_id),
            _short(0x0800, DATA_SET_PRESENT if has_data_set else COMMAND_DATA_SET_ABSENT),
            _short(0x0900, status),
            _text(0x0902, comment) if comment else b"",
            *(_short(element, min(count, 0xFFFF)) for element, count in sorted((counts or {}).items())),
        )
    )
    return _ELEMENT.pack(0, 0, 4) + struct.pack("<I", len(body)) + body


def pack_store_request(
    *, message_id: int, sop_class_uid: str, sop_instance_uid: str, originator: tuple[str, int] | None = None
) -> bytes:
    """Return the command set of a C-STORE-RQ (PS3.7 9.3.1.1), group length included.

    ``originator`` is who asked for a C-MOVE, and the message ID that it asked with.
    """
    body = b"".join(
        (
            _uid(0x0002, sop_class_uid),
            _short(0x0100, C_STORE_RQ),
            _short(0x0110, message_id),
            _short(0x0700, PRIORITY_MEDIUM),
            _short(0x0800, DATA_SET_PRESENT),
            _uid(0x1000, sop_instance_uid),
            _text(0x1030, originator[0]) + _short(0x1031, originator[1]) if originator else b"",
        )
    )
    return _ELEMENT.pack(0, 0, 4) + struct.pack("<I", len(body)) + body


def pack_data(context_id: int, data: bytes, *, is_last: bool, max_pdu_bytes: int) -> bytes:
    """Return the P-DATA-TF PDUs that carry a piece of a data set (PS3.8 9.3.5, D.1)."""
    room = data_room(max_pdu_bytes)
    view = memoryview(data)
    starts = range(0, len(data), room) if data else range(1)
    pieces: list[bytes | memoryview] = []
    for start in starts:
        piece = view[start : start + room]
        control = LAST_DATA_FRAGMENT if is_last and start + room >= len(data) else DATA_FRAGMENT
        pieces += (_P_DATA_HEAD.pack(4, 0, len(piece) + 6, len(piece) + 2, context_id, control), piece)
    return b"".join(pieces)


def data_room(max_pdu_bytes: int) -> int:
    """Bytes of a data set that one PDU carries to a peer; 0 is no limit of the peer's."""
    return max(64, min(max_pdu_bytes or LONGEST_SENT_PDU, LONGEST_SENT_PDU)) - 6


def _short(element: int, value: int) -> bytes:
    return _ELEMENT.pack(0, element, 2) + _US.pack(value)


def _text(element: int, value: str) -> bytes:
    data = value.encode("ascii", "replace")
    data += b" " * (len(data) % 2)
    return _ELEMENT.pack(0, element, len(data)) + data


def _uid(element: int, value: str) -> bytes:
    if len(value) > 64 or not value.isascii():
        return b""
    data = value.encode("ascii")
    data += b"\0" * (len(data) % 2)
    return _ELEMENT.pack(0, element, len(data)) + data


def pack_command(context_id: int, command: bytes, max_pdu_bytes: int = 0) -> bytes:
    """Return the P-DATA-TF PDUs that carry a command set, in pieces that the peer takes (PS3.8 D.1).

    ``max_pdu_bytes`` is the peer's maximum length of the variable field; 0 is no
    limit. One too small for any useful fragment is taken as 64.
    """
    room = len(command) if max_pdu_bytes == 0 else max(64, max_pdu_bytes) - 6
    pieces = [command[start : start + room] for start in range(0, len(command), room)]
    return b"".join(
        _P_DATA_HEAD.pack(4, 0, len(piece) + 6, len(piece) + 2, context_id, 3 if number == len(pieces) else 1) + piece
        for number, piece in enumerate(pieces, 1)
    )
