"""Which messages are taken, and by whom: those of orders by the archive, results by the viewer, which registers itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archive.hl7.messages import Header, Segment, UnreadableMessage
from archive.scheduling.orders import Source

Taker = Callable[[Header, list[Segment], Source], int]
"""Does what a message asks for, or nothing; returns how many orders or results it was about."""
_takers: dict[str, Taker] = {}


def register(message_types: Iterable[str], taker: Taker) -> None:
    """Have messages of these types (MSH-9) taken by a function."""
    _takers.update(dict.fromkeys(message_types, taker))


def take_message(header: Header, segments: list[Segment], *, source: Source) -> int:
    """Do what a message asks for.

    Raises
    ------
    UnreadableMessage
        Nobody takes messages of its type: answered AR.
    ArchiveError
        It cannot be taken as it is: answered AE.
    """
    taker = _takers.get(header.message_type)
    if taker is None:
        known = " and ".join(sorted(name for name in _takers if "^" in name))
        raise UnreadableMessage(f"Message type '{header.message_type[:20]}' is not taken; {known} are.")
    return taker(header, segments, source)
