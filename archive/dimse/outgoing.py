"""What is sent to a peer with C-STORE: which instances, of which kinds, and the bytes of each as the peer takes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, NamedTuple

from archive.dicom.part10 import read_file_meta
from archive.dimse.channel import AcceptedSyntax
from archive.dimse.destinations import Kind
from archive.errors import ArchiveError
from archive.mending.coercion import coerced_file, facts_of_instance
from archive.models import Instance
from archive.pixels.native import write_native
from archive.storage import layout
from archive.storage.temporary import temporary_file

PAGE: Final = 500


class Outgoing(NamedTuple):
    """What sending one instance needs."""

    sop_instance_uid: str
    sop_class_uid: str
    key: str
    transfer_syntax_uid: str
    damage: str
    is_corrected: bool
    """A person has moved its study to another patient: its data set is coerced."""


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
            pk: Outgoing(uid, sop_class, key, syntax, damage, received is not None)
            for pk, uid, sop_class, key, syntax, damage, received in columns
        }
        yield from (found[row_id] for row_id in page if row_id in found)


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
    facts = facts_of_instance(instance.sop_instance_uid) if instance.is_corrected else None
    if way.transfer_syntax_uid == instance.transfer_syntax_uid:
        with path.open("rb") as stored, coerced_file(stored, facts) as file:
            file.seek(read_file_meta(file).data_set_offset)
            yield file
        return
    with temporary_file() as written:
        write_native(path, written, transfer_syntax_uid=way.transfer_syntax_uid)
        with coerced_file(written, facts) as file:
            file.seek(read_file_meta(file).data_set_offset)
            yield file
