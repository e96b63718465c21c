"""Who may connect, and what it may do: the table of peers, kept in memory so that it outlives the database.

The rules are read again every few seconds. While the database is locked or gone
the last ones count; they are also kept in a small file, for a receiver that
starts while the database is away.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archive.dimse.associate import APPLICATION_CONTEXT, AssociateRequest
from archive.dimse.messages import (
    APPLICATION_CONTEXT_NOT_SUPPORTED,
    CALLED_AE_TITLE_NOT_RECOGNIZED,
    CALLING_AE_TITLE_NOT_RECOGNIZED,
    PROTOCOL_VERSION_NOT_SUPPORTED,
    Rejection,
)

if TYPE_CHECKING:
    from archive.models.peer import Peer

logger = logging.getLogger(__name__)

REFRESH_EVERY_S = 2.0
RESOLVE_EVERY_S = 60.0
NOTE_SEEN_EVERY_S = 30.0
FIRST_READ_S = 5.0
"""A start waits this long for the rules; then those of the last start count until they are read."""


@dataclass(frozen=True, slots=True)
class PeerRule:
    """One row of the table of peers."""

    ae_title: str
    addresses: tuple[str, ...] = ()
    """IP addresses that its host name stood for when the rules were read."""
    enabled: bool = True
    check_address: bool = True
    may_echo: bool = True
    may_store: bool = True
    may_query: bool = True
    may_retrieve: bool = True
    may_receive: bool = True
    host: str = ""
    port: int = 0
    """Where it listens itself."""
    use_tls: bool = False
    tls_name: str = ""
    may_query_worklist: bool = True
    may_report_steps: bool = True
    may_ask_commitment: bool = True
    accept_private_sop_classes: bool = False
    issuer_of_patient_id: str = ""

    @property
    def tls(self) -> str | None:
        """The name that its certificate must carry; None where it is called without TLS."""
        return (self.tls_name or self.host) if self.use_tls else None


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """What the site says about peers in general."""

    ae_title: str
    open_to_unknown: bool
    """A calling AE title that is not in the table may do everything (demo)."""
    check_called_ae_title: bool
    accept_private_sop_classes: bool = False


class Admission(NamedTuple):
    """Whether a peer gets an association."""

    rejection: Rejection | None
    rule: PeerRule | None
    reason: str = ""
    """Why not, in words for the audit trail."""


Rules = Mapping[str, PeerRule]


def admit(
    request: AssociateRequest, address: str, *, rules: Rules, policy: SitePolicy, is_this_machine: bool = False
) -> Admission:
    """Decide about an A-ASSOCIATE-RQ (PS3.8 9.3.4: result, source and diagnostic of a rejection).

    ``is_this_machine`` says that it calls from where we listen, so that our own readiness check passes.
    """
    if not request.speaks_version_1:
        return Admission(PROTOCOL_VERSION_NOT_SUPPORTED, None, "protocol version not supported")
    if request.application_context != APPLICATION_CONTEXT:
        return Admission(APPLICATION_CONTEXT_NOT_SUPPORTED, None, "application context not supported")
    if not request.called_ae_title or (policy.check_called_ae_title and request.called_ae_title != policy.ae_title):
        return Admission(CALLED_AE_TITLE_NOT_RECOGNIZED, None, "called AE title is not ours")
    rule = rules.get(request.calling_ae_title)
    if rule is None:
        rule = _rule_for_unknown(request.calling_ae_title, policy, is_this_machine=is_this_machine)
    return _admit_by(rule, address)


def _admit_by(rule: PeerRule | None, address: str) -> Admission:
    if rule is None:
        return Admission(CALLING_AE_TITLE_NOT_RECOGNIZED, None, "calling AE title unknown")
    if not rule.enabled:
        return Admission(CALLING_AE_TITLE_NOT_RECOGNIZED, None, "calling AE title disabled")
    if rule.check_address and address not in rule.addresses:
        return Admission(CALLING_AE_TITLE_NOT_RECOGNIZED, None, "calling AE title from another address")
    return Admission(None, rule)


def _rule_for_unknown(title: str, policy: SitePolicy, *, is_this_machine: bool) -> PeerRule | None:
    if policy.open_to_unknown and title:
        return PeerRule(title, check_address=False)
    if title == policy.ae_title and is_this_machine:
        # Our own readiness check: C-ECHO and nothing else.
        rights = (field.name for field in fields(PeerRule) if field.name.startswith("may_"))
        nothing: dict[str, Any] = dict.fromkeys(rights, False)
        return PeerRule(title, check_address=False, **nothing | {"may_echo": True})
    return None


def is_same_machine(remote: str, local: str) -> bool:
    """Say whether a connection between two addresses never left this machine."""
    return remote == local or ipaddress.ip_address(remote.partition("%")[0]).is_loopback


def plain_address(address: str) -> str:
    """Return an IPv4 address that was mapped into IPv6 as what it is."""
    return address.removeprefix("::ffff:") if "." in address else address


class Resolver:
    """Addresses of host names, asked for once a minute; the last answer counts while there is none."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}

    def addresses_of(self, host: str) -> tuple[str, ...]:
        """Return the IP addresses of a host, sorted; empty where it has never had one."""
        until, addresses = self._known.get(host, (0.0, ()))
        if time.monotonic() >= until:
            addresses = self._ask(host) or addresses
            self._known[host] = (time.monotonic() + RESOLVE_EVERY_S, addresses)
        return addresses

    @staticmethod
    def _ask(host: str) -> tuple[str, ...]:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return ()
        return tuple(sorted({plain_address(str(entry[4][0])) for entry in found}))


