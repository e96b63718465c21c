"""A peer that speaks PDUs by hand, so that it can also speak them wrongly."""

from __future__ import annotations

import socket
import struct
import time
from types import TracebackType
from typing import Self

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"

Contexts = list[tuple[int, str, list[str]]]
USUAL: Contexts = [(1, VERIFICATION, [IMPLICIT]), (3, CT_CLASS, [EXPLICIT])]


def item(kind: int, data: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(data)) + data


def associate_request(
    *,
    calling: str = "SCANNER",
    called: str = "PORTAL",
    contexts: Contexts = USUAL,
    version: int = 1,
    application_context: str = APPLICATION_CONTEXT,
    max_pdu: int = 16384,
) -> bytes:
    """PS3.8 9.3.2."""
    body = struct.pack(">HH16s16s32x", version, 0, called.ljust(16).encode(), calling.ljust(16).encode())
    body += item(0x10, application_context.encode())
    for number, abstract, syntaxes in contexts:
        inner = item(0x30, abstract.encode()) + b"".join(item(0x40, syntax.encode()) for syntax in syntaxes)
        body += item(0x20, bytes((number, 0, 0, 0)) + inner)
    user = item(0x51, struct.pack(">I", max_pdu)) + item(0x52, b"1.2.3") + item(0x55, b"RAW")
    return pdu(1, body + item(0x50, user))


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBI", kind, 0, len(body)) + body


def p_data(context_id: int, control: int, data: bytes) -> bytes:
    return pdu(4, struct.pack(">IBB", len(data) + 2, context_id, control) + data)


def element(number: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", 0, number, len(value)) + value


def us(value: int) -> bytes:
    return struct.pack("<H", value)


def command_set(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return element(0, struct.pack("<I", len(body))) + body


def store_command(
    sop_instance_uid: str, *, sop_class_uid: str = CT_CLASS, message_id: int = 7, data_set: int = 1
) -> bytes:
    """The command set of a C-STORE-RQ (PS3.7 9.3.1.1)."""
    return command_set(
        element(0x0002, sop_class_uid.encode()),
        element(0x0100, us(1)),
        element(0x0110, us(message_id)),
        element(0x0700, us(0)),
        element(0x0800, us(data_set)),
        element(0x1000, sop_instance_uid.encode()),
    )


def echo_command(message_id: int = 1) -> bytes:
    return command_set(
        element(0x0002, VERIFICATION.encode()),
        element(0x0100, us(0x30)),
        element(0x0110, us(message_id)),
        element(0x0800, us(0x0101)),
    )


def find_command(abstract: str, *, data_set: int = 0x0101) -> bytes:
    return command_set(
        element(0x0002, abstract.encode()),
        element(0x0100, us(0x20)),
        element(0x0110, us(1)),
        element(0x0700, us(0)),
        element(0x0800, us(data_set)),
    )


RELEASE = pdu(5, bytes(4))


class RawPeer:
    """One connection."""

    def __init__(self, port: int, timeout_s: float = 10) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_pdu(self) -> tuple[int, bytes] | None:
        """Type and body of the next PDU; None where the receiver has closed."""
        head = self._exactly(6)
        if head is None:
            return None
        body = self._exactly(int.from_bytes(head[2:6], "big"))
        return None if body is None else (head[0], body)

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            try:
                piece = self.socket.recv(count - len(data))
            except ConnectionError:
                return None
            if not piece:
                return None
            data += piece
        return data

    def associate(self, **options: object) -> tuple[int, bytes] | None:
        self.send(associate_request(**options))  # type: ignore[arg-type]
        return self.read_pdu()

    def response(self) -> dict[int, bytes]:
        """Elements of the next response's command set."""
        answer = self.read_pdu()
        assert answer is not None
        kind, body = answer
        assert kind == 4, f"PDU type {kind}: {body!r}"
        data, elements, offset = body[6:], {}, 0
        while offset < len(data):
            _, number, length = struct.unpack_from("<HHI", data, offset)
            elements[number] = data[offset + 8 : offset + 8 + length]
            offset += 8 + length
        return elements

    def status(self) -> int:
        return int.from_bytes(self.response()[0x0900], "little")

    def seconds_until_closed(self) -> float:
        """Read and drop until the receiver closes."""
        began = time.monotonic()
        while self.read_pdu() is not None:
            pass
        return time.monotonic() - began
