"""TLS below DICOM: the BCP 195 profile of RFC 8996 and 9325 (PS3.15 B.12), as server and as client.

TLS 1.2 and 1.3 alone. An association is read in one thread and answered from another, which OpenSSL
forbids for one connection; so its calls here take turns, and none of them waits.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

CIPHERS: Final = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    )
)
"""Of TLS 1.2, those that RFC 9325 4.2 recommends; TLS 1.3 has good ones only."""
PIECE_BYTES: Final = 64 * 1024
"""What is encrypted at once, so that whoever reads need not wait long."""


class ClientCertificates(StrEnum):
    """Whether peers that call must show a certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


_VERIFY = {
    ClientCertificates.NONE: ssl.CERT_NONE,
    ClientCertificates.OPTIONAL: ssl.CERT_OPTIONAL,
    ClientCertificates.REQUIRED: ssl.CERT_REQUIRED,
}


class CannotUseTls(Exception):
    """A certificate, key or list of authorities cannot be used; the message is the sentence for the operator."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where our certificate, its key and the authorities that we trust lie, in PEM; empty where there is none."""

    certificate: str = ""
    key: str = ""
    authorities: str = ""


class TlsSocket(ssl.SSLSocket):
    """A connection over TLS that two threads may use.

    Once the handshake is done the socket beneath never blocks. ``settimeout`` then says how long a call waits for
    the peer, as it does everywhere; ``send_timeout_s`` overrules it for sending.
    """

    send_timeout_s: float | None = None
    _is_open = False
    _sslobj: Any
    _patience_s: float | None = None

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands as ``ssl`` does; from then on calls of several threads take turns."""
        super().do_handshake(block)
        if self._is_open:
            return
        self._patience_s = self.gettimeout()
        self._turn = threading.Lock()
        self._sending = threading.Lock()
        super().settimeout(0)
        self._is_open = True

    def settimeout(self, value: float | None) -> None:
        if self._is_open:
            self._patience_s = value
        else:
            super().settimeout(value)

    def setblocking(self, flag: bool) -> None:
        self.settimeout(None if flag else 0)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        buffer = bytearray(buflen)
        count = self.recv_into(buffer)
        return bytes(buffer[:count])

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive what there is of one record.

        Raises
        ------
        BlockingIOError
            Nothing came within the timeout.
        OSError
        """
        while self._is_open:
            try:
                with self._turn:
                    return super().recv_into(buffer, nbytes or len(buffer))
            except (ssl.SSLWantReadError, BlockingIOError):
                self._wait(select.POLLIN, self._patience_s)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, self._patience_s)
        return super().recv_into(buffer, nbytes or len(buffer))

    def send(self, data: Any, flags: int = 0) -> int:
        if not self._is_open:
            return super().send(data, flags)
        self.sendall(data)
        return len(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it.

        Raises
        ------
        BlockingIOError
            The peer does not read.
        OSError
        """
        if not self._is_open:
            super().sendall(data, flags)
            return
        view = memoryview(data).cast("B")
        with self._sending:
            for start in range(0, len(view), PIECE_BYTES):
                self._send_piece(view[start : start + PIECE_BYTES])

    def _send_piece(self, piece: memoryview) -> None:
        patience_s = self._patience_s if self.send_timeout_s is None else self.send_timeout_s
        while len(piece):
            try:
                with self._turn:
                    sent = super().send(piece)
                piece = piece[sent:]
            except (ssl.SSLWantWriteError, BlockingIOError):
                self._wait(select.POLLOUT, patience_s)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, patience_s)

    def _wait(self, event: int, patience_s: float | None) -> None:
        poll = select.poll()
        poll.register(self.fileno(), event)
        if patience_s == 0 or not poll.poll(None if patience_s is None else patience_s * 1000):
            raise BlockingIOError("The peer said nothing in time.")

    def shutdown(self, how: int) -> None:
        """Close as a socket does; the last words are a close_notify, so that the peer knows that nothing was cut off.

        Where only the reading ends, from another thread, the connection stays encrypted.
        """
        if how == socket.SHUT_RD:
            socket.socket.shutdown(self, how)
            return
        if self._is_open and self._sslobj is not None:
            self._say_goodbye()
        patience_s, self._is_open = self._patience_s, False
        super().shutdown(how)
        if patience_s is not None:
            super().settimeout(patience_s)

    def _say_goodbye(self) -> None:
        try:
            with self._turn:
                self._sslobj.shutdown()
        except OSError:
            return  # The peer has not said goodbye yet, or is gone: both are well.


def server_context(files: TlsFiles, clients: ClientCertificates) -> ssl.SSLContext:
    """What the receiver's TLS port answers with.

    Raises
    ------
    CannotUseTls
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    if not files.certificate or not files.key:
        raise CannotUseTls("The DICOM receiver has no certificate and key for its TLS port.")
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    _load_pair(context, files)
    if clients is not ClientCertificates.NONE:
        if not files.authorities:
            raise CannotUseTls("Certificates of peers cannot be checked: no file of authorities is set.")
        _load_authorities(context, files.authorities)
    context.verify_mode = _VERIFY[clients]
    return context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """What we call peers with: their certificate is checked, and that it is theirs; ours is shown if they ask.

    Without a file of authorities the machine's own count.

    Raises
    ------
    CannotUseTls
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    if files.authorities:
        _load_authorities(context, files.authorities)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if files.certificate and files.key:
        _load_pair(context, files)
    return context


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.sslsocket_class = TlsSocket
    return context


def _load_pair(context: ssl.SSLContext, files: TlsFiles) -> None:
    for path in (files.certificate, files.key):
        _require_readable(path)
    try:
        context.load_cert_chain(files.certificate, files.key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise CannotUseTls(
            f"{files.certificate} and {files.key} are no certificate with its key in PEM, without a password."
        ) from error


def _load_authorities(context: ssl.SSLContext, path: str) -> None:
    _require_readable(path)
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        raise CannotUseTls(f"{path} is no list of certificates in PEM.") from error


def _require_readable(path: str) -> None:
    if not Path(path).is_file():
        raise CannotUseTls(f"{path} does not exist.")
    if not os.access(path, os.R_OK):
        raise CannotUseTls(f"{path} cannot be read by this account.")


def words_of(error: OSError) -> str:
    """Why a handshake failed, for a log and for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    reason = (getattr(error, "reason", None) or "").replace("_", " ").lower()
    return {
        "peer did not return a certificate": "it showed no certificate",
        "unsupported protocol": "it speaks only versions of TLS before 1.2",
        "no shared cipher": "it has no cipher suite in common with us",
        "http request": "it speaks HTTP",
        "wrong version number": "it does not speak TLS",
    }.get(reason, reason or "it closed the connection")
