"""Associations to move destinations, kept for a while: a workstation that asks for series after series gets one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pynetdicom.presentation import PresentationContext, build_context

from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from archive.dimse.channel import StoreChannel, channel_to
from archive.dimse.client import MAX_CONTEXTS, open_association
from archive.dimse.peers import PeerRule

logger = logging.getLogger(__name__)

KEPT_S: Final = 5.0
"""An association that nothing was sent over for so long is released."""
ALONE_S: Final = 300.0
"""So long a destination that takes one association at a time is not asked for more."""
ANSWER_S: Final = 30.0
PLAIN: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)

Kind = tuple[str, str]
"""SOP class and stored transfer syntax."""


def open_channel(rule: PeerRule, kinds: frozenset[Kind], calling_ae_title: str) -> StoreChannel:
    """Open an association to a peer; pynetdicom's own loop is held, so that the answers to stores are ours.

    Raises
    ------
    PeerUnreachable
    """
    assoc = open_association(
        rule.host,
        rule.port,
        contexts_for(kinds),
        called_ae_title=rule.ae_title,
        calling_ae_title=calling_ae_title,
        timeout_s=ANSWER_S,
        tls=rule.tls,
    )
    channel = channel_to(assoc)
    channel.hold()
    return channel


@dataclass(slots=True)
class _Kept:
    channel: StoreChannel
    kinds: frozenset[Kind]
    until: float


@dataclass(slots=True)
class DestinationPool:
    """Open associations by destination; each is lent to one retrieval at a time."""

    _idle: dict[tuple[str, ...], list[_Kept]] = field(default_factory=dict)
    _alone_until: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _timer: threading.Timer | None = None

    def lend(self, rule: PeerRule, kinds: frozenset[Kind], calling_ae_title: str) -> StoreChannel:
        """A channel that these kinds were proposed on.

        Raises
        ------
        PeerUnreachable
        """
        channel = self._idle_channel(_key(rule, calling_ae_title), kinds)
        if channel is None:
            return open_channel(rule, kinds, calling_ae_title)
        channel.hold()
        return channel

    def _idle_channel(self, key: tuple[str, ...], kinds: frozenset[Kind]) -> StoreChannel | None:
        with self._lock:
            for kept in self._idle.get(key, []):
                if kept.channel.assoc.is_established and kinds <= kept.kinds:
                    self._idle[key].remove(kept)
                    return kept.channel
        return None

    def give_back(self, rule: PeerRule, kinds: frozenset[Kind], calling_ae_title: str, channel: StoreChannel) -> None:
        """Keep a channel for the next retrieval; one that broke is dropped."""
        channel.let_go()
        if not channel.assoc.is_established:
            return
        kept = _Kept(channel, kinds, time.monotonic() + KEPT_S)
        with self._lock:
            self._idle.setdefault(_key(rule, calling_ae_title), []).append(kept)
            self._set_timer()

    def takes_several(self, rule: PeerRule) -> bool:
        """Whether more than one association at once is worth asking the destination for."""
        return self._alone_until.get(rule.ae_title, 0.0) <= time.monotonic()

    def note_crowded(self, rule: PeerRule) -> None:
        """The destination did not take a further association: for a while it is asked for one alone."""
        self._alone_until[rule.ae_title] = time.monotonic() + ALONE_S

    def close(self) -> None:
        """Release everything that is idle."""
        self._release(float("inf"))

    def _set_timer(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(KEPT_S, self._sweep)
            self._timer.daemon = True
            self._timer.start()

    def _sweep(self) -> None:
        with self._lock:
            self._timer = None
        self._release(time.monotonic())
        with self._lock:
            if any(self._idle.values()):
                self._set_timer()

    def _release(self, now: float) -> None:
        with self._lock:
            due = [kept for of_one in self._idle.values() for kept in of_one if kept.until <= now]
            self._idle = {
                key: left for key, of_one in self._idle.items() if (left := [k for k in of_one if k.until > now])
            }
        for kept in due:
            if kept.channel.assoc.is_established:
                kept.channel.assoc.release()


pool = DestinationPool()


def _key(rule: PeerRule, calling_ae_title: str) -> tuple[str, ...]:
    return rule.ae_title, rule.host, str(rule.port), calling_ae_title, rule.tls or ""


def contexts_for(kinds: Iterable[Kind]) -> list[PresentationContext]:
    """Contexts to propose: for each SOP class the plain syntaxes, and each stored one in a context of its own.

    A context is accepted with one transfer syntax, the peer's choice; alone, a stored one is accepted
    wherever the peer takes it at all (PS3.8 9.3.2.2).
    """
    wanted: dict[tuple[str, tuple[str, ...]], None] = {}
    ordered = sorted(kinds)
    for sop_class_uid, _ in ordered:
        wanted[sop_class_uid, PLAIN] = None
    for sop_class_uid, transfer_syntax_uid in ordered:
        wanted[sop_class_uid, (transfer_syntax_uid,)] = None
    return [build_context(uid, list(syntaxes)) for uid, syntaxes in list(wanted)[:MAX_CONTEXTS]]
