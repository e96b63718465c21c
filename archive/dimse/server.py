"""The DICOM receiver: gate, peers' rules, and the associations that are open."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from pynetdicom import AE
from pynetdicom import events as evt

from archive.dimse.associate import AE_TITLE, AssociateRequest, read_associate_request, with_version_1
from archive.dimse.association import AssociationView, ReceiverAssociation
from archive.dimse.client import site_files
from archive.dimse.gate import Door, Gate, PortTaken, listen
from archive.dimse.handlers import Sender
from archive.dimse.limits import DEFAULT_LIMITS, Limits
from archive.dimse.messages import LOCAL_LIMIT_EXCEEDED, Rejection
from archive.dimse.peers import PeerBook, PeerRule, SitePolicy, admit, is_same_machine, plain_address
from archive.dimse.refusals import Refusal, RefusalLog
from archive.dimse.sharing import PortShare
from archive.dimse.tls import CannotUseTls, ClientCertificates, server_context
from archive.dimse.trail import trail
from archive.metrics import count_association, count_refusal

if TYPE_CHECKING:
    from archive.dimse.live import LiveReport

logger = logging.getLogger(__name__)

STOP_S = 28.0
"""Open associations have this long to finish, so that everything is over within 30 s."""
QUIET_S = 1.0
"""While stopping, an association that has been idle for this long is not waited for."""

_servers: weakref.WeakSet[DicomServer] = weakref.WeakSet()


def site_policy(ae_title: str) -> SitePolicy:
    """Read from the settings what the site says about peers."""
    return SitePolicy(
        ae_title=ae_title,
        open_to_unknown=settings.IS_DEMO,
        check_called_ae_title=settings.PORTAL_CHECK_CALLED_AE_TITLE,
        accept_private_sop_classes=settings.PORTAL_ACCEPT_PRIVATE_SOP_CLASSES,
    )


def is_port_shared() -> bool:
    """Whether other receivers of this site listen on our port, here or in other containers."""
    return settings.PORTAL_DICOM_SHARED_PORT or settings.PORTAL_RECEIVERS > 1


@dataclass(slots=True)
class SecurePort:
    """A second port, on which TLS is spoken; 0 takes a free one."""

    port: int
    context: ssl.SSLContext


def secure_port() -> SecurePort | None:
    """Read from the settings on which port, and with which certificate, the site speaks TLS.

    Raises
    ------
    PortTaken
        The certificate, or what it is checked against, cannot be used.
    """
    if not settings.PORTAL_DICOM_TLS_PORT:
        return None
    try:
        context = server_context(site_files(), ClientCertificates(settings.PORTAL_DICOM_TLS_CLIENTS))
    except CannotUseTls as error:
        raise PortTaken(str(error)) from error
    return SecurePort(settings.PORTAL_DICOM_TLS_PORT, context)


class DicomServer:
    """Listens on one port until it is stopped.

    Parameters
    ----------
    host, port, ae_title
        Where, and as whom. Port 0 takes a free one.
    shared_port
        Other receivers of this site may listen on the same port.
    peers, policy, limits, refusals
        Given by tests; otherwise those of the site.
    handlers
        pynetdicom's events and what answers them, beyond C-STORE and C-ECHO.
    secure
        Another port, for TLS.
    is_on_board
        The database is told who is connected, for the live board.
    """

    def __init__(
        self,
        host: str,
        port: int,
        ae_title: str,
        *,
        shared_port: bool = False,
        peers: PeerBook | None = None,
        policy: SitePolicy | None = None,
        limits: Limits | None = None,
        refusals: RefusalLog | None = None,
        handlers: Sequence[evt.EventHandlerType] = (),
        secure: SecurePort | None = None,
        is_on_board: bool = False,
    ) -> None:
        self.host, self.port, self.ae_title = host, port, ae_title.strip()
        self._shared_port = shared_port
        self._shares: list[PortShare] = []
        self.secure = secure
        self._peers = peers or PeerBook(copy=settings.PORTAL_DATA / "run" / "peers.json")
        self._policy = policy or site_policy(self.ae_title)
        self._limits = limits or DEFAULT_LIMITS.shared_by(settings.PORTAL_RECEIVERS)
        self._refusals = refusals or RefusalLog()
        self._handlers = tuple(handlers)
        self._lock = threading.Lock()
        self._associations: set[ReceiverAssociation] = set()
        self._gate: Gate | None = None
        self._is_on_board = is_on_board
        self._live: LiveReport | None = None

    def start(self) -> None:
        """Begin to listen; returns at once.

        Raises
        ------
        PortTaken
            In one sentence for the operator.
        """
        if not AE_TITLE.fullmatch(self.ae_title):
            raise PortTaken(f"'{self.ae_title}' is no AE title: it has 1 to 16 printable characters, no backslash.")
        self._ae = self._application_entity()
        doors = self._open_doors()
        self._peers.start()
        self._refusals.start()
        self._gate = Gate(doors, hand_over=self._take, limits=self._limits, no_handshake=self._no_handshake)
        _servers.add(self)
        self._gate.start()
        self._start_live_report()
        logger.info("DICOM receiver listens", extra={"ae_title": self.ae_title, "host": self.host, "port": self.port})

    def _start_live_report(self) -> None:
        if self._is_on_board:
            from archive.dimse.live import LiveReport

            secure = f" and {self.secure.port} (TLS)" if self.secure else ""
            self._live = LiveReport(f"{self.host}:{self.port}{secure}", self.ae_title, self.associations)
            self._live.start()

    def _open_doors(self) -> list[Door]:
        doors: list[Door] = []
        try:
            doors.append(Door(self._listen(self.port)))
            self.port = doors[0].listener.getsockname()[1]
            if self.secure is not None:
                doors.append(Door(self._listen(self.secure.port), self.secure.context))
                self.secure.port = doors[1].listener.getsockname()[1]
        except PortTaken:
            for door in doors:
                door.listener.close()
            self._leave_shares()
            raise
        return doors

    def _listen(self, port: int) -> socket.socket:
        if self._shared_port and port:
            share = PortShare(self.host, port)
            share.join()
            self._shares.append(share)
        return listen(self.host, port, shared=self._shared_port)

    def _leave_shares(self) -> None:
        for share in self._shares:
            share.leave()
        self._shares = []

    def stop(self, timeout: float = STOP_S) -> None:
        """Take no new association; let open ones finish, then abort them."""
        if self._gate is None:
            return
        end = time.monotonic() + timeout
        self._gate.close()
        while (left := self._open()) and time.monotonic() < end:
            for association in left:
                if association.idle_s >= QUIET_S:
                    association.break_off()
            time.sleep(0.05)
        for association in self._open():
            association.break_off()
        for association in self._open():
            association.join(2)
        if self._live is not None:
            self._live.stop()
        self._peers.stop()
        self._refusals.stop()
        trail.flush()
        self._leave_shares()
        self._gate = None
        _servers.discard(self)
        logger.info("DICOM receiver has stopped", extra={"port": self.port})

    def associations(self) -> list[AssociationView]:
        """Who is connected."""
        return [association.view for association in self._open()]

    def close_in_child(self) -> None:
        """Close in a forked process every descriptor of the receiver; the parent goes on."""
        if self._gate is not None:
            self._gate.close_in_child()
        for association in list(self._associations):
            association.close_in_child()
        for share in self._shares:
            share.close_in_child()

    def _application_entity(self) -> AE:
        from archive.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

        ae = AE(self.ae_title)
        ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        ae.maximum_pdu_size = self._limits.max_pdu_bytes
        ae.acse_timeout = self._limits.associate_deadline_s
        ae.network_timeout = self._limits.idle_s
        # The gate counts; pynetdicom's own limit of 10 must not.
        ae.maximum_associations = 2 * self._limits.max_associations
        return ae

    def _open(self) -> list[ReceiverAssociation]:
        with self._lock:
            return list(self._associations)

    # Called in the gate's thread

    def _take(self, connection: socket.socket, address: str, pdu: bytes, after: bytes) -> Rejection | None:
        """Begin an association, or say why not."""
        request = read_associate_request(pdu)
        local = plain_address(str(connection.getsockname()[0]))
        admission = admit(
            request,
            address,
            rules=self._peers.rules,
            policy=self._policy,
            is_this_machine=is_same_machine(address, local),
        )
        if admission.rejection is not None or admission.rule is None:
            self._refused(admission.reason, request, address, kind="association")
            return admission.rejection
        if not self._has_room(address):
            self._refused("too many associations", request, address, kind="association")
            return LOCAL_LIMIT_EXCEEDED
        self._peers.seen(request.calling_ae_title)
        self._begin(connection, address, request, admission.rule, with_version_1(pdu), after)
        return None

    def _no_handshake(self, address: str, reason: str) -> None:
        count_refusal("handshake")
        logger.info("refused: %s", reason, extra={"address": address})
        self._refusals.add(Refusal(reason, "", "", address))

    def _begin(
        self,
        connection: socket.socket,
        address: str,
        request: AssociateRequest,
        rule: PeerRule,
        pdu: bytes,
        after: bytes,
    ) -> None:
        association = ReceiverAssociation(
            self._ae,
            sender=self._sender(request, address, rule),
            client_socket=connection,
            request=pdu,
            received=after,
            limits=self._limits,
            handlers=self._handlers,
            ended=self._ended,
        )
        with self._lock:
            self._associations.add(association)
        count_association(over_tls=isinstance(connection, ssl.SSLSocket))
        try:
            association.start()
        except RuntimeError:  # The system has no more threads.
            self._ended(association)
            raise

    def _sender(self, request: AssociateRequest, address: str, rule: PeerRule) -> Sender:
        def refused(reason: str) -> None:
            self._refused(reason, request, address, kind="request")

        return Sender(
            calling_ae_title=request.calling_ae_title,
            called_ae_title=request.called_ae_title,
            address=address,
            may_echo=rule.may_echo,
            may_store=rule.may_store,
            may_query=rule.may_query,
            may_retrieve=rule.may_retrieve,
            may_query_worklist=rule.may_query_worklist,
            may_report_steps=rule.may_report_steps,
            may_ask_commitment=rule.may_ask_commitment,
            issuer_of_patient_id=rule.issuer_of_patient_id,
            accept_private_sop_classes=rule.accept_private_sop_classes or self._policy.accept_private_sop_classes,
            refused=refused,
            find_destination=self._find_destination,
        )

    def _find_destination(self, ae_title: str) -> PeerRule | None:
        """A configured peer that may be sent images (PS3.4 C.4.2.1.5, A801 for any other)."""
        rule = self._peers.rules.get(ae_title)
        return rule if rule is not None and rule.enabled and rule.may_receive and rule.port else None

    def _has_room(self, address: str) -> bool:
        """Say whether one more association fits; where the house is full, the longest idle one makes room."""
        associations = self._open()
        same = [association for association in associations if association.sender.address == address]
        if len(same) >= self._limits.max_associations_by_address:
            crowd = same
        elif len(associations) >= self._limits.max_associations:
            crowd = associations
        else:
            return True
        idlest = max(crowd, key=lambda association: association.idle_s)
        if idlest.idle_s < self._limits.crowded_idle_s:
            return False
        idlest.break_off()
        return True

    def _refused(self, reason: str, request: AssociateRequest, address: str, *, kind: str) -> None:
        count_refusal(kind)
        logger.info("refused: %s", reason, extra={"calling_ae_title": request.calling_ae_title, "address": address})
        self._refusals.add(Refusal(reason, request.calling_ae_title, request.called_ae_title, address))

    def _ended(self, association: ReceiverAssociation) -> None:
        with self._lock:
            self._associations.discard(association)


def _after_fork_in_child() -> None:
    """A pool child that replaces a crashed one is forked while we listen: it must not hold our port or our peers."""
    for server in list(_servers):
        try:
            server.close_in_child()
        except (OSError, RuntimeError, ValueError):
            # Half-done work of a thread that was not forked along; the rest still has to be closed.
            continue
    _servers.clear()
    _forget_database_connections()


_inherited: list[Any] = []
"""Connections of the parent, kept so that Python never closes them in its name."""


def _forget_database_connections() -> None:
    from django.db import connections

    for wrapper in connections.all(initialized_only=True):
        if wrapper.connection is not None:
            _inherited.append(wrapper.connection)
            wrapper.connection = None


os.register_at_fork(after_in_child=_after_fork_in_child)
