"""Send one HL7 v2 message over MLLP and read its acknowledgement (chapter 2.9), bounded in everything."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Final

from archive.errors import ArchiveError
from archive.hl7.listener import BEGIN, END, READ_BYTES
from archive.hl7.messages import UnreadableMessage, read_message

TIMEOUT_S: Final = 20.0
LARGEST_ANSWER: Final = 64 * 1024
LONGEST_WORDS: Final = 200


class NoAnswer(ArchiveError):
    """The other side cannot be reached, or does not acknowledge; it can be tried again."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the other side says of a message."""

    code: str
    """AA, AE or AR (table 0008); of enhanced mode CA, CE or CR."""
    words: str
    """MSA-3, or what ERR says."""

    @property
    def is_accepted(self) -> bool:
        return self.code in ("AA", "CA")

    @property
    def is_refused(self) -> bool:
        """Sending it again as it is leads nowhere."""
        return self.code in ("AR", "CR")


def send_message(
    host: str, port: int, data: bytes, *, control_id: str, timeout_s: float = TIMEOUT_S
) -> Acknowledgement:
    """Send a message and wait for its acknowledgement.

    Raises
    ------
    NoAnswer
    """
    deadline = time.monotonic() + timeout_s
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(BEGIN + data + END)
            answer = _read(connection, deadline)
    except OSError as error:
        raise NoAnswer(f"{host}:{port} cannot be reached or does not answer: {type(error).__name__}.") from None
    return read_acknowledgement(answer, control_id)


def _read(connection: socket.socket, deadline: float) -> bytes:
    buffer = bytearray()
    while (end := buffer.find(END)) < 0:
        if len(buffer) > LARGEST_ANSWER:
            raise NoAnswer(f"The answer is longer than {LARGEST_ANSWER} bytes.")
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        part = connection.recv(READ_BYTES)
        if not part:
            raise NoAnswer("The connection was closed before the message was acknowledged.")
        buffer += part
    return bytes(buffer[:end]).lstrip(BEGIN)


def read_acknowledgement(answer: bytes, control_id: str) -> Acknowledgement:
    """The acknowledgement of the message with that control ID.

    Raises
    ------
    NoAnswer
        The bytes are none, or of another message.
    """
    try:
        segments = {segment.name: segment for segment in reversed(read_message(answer))}
    except UnreadableMessage as error:
        raise NoAnswer(f"The answer cannot be read: {error}") from None
    found = segments.get("MSA")
    if found is None or found.text(2) != control_id:
        raise NoAnswer("The answer acknowledges another message.")
    why = segments.get("ERR")
    said = found.text(3) or (why.text(8) or why.text(7) if why is not None else "")
    return Acknowledgement(found.text(1).upper()[:2], said[:LONGEST_WORDS])