resolver = Resolver()


def load_from_database() -> list[PeerRule]:
    """Read the table of peers; raises what Django's database raises."""
    from archive.models.peer import Peer

    return [
        PeerRule(
            ae_title=peer.ae_title.strip(),
            addresses=resolver.addresses_of(peer.host),
            enabled=peer.enabled,
            check_address=peer.check_address,
            may_echo=peer.may_echo,
            may_store=peer.may_store,
            may_query=peer.may_query,
            may_retrieve=peer.may_retrieve,
            may_receive=peer.may_receive,
            host=peer.host,
            port=peer.port,
            use_tls=peer.use_tls,
            tls_name=peer.tls_name,
            may_query_worklist=peer.may_query_worklist,
            may_report_steps=peer.may_report_steps,
            may_ask_commitment=peer.may_ask_commitment,
            accept_private_sop_classes=peer.accept_private_sop_classes,
            issuer_of_patient_id=peer.default_issuer_of_patient_id,
        )
        for peer in Peer.objects.all()
    ]


def peer_to_call(peer: Peer) -> PeerRule:
    """A row as what our own associations need: title, host and port."""
    return PeerRule(peer.ae_title.strip(), host=peer.host, port=peer.port, use_tls=peer.use_tls, tls_name=peer.tls_name)


def note_seen_in_database(titles: Iterable[str]) -> None:
    """Write down when peers were last heard of."""
    from django.utils import timezone

    from archive.models.peer import Peer

    Peer.objects.filter(ae_title__in=list(titles)).update(last_seen_at=timezone.now())


class PeerBook:
    """The rules last read, refreshed by a thread of its own; asking never waits for a database."""

    def __init__(
        self,
        *,
        load: Callable[[], list[PeerRule]] = load_from_database,
        note_seen: Callable[[Iterable[str]], None] = note_seen_in_database,
        copy: Path | None = None,
    ) -> None:
        self._load = load
        self._note_seen = note_seen
        self._copy = copy
        self._rules: Rules = {}
        self._known = False
        self._complained = False
        self._seen: set[str] = set()
        self._seen_noted_at = time.monotonic()
        self._stop = threading.Event()
        self._tried = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def rules(self) -> Rules:
        """Rules by AE title."""
        return self._rules

    def start(self) -> None:
        """Read the rules, and keep them fresh in a thread of their own."""
        self._thread = threading.Thread(target=self._run, name="peer-rules", daemon=True)
        self._thread.start()
        self._tried.wait(FIRST_READ_S)
        if not self._known:
            self._read_copy()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def seen(self, ae_title: str) -> None:
        """Remember that a peer connected; written down later, if the database is there."""
        self._seen.add(ae_title)

    def refresh(self) -> bool:
        """Read the rules; False, and the last ones stay, where the database cannot be asked."""
        from django.db import DatabaseError, InterfaceError, connection

        try:
            rules = {rule.ae_title: rule for rule in self._load()}
            self._write_down_seen()
        except (DatabaseError, InterfaceError, OSError) as error:
            if not self._complained:
                logger.warning("the table of peers cannot be read, the last one counts: %s", type(error).__name__)
            self._complained = True
            connection.close()
            return False
        self._complained = False
        if rules != self._rules or not self._known:
            self._rules, self._known = rules, True
            self._write_copy()
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.refresh()
            except Exception:  # A thread that keeps rules fresh must outlive whatever a driver raises.
                logger.exception("the table of peers cannot be read")
            self._tried.set()
            self._stop.wait(REFRESH_EVERY_S)
        from django.db import connection

        connection.close()

    def _write_down_seen(self) -> None:
        if self._seen and time.monotonic() - self._seen_noted_at > NOTE_SEEN_EVERY_S:
            self._seen_noted_at = time.monotonic()
            titles, self._seen = self._seen, set()
            self._note_seen(titles)

    def _write_copy(self) -> None:
        if self._copy is None:
            return
        hidden = self._copy.with_name(f".{self._copy.name}.{os.getpid()}")
        try:
            self._copy.parent.mkdir(parents=True, exist_ok=True)
            hidden.write_text(json.dumps([asdict(rule) for rule in self._rules.values()]), encoding="utf-8")
            hidden.chmod(0o600)
            hidden.replace(self._copy)
        except OSError as error:
            logger.warning("the copy of the table of peers cannot be written: %s", type(error).__name__)

    def _read_copy(self) -> None:
        if self._copy is None:
            return
        try:
            values = json.loads(self._copy.read_text(encoding="utf-8"))
            rules = [PeerRule(**(value | {"addresses": tuple(value["addresses"])})) for value in values]
        except (OSError, ValueError, TypeError, KeyError):
            return
        if not self._known:
            self._rules = {rule.ae_title: rule for rule in rules}
        logger.warning("the table of peers is that of the last start, the database cannot be asked")
