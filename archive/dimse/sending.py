"""Send instances of the archive to a peer (C-STORE as SCU), each with a result in words.

The transcoding rule is that of C-MOVE: as it is stored where the peer takes it so, else without compression.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from archive.dimse.channel import AcceptedSyntax, ChannelLost, StoreChannel
from archive.dimse.destinations import open_channel
from archive.dimse.outgoing import (
    Outgoing,
    Prepared,
    kinds_of,
    outgoing_instances,
    prepare,
    prepared_ahead,
    why_not_sent,
)
from archive.dimse.peers import PeerRule
from archive.errors import ArchiveError

WORDS: Final = {
    # PS3.4 B.2.3 and PS3.7 annex C; a status with a zero nibble at its end stands for its range.
    0x0000: "stored",
    0x0110: "processing failure",
    0x0111: "already there, with this SOP Instance UID",
    0x0117: "the SOP Instance UID is none",
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0x0210: "duplicate invocation",
    0x0211: "unrecognised operation",
    0xA700: "out of resources",
    0xA900: "the data set does not match its SOP class",
    0xB000: "stored, with elements changed",
    0xB006: "stored, with elements left out",
    0xB007: "stored, though the data set does not match its SOP class",
    0xC000: "the data set cannot be understood",
}
NO_ANSWER: Final = "the association broke before an answer"


def words_of(status: int) -> str:
    """A C-STORE status for people.

    >>> words_of(0), words_of(0xA701), words_of(0xC123)
    ('stored', 'out of resources (A701)', 'the data set cannot be understood (C123)')
    """
    words = WORDS.get(status) or WORDS.get(status & 0xFF00) or WORDS.get(status & 0xF000) or "an unknown status"
    return words if status == 0 else f"{words} ({status:04X})"


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one instance."""

    sop_instance_uid: str
    status: int | None
    """DIMSE status; None where it was not sent."""
    words: str
    may_pass_later: bool = False
    """The peer was short of something, or the association broke: another try makes sense."""

    @property
    def is_stored(self) -> bool:
        """Success, or a warning: stored all the same (PS3.4 B.2.3)."""
        return self.status is not None and (self.status == 0 or self.status & 0xF000 == 0xB000)

    @property
    def outcome(self) -> str:
        """``sent``, ``warned``, ``refused`` or ``not sent``."""
        if self.status is None:
            return "not sent"
        if not self.is_stored:
            return "refused"
        return "sent" if self.status == 0 else "warned"


def result_of(uid: str, status: int) -> SendResult:
    """A result by the peer's answer."""
    return SendResult(uid, status, words_of(status), may_pass_later=status & 0xFF00 == 0xA700 or status == 0x0110)


def send_instances(peer: PeerRule, ids: list[int], *, calling_ae_title: str) -> Generator[SendResult]:
    """Send instances in the order given; yields a result for each. Closing the iterator ends the association.

    An association that breaks is opened once more for the next instance.

    Raises
    ------
    PeerUnreachable
        There is no association, also not a second time.
    """
    kinds = kinds_of(ids)
    channel = open_channel(peer, kinds, calling_ae_title)

    def choose(instance: Outgoing) -> AcceptedSyntax | None:
        return channel.choose(instance.sop_class_uid, instance.transfer_syntax_uid)

    try:
        with closing(prepared_ahead(outgoing_instances(ids), choose)) as files:
            for prepared in files:
                if not channel.assoc.is_established:
                    channel = open_channel(peer, kinds, calling_ae_title)
                if prepared.way != choose(prepared.instance):
                    # The second association was negotiated otherwise.
                    prepared.close()
                    prepared = prepare(prepared.instance, choose(prepared.instance))
                yield _send_one(channel, prepared)
    except BaseException:
        channel.let_go()
        channel.assoc.abort()
        raise
    channel.let_go()
    if channel.assoc.is_established:
        channel.assoc.release()


def _send_one(channel: StoreChannel, prepared: Prepared) -> SendResult:
    uid = prepared.instance.sop_instance_uid
    try:
        return result_of(uid, prepared.store(channel))
    except ChannelLost:
        channel.drop()
        return SendResult(uid, None, NO_ANSWER, may_pass_later=True)
    except (ArchiveError, OSError, ValueError) as error:
        return SendResult(uid, None, why_not_sent(error, uid))
    finally:
        prepared.close()
