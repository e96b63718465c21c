"""A client of HTTP/1.1 that costs next to nothing, so that the server is what is measured.

One kept connection, one request at a time, and of the answer only its status, its length and its body.
``http.client`` takes 0.15 ms an answer, a tenth of what there is to measure.
"""

from __future__ import annotations

import socket

RECEIVED_AT_ONCE = 1 << 20


class Client:
    """One kept connection to a server on this machine."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1", **headers}.items())
        self._rest = f" HTTP/1.1\r\n{lines}\r\n".encode("ascii")
        self._received = bytearray(RECEIVED_AT_ONCE)
        self._end = 0

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body; ConnectionError where the server leaves in the middle."""
        self._socket.sendall(b"GET " + path.encode("ascii") + self._rest)
        self._end = 0
        while (head_end := self._received.find(b"\r\n\r\n", 0, self._end)) < 0:
            self._receive()
        head = bytes(self._received[:head_end]).lower()
        _, found, length = head.partition(b"\r\ncontent-length:")
        start = head_end + 4
        if found:
            end = start + int(length.partition(b"\r\n")[0])
            while self._end < end:
                self._receive()
            body = bytes(self._received[start:end])
        else:
            body = self._chunks(start)
        return int(head[9:12]), body

    def close(self) -> None:
        self._socket.close()

    def _chunks(self, start: int) -> bytes:
        """The body of an answer in chunks (RFC 9112 7.1), without trailers."""
        parts = []
        while True:
            while (line_end := self._received.find(b"\r\n", start, self._end)) < 0:
                self._receive()
            size = int(bytes(self._received[start:line_end]).partition(b";")[0], 16)
            end = line_end + 2 + size
            while self._end < end + 2:
                self._receive()
            if size == 0:
                return b"".join(parts)
            parts.append(bytes(self._received[line_end + 2 : end]))
            start = end + 2

    def _receive(self) -> None:
        if self._end == len(self._received):
            self._received.extend(bytes(len(self._received)))
        with memoryview(self._received) as view:
            count = self._socket.recv_into(view[self._end :])
        if count == 0:
            raise ConnectionError("the server closed the connection")
        self._end += count
