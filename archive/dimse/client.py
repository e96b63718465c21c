"""We as a service class user: verify a peer (C-ECHO) and send files to it (C-STORE)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context

from archive.dicom.part10 import read_file_meta
from archive.dimse.contexts import VERIFICATION
from archive.errors import ArchiveError

MAX_CONTEXTS = 128
"""Presentation contexts of one association (PS3.8 9.3.2.2: odd IDs from 1 to 255)."""


class PeerUnreachable(ArchiveError):
    """The peer does not answer, refuses the association, or broke it off; the message says which."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What a peer said to one file."""

    path: Path
    status: int | None
    """DIMSE status; None where there was no answer, or the peer takes nothing of the kind."""
    comment: str = ""

    @property
    def is_stored(self) -> bool:
        """Success, or a warning: stored all the same (PS3.4 B.2.3)."""
        return self.status is not None and (self.status == 0 or self.status & 0xF000 == 0xB000)


def echo(host: str, port: int, *, called_ae_title: str, calling_ae_title: str, timeout_s: float = 5.0) -> None:
    """Verify a peer with a real C-ECHO.

    Raises
    ------
    PeerUnreachable
        It did not answer with success within the time.
    """
    contexts = [build_context(VERIFICATION)]
    with association(
        host, port, contexts, called_ae_title=called_ae_title, calling_ae_title=calling_ae_title, timeout_s=timeout_s
    ) as assoc:
        status = assoc.send_c_echo()
        if "Status" not in status:
            raise PeerUnreachable(f"{called_ae_title} did not answer the C-ECHO within {timeout_s:g} s.")
        if status.Status != 0:
            raise PeerUnreachable(f"{called_ae_title} answered the C-ECHO with status {status.Status:04X}.")


def send(
    paths: Iterable[Path],
    host: str,
    port: int,
    *,
    called_ae_title: str,
    calling_ae_title: str,
    timeout_s: float = 30.0,
) -> Iterator[SendResult]:
    """Send files as they are, in as many associations as their kinds need; yields a result for each, kind by kind.

    A file goes in the transfer syntax that it is in: nothing is decoded, and memory
    stays flat. What the peer does not take in that syntax has no status.

    Raises
    ------
    PeerUnreachable
        There is no association.
    """
    kinds: dict[tuple[str, str], list[Path]] = {}
    for path in paths:
        with path.open("rb") as file:
            meta = read_file_meta(file)
        kinds.setdefault((meta.sop_class_uid, meta.transfer_syntax_uid), []).append(path)
    names = list(kinds)
    for start in range(0, len(names), MAX_CONTEXTS):
        group = names[start : start + MAX_CONTEXTS]
        with association(
            host,
            port,
            [build_context(*name) for name in group],
            called_ae_title=called_ae_title,
            calling_ae_title=calling_ae_title,
            timeout_s=timeout_s,
        ) as assoc:
            for name in group:
                for path in kinds[name]:
                    yield _send_one(assoc, path)


def _send_one(assoc: Association, path: Path) -> SendResult:
    try:
        status = assoc.send_c_store(path)
    except ValueError:
        return SendResult(path, None, "The peer does not take this SOP Class in this transfer syntax.")
    except RuntimeError:
        return SendResult(path, None, "The association had ended.")
    if "Status" not in status:
        return SendResult(path, None, "The peer did not answer.")
    return SendResult(path, int(status.Status), str(status.get("ErrorComment", "")))


@contextmanager
def association(
    host: str,
    port: int,
    contexts: list[PresentationContext],
    *,
    called_ae_title: str,
    calling_ae_title: str,
    timeout_s: float,
    roles: Iterable[SCP_SCU_RoleSelectionNegotiation] = (),
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
        roles=roles,
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
    roles: Iterable[SCP_SCU_RoleSelectionNegotiation] = (),
) -> Association:
    """Open an association that the caller releases or aborts.

    Raises
    ------
    PeerUnreachable
    """
    ae = AE(calling_ae_title)
    ae.connection_timeout = ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = timeout_s
    assoc = ae.associate(host, port, contexts=contexts, ae_title=called_ae_title, max_pdu=0, ext_neg=list(roles))
    if assoc.is_rejected:
        raise PeerUnreachable(f"{called_ae_title} on {host}:{port} rejected the association.")
    if not assoc.is_established:
        raise PeerUnreachable(f"{called_ae_title} on {host}:{port} does not answer.")
    return assoc
