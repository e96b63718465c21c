"""How the sub-operations of a retrieval travel: over the association that asked, or over several to the destination.

A carrier takes instances in order and yields the UID of each with the status of its C-STORE, None where it was
not sent. Over several associations the results come in whatever order the destination answers (PS3.4 C.4.2.2.2
asks for none). What is sent ends with the answer to it also when a retrieval is cancelled.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Final, NamedTuple, Protocol

from django.conf import settings

from archive.dimse.channel import AcceptedSyntax, ChannelLost, StoreChannel
from archive.dimse.client import PeerUnreachable
from archive.dimse.outgoing import Outgoing, Prepared, prepare, prepared_ahead, why_not_sent
from archive.errors import ArchiveError

logger = logging.getLogger(__name__)

IMAGES_A_LANE: Final = 16
"""A further association pays from so many images on."""
SLOW_S: Final = 3.0
"""A further association that takes longer than this was waiting for another one to end."""


class Result(NamedTuple):
    """What became of one instance."""

    sop_instance_uid: str
    status: int | None
    """Of its C-STORE; None where it was not sent."""
    size: int = 0
    """Bytes of the data set that was sent."""


def lanes_for(count: int) -> int:
    """How many associations so many images are worth.

    >>> from django.test import override_settings
    >>> with override_settings(PORTAL_MOVE_ASSOCIATIONS=4):
    ...     lanes_for(1), lanes_for(31), lanes_for(32), lanes_for(5000)
    (1, 1, 2, 4)
    """
    return max(1, min(settings.PORTAL_MOVE_ASSOCIATIONS, count // IMAGES_A_LANE))


class Carrier(Protocol):
    """What a retrieval asks of whatever sends its instances."""

    def begin(self) -> None:
        """Find the way; raises PeerUnreachable."""

    def carry(self, instances: Iterator[Outgoing]) -> Iterator[Result]:
        """Send them."""

    def stop(self) -> None:
        """Begin no further instance; the results of what is under way still come."""

    def end(self) -> None:
        """Give back what was opened."""


class SameAssociation:
    """C-GET: one instance after the other, the next made ready while one is sent."""

    def __init__(self, channel: StoreChannel) -> None:
        self._channel = channel
        self._is_stopped = False

    def begin(self) -> None:
        """The association stands."""

    def carry(self, instances: Iterator[Outgoing]) -> Iterator[Result]:
        def choose(instance: Outgoing) -> AcceptedSyntax | None:
            return self._channel.choose(instance.sop_class_uid, instance.transfer_syntax_uid)

        is_lost = False
        with closing(prepared_ahead(instances, choose)) as files:
            for prepared in files:
                if self._is_stopped:
                    prepared.close()
                    return
                result = Result(prepared.instance.sop_instance_uid, None)
                try:
                    if is_lost:
                        prepared.close()
                    else:
                        result = _store(self._channel, prepared, None)
                except ChannelLost as error:
                    logger.info("a retrieval lost its association: %s", error)
                    is_lost = True
                yield result

    def stop(self) -> None:
        self._is_stopped = True

    def end(self) -> None:
        """The association is the peer's."""


class Lanes:
    """C-MOVE: several associations to the destination, each sending what is next.

    The first is opened before anything is promised; the others join when they stand. A destination that takes
    one association at a time gets one.

    Parameters
    ----------
    lend, give_back
        Open, or find, an association, and keep it for the next retrieval; ``lend`` raises PeerUnreachable.
    most
        Associations at once.
    crowded
        Told when the destination did not take a further one.
    originator
        Who invoked the C-MOVE, and its message ID (PS3.7 9.1.1.1).
    """

    def __init__(
        self,
        *,
        lend: Callable[[], StoreChannel],
        give_back: Callable[[StoreChannel], None],
        most: int,
        crowded: Callable[[], None],
        originator: tuple[str, int],
    ) -> None:
        self._lend, self._give_back, self._crowded = lend, give_back, crowded
        self._most = most
        self._originator = originator
        self._tasks: queue.SimpleQueue[Outgoing | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._under_way = 0
        self._is_stopped = self._is_over = False
        self._lock = threading.Lock()
        self._standing = 0
        self._first: StoreChannel | None = None
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        self._first = self._lend()

    def carry(self, instances: Iterator[Outgoing]) -> Iterator[Result]:
        self._start()
        for instance in instances:
            if self._is_stopped:
                break
            self._tasks.put(instance)
            self._under_way += 1
            if self._under_way >= 2 * self._most:
                yield self._next_result()
        while self._under_way:
            yield self._next_result()

    def stop(self) -> None:
        self._is_stopped = True
        while True:
            try:
                self._tasks.get_nowait()
            except queue.Empty:
                return
            self._under_way -= 1

    def end(self) -> None:
        self._is_over = True
        self.stop()
        for _ in range(self._most):
            self._tasks.put(None)
        for thread in self._threads[:1]:
            thread.join()
        if not self._threads and self._first is not None:
            self._give_back(self._first)

    def _next_result(self) -> Result:
        result = self._results.get()
        self._under_way -= 1
        return result

    def _start(self) -> None:
        for number in range(self._most):
            run = self._run_first if number == 0 else self._run_further
            thread = threading.Thread(target=run, name="move-lane", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # The system has no more threads.
                if number == 0:
                    raise
                return
            self._threads.append(thread)

    # In a lane's own thread

    def _run_first(self) -> None:
        channel, self._first = self._first, None
        self._serve(channel)

    def _run_further(self) -> None:
        asked_at = time.monotonic()
        try:
            channel = self._lend()
        except PeerUnreachable as error:
            logger.info("a further association for a C-MOVE was not to be had: %s", error)
            self._crowded()
            return
        if time.monotonic() - asked_at > SLOW_S:
            self._crowded()
        if self._is_over:
            self._give_back(channel)
            return
        self._serve(channel)

    def _serve(self, channel: StoreChannel | None) -> None:
        """Send what is next until there is no more, or no association; the last one to go fails what is left."""
        with self._lock:
            self._standing += 1
        while channel is not None and (instance := self._tasks.get()) is not None:
            result = Result(instance.sop_instance_uid, None)
            try:
                way = channel.choose(instance.sop_class_uid, instance.transfer_syntax_uid)
                result = _store(channel, prepare(instance, way), self._originator)
            except ChannelLost as error:
                logger.info("a retrieval lost its association: %s", error)
                channel = self._opened_again(channel)
            except Exception:  # The peer is told that this one failed; the others go on.
                logger.exception("a sub-operation failed", extra={"sop_instance_uid": instance.sop_instance_uid})
            self._results.put(result)
        with self._lock:
            self._standing -= 1
        if channel is not None:
            self._give_back(channel)
            return
        while not self._standing and (instance := self._tasks.get()) is not None:
            self._results.put(Result(instance.sop_instance_uid, None))

    def _opened_again(self, channel: StoreChannel) -> StoreChannel | None:
        channel.drop()
        try:
            return self._lend()
        except PeerUnreachable:
            return None


def _store(channel: StoreChannel, prepared: Prepared, originator: tuple[str, int] | None) -> Result:
    """Send one instance.

    Raises
    ------
    ChannelLost
    """
    uid = prepared.instance.sop_instance_uid
    try:
        return Result(uid, prepared.store(channel, originator), prepared.size)
    except (ArchiveError, OSError, ValueError) as error:
        why_not_sent(error, uid)
        return Result(uid, None)
    finally:
        prepared.close()
