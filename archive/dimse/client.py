"""We as a service class user: associations that we open, and C-ECHO. What is said over them is in modules beside."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE, SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context

from archive.dimse.contexts import VERIFICATION
from archive.dimse.tls import CannotUseTls, TlsFiles, client_context, words_of
from archive.errors import ArchiveError

MAX_CONTEXTS = 128
"""Presentation contexts of one association (PS3.8 9.3.2.2: odd IDs from 1 to 255)."""
PROBE_S = 2.0
"""For the words of why there is no association."""


class PeerUnreachable(ArchiveError):
    """The peer does not answer, refuses the association, or broke it off; the message says which."""


class NothingAccepted(PeerUnreachable):
    """The peer took the association and none of the services that were proposed."""


def site_files() -> TlsFiles:
    """Our certificate, its key, and whom we trust, as the settings say."""
    return TlsFiles(settings.PORTAL_DICOM_TLS_CERTIFICATE, settings.PORTAL_DICOM_TLS_KEY, settings.PORTAL_DICOM_TLS_CA)


def echo(
    host: str,
    port: int,
    *,
    called_ae_title: str,
    calling_ae_title: str,
    timeout_s: float = 5.0,
    tls: str | None = None,
) -> None:
    """Verify a peer with a real C-ECHO.

    Raises
    ------
    PeerUnreachable
        It did not answer with success within the time.
    """
    contexts = [build_context(VERIFICATION)]
    with association(
        host,
        port,
        contexts,
        called_ae_title=called_ae_title,
        calling_ae_title=calling_ae_title,
        timeout_s=timeout_s,
        tls=tls,
    ) as assoc:
        status = assoc.send_c_echo()
        if "Status" not in status:
            raise PeerUnreachable(f"{called_ae_title} did not answer the C-ECHO within {timeout_s:g} s.")
        if status.Status != 0:
            raise PeerUnreachable(f"{called_ae_title} answered the C-ECHO with status {status.Status:04X}.")


@contextmanager
def association(
    host: str,
    port: int,
    contexts: list[PresentationContext],
    *,
    called_ae_title: str,
    calling_ae_title: str,
    timeout_s: float,
    answer_s: float = 0,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[Any] = (),
    tls: str | None = None,
) -> Iterator[Association]:
    """Open an association for the length of a block; released at its end, aborted when it fails.

    Raises
    ------
    PeerUnreachable
    """
    assoc = open_association(
        host,
        port,
        contexts,
        called_ae_title=called_ae_title,
        calling_ae_title=calling_ae_title,
        timeout_s=timeout_s,
        answer_s=answer_s,
        roles=roles,
        handlers=handlers,
        tls=tls,
    )
    try:
        yield assoc
    except BaseException:
        assoc.abort()
        raise
    if assoc.is_established:
        assoc.release()


def open_association(
    host: str,
    port: int,
    contexts: list[PresentationContext],
    *,
    called_ae_title: str,
    calling_ae_title: str,
    timeout_s: float,
    answer_s: float = 0,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[Any] = (),
    tls: str | None = None,
) -> Association:
    """Open an association that the caller releases or aborts.

    Parameters
    ----------
    answer_s
        How long a response may take, where that is not as long as connecting.
    roles
        SCP roles that we take ourselves (PS3.7 D.3.3.4).
    handlers
        pynetdicom's, for what the peer requests over it.
    tls
        The name that the peer's certificate must carry; None speaks without TLS.

    Raises
    ------
    PeerUnreachable
    """
    context = _context_for(called_ae_title, tls)
    ae = AE(calling_ae_title)
    ae.connection_timeout = ae.acse_timeout = timeout_s
    ae.dimse_timeout = ae.network_timeout = answer_s or timeout_s
    assoc = ae.associate(
        host,
        port,
        contexts=contexts,
        ae_title=called_ae_title,
        max_pdu=0,
        ext_neg=list(roles),
        evt_handlers=list(handlers),
        tls_args=(context, tls) if context is not None and tls is not None else None,
    )
    if (rejection := _rejection_of(assoc)) is not None:
        raise PeerUnreachable(f"{called_ae_title} rejected the association{_why(rejection)} ({host}:{port}).")
    if _took_nothing(assoc):
        raise NothingAccepted(f"{called_ae_title} offers none of what it was asked for ({host}:{port}).")
    if not assoc.is_established:
        raise PeerUnreachable(f"{called_ae_title} does not answer: {_why_silent(host, port, timeout_s, context, tls)}.")
    connection = cast(socket.socket, cast(Any, assoc.dul.socket).socket)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return assoc


def _context_for(called_ae_title: str, tls: str | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    try:
        return client_context(site_files())
    except CannotUseTls as error:
        raise PeerUnreachable(f"{called_ae_title} cannot be called over TLS: {error}") from error


def _took_nothing(assoc: Association) -> bool:
    """Whether pynetdicom has aborted for want of a context (PS3.8 9.3.3.2: result 0 with every context refused)."""
    answer = cast(Any, assoc.acceptor.primitive)
    return not assoc.is_established and getattr(answer, "result", None) == 0 and not assoc.accepted_contexts


def _rejection_of(assoc: Association) -> A_ASSOCIATE | None:
    """The peer's A-ASSOCIATE-RJ, if it sent one.

    pynetdicom 3.0.4 takes a rejection that comes before it looks at its own connection for a failed connection, and
    leaves it in the queue.
    """
    if assoc.is_rejected:
        return cast(A_ASSOCIATE, assoc.acceptor.primitive)
    if assoc.is_established:
        return None
    unread = assoc.dul.receive_pdu(wait=False)
    return unread if isinstance(unread, A_ASSOCIATE) and unread.result in (1, 2) else None


def _why(rejection: A_ASSOCIATE) -> str:
    try:
        return f": {rejection.reason_str.lower()}"
    except (AttributeError, KeyError, ValueError):
        return ""


def _why_silent(
    host: str, port: int, timeout_s: float, context: ssl.SSLContext | None = None, tls: str | None = None
) -> str:
    """What a plain connection meets where there was no association."""
    place = f"({host}:{port})"
    try:
        with socket.create_connection((host, port), timeout=min(timeout_s, PROBE_S)) as connection:
            if context is not None:
                context.wrap_socket(connection, server_hostname=tls).close()
    except ConnectionRefusedError:
        return f"connection refused {place}"
    except TimeoutError:
        return f"no connection within {min(timeout_s, PROBE_S):g} s {place}"
    except socket.gaierror:
        return f"its address is unknown {place}"
    except ssl.SSLError as error:
        return f"no TLS, {words_of(error)} {place}"
    except OSError as error:
        return f"{(error.strerror or type(error).__name__).lower()} {place}"
    return f"it took the connection and not the association {place}"
