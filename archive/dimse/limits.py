"""What the receiver takes from a peer it does not know, and for how long it waits.

One frozen value, so that tests can shrink it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit is checked before the bytes that it is about are read."""

    max_pdu_bytes: int = 128 * 1024
    """What we announce as our maximum length (PS3.8 D.1); data PDUs are streamed, so this costs no memory."""
    data_pdu_ceiling_bytes: int = 1024 * 1024
    """A P-DATA-TF that claims more is cut. Above what we announce: some senders count the header differently."""
    associate_ceiling_bytes: int = 512 * 1024
    """An A-ASSOCIATE-RQ that claims more is cut: 128 contexts with 45 transfer syntaxes each need about 200 KiB."""
    command_set_bytes: int = 16 * 1024
    """Longest command set."""
    identifier_bytes: int = 8 * 1024 * 1024
    """Longest data set of a message other than C-STORE; those are held in memory."""
    waiting_messages: int = 16
    """Requests that a peer may send ahead of our answers, apart from C-STORE, which is answered as it comes."""

    max_connections: int = 512
    """Connections that have not yet asked for an association."""
    max_connections_by_address: int = 256
    max_associations: int = 512
    max_associations_by_address: int = 384
    crowded_idle_s: float = 10.0
    """When an association must make room for another, one that has been idle for this long goes."""

    associate_deadline_s: float = 30.0
    """From connect to a whole A-ASSOCIATE-RQ (our ARTIM timer, PS3.8 9.1.5)."""
    pdu_deadline_s: float = 30.0
    """From a PDU's first byte to its last, and between the PDUs of one message."""
    message_slack_s: float = 120.0
    """A message may take this long and, beyond it, one second for every ``slowest_bytes_s``."""
    slowest_bytes_s: int = 2048
    idle_s: float = 60.0
    """An association on which nothing happens is aborted after this time."""
    send_deadline_s: float = 30.0
    """For a peer that does not read our answers."""
    linger_s: float = 2.0
    """After our last PDU we wait this long for the peer to close the connection first (PS3.8 Sta13)."""

    def shared_by(self, processes: int) -> Limits:
        """The part of one of several receivers on a port: what the site takes in total stays what it is.

        The kernel deals connections out evenly by address and port; each process counts its own.

        >>> Limits().shared_by(2).max_associations, Limits().shared_by(1) == Limits()
        (256, True)
        """
        return replace(
            self,
            max_connections=-(-self.max_connections // processes),
            max_connections_by_address=-(-self.max_connections_by_address // processes),
            max_associations=-(-self.max_associations // processes),
            max_associations_by_address=-(-self.max_associations_by_address // processes),
        )


DEFAULT_LIMITS = Limits()
