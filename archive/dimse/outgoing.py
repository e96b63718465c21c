"""What is sent to a peer with C-STORE: which instances, of which kinds, and the bytes of each as the peer takes them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from archive.dicom.part10 import read_file_meta
from archive.dimse.channel import AcceptedSyntax, StoreChannel
from archive.dimse.destinations import Kind
from archive.errors import ArchiveError
from archive.mending.coercion import coerced_file, facts_of_instance
from archive.models import Instance
from archive.pixels.native import write_native
from archive.storage import layout
from archive.storage.temporary import temporary_file

if TYPE_CHECKING:
    from archive.dicom.coercion import PatientFacts

logger = logging.getLogger(__name__)

PAGE: Final = 500
READ_AHEAD_BYTES: Final = 8 * 2**20
"""Of the next file, that the disk is asked for while the one before is sent."""


class Outgoing(NamedTuple):
    """What sending one instance needs."""

    sop_instance_uid: str
    sop_class_uid: str
    key: str
    transfer_syntax_uid: str
    damage: str
    facts: PatientFacts | None
    """Where a person has moved its study to another patient: what its data set is made to say."""


class NotSent(ArchiveError):
    """One instance cannot be sent; the message says why."""


def kinds_of(ids: list[int]) -> frozenset[Kind]:
    """SOP classes and stored transfer syntaxes of instances."""
    found: set[Kind] = set()
    for start in range(0, len(ids), PAGE):
        rows = Instance.objects.filter(pk__in=ids[start : start + PAGE])
        found.update(rows.values_list("sop_class_uid", "stored_file__transfer_syntax_uid").distinct())
    return frozenset(kind for kind in found if kind[1])


def outgoing_instances(ids: list[int]) -> Iterator[Outgoing]:
    """What is to be sent, page by page; nothing is held open in the database between two pages."""
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        rows = Instance.objects.shown().filter(pk__in=page)
        fields = ("sop_instance_uid", "sop_class_uid")
        stored = ("stored_file__key", "stored_file__transfer_syntax_uid", "stored_file__damage")
        columns = rows.values_list("pk", *fields, *stored, "series__study__received_patient")
        found = {
            pk: (Outgoing(uid, sop_class, key, syntax, damage, None), received is not None)
            for pk, uid, sop_class, key, syntax, damage, received in columns
        }
        for instance, is_corrected in (found[row_id] for row_id in page if row_id in found):
            yield instance._replace(facts=facts_of_instance(instance.sop_instance_uid)) if is_corrected else instance


@contextmanager
def data_set_for(instance: Outgoing, way: AcceptedSyntax) -> Iterator[BinaryIO]:
    """A file that stands at the first byte of the data set: the stored one, or one written anew for the peer.

    Raises
    ------
    NotSent
        The stored file is damaged.
    CannotDecode, CannotUnderstand, FrameMissing
    """
    if not instance.key or instance.damage:
        raise NotSent("The stored file is missing or damaged.")
    path = layout.path_of(instance.key)
    if way.transfer_syntax_uid == instance.transfer_syntax_uid:
        with path.open("rb") as stored, coerced_file(stored, instance.facts) as file:
            file.seek(read_file_meta(file).data_set_offset)
            yield file
        return
    with temporary_file() as written:
        write_native(path, written, transfer_syntax_uid=way.transfer_syntax_uid)
        with coerced_file(written, instance.facts) as file:
            file.seek(read_file_meta(file).data_set_offset)
            yield file


# --- Made ready ahead -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Prepared:
    """An instance with its data set open, or with the reason why it cannot be sent."""

    instance: Outgoing
    way: AcceptedSyntax | None
    file: BinaryIO | None = None
    error: Exception | None = None
    size: int = 0
    """Bytes of the data set."""
    _open: ExitStack = field(default_factory=ExitStack)

    def store(self, channel: StoreChannel, originator: tuple[str, int] | None = None) -> int:
        """Send it over a channel that has its way, and return the response's status.

        Raises
        ------
        ChannelLost
        ArchiveError, OSError, ValueError
            It cannot be sent.
        """
        if self.error is not None:
            raise self.error
        if self.way is None or self.file is None:
            raise NotSent("The peer takes the SOP class neither as it is stored nor without compression.")
        return channel.store(
            self.file,
            self.way,
            sop_class_uid=self.instance.sop_class_uid,
            sop_instance_uid=self.instance.sop_instance_uid,
            originator=originator,
        )

    def close(self) -> None:
        self._open.close()


def prepare(instance: Outgoing, way: AcceptedSyntax | None) -> Prepared:
    """Open, decode or coerce what is to be sent; asks no database."""
    prepared = Prepared(instance, way)
    if way is None:
        return prepared
    try:
        prepared.file = prepared._open.enter_context(data_set_for(instance, way))
        prepared.size = os.fstat(prepared.file.fileno()).st_size - prepared.file.tell()
        os.posix_fadvise(prepared.file.fileno(), 0, READ_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
    except (ArchiveError, OSError, ValueError) as error:
        prepared.error = error
        prepared.close()
    return prepared


def prepared_ahead(
    instances: Iterable[Outgoing], choose: Callable[[Outgoing], AcceptedSyntax | None]
) -> Generator[Prepared]:
    """Make each instance ready in a thread while the one before it is sent; the caller closes what it gets.

    At most two are open at a time. Closing the generator closes the one that nobody took.
    """
    following: Future[Prepared] | None = None
    with ThreadPoolExecutor(1, "prepare") as executor:
        try:
            for instance in instances:
                ready, following = following, executor.submit(prepare, instance, choose(instance))
                if ready is not None:
                    yield ready.result()
            if following is not None:
                ready, following = following, None
                yield ready.result()
        finally:
            if following is not None:
                following.result().close()


def why_not_sent(error: Exception, sop_instance_uid: str) -> str:
    """The reason in words, which the log gets too."""
    words = str(error) if isinstance(error, ArchiveError) else f"It cannot be read ({type(error).__name__})."
    logger.warning("an instance cannot be sent: %s", words, extra={"sop_instance_uid": sop_instance_uid})
    return words
