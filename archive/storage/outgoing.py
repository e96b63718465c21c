"""A stored instance on its way out: its data set as it lies, behind a fresh preamble and group 0002.

What the archive notes in its own files' headers about where they came from never leaves.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from archive.dicom.coercion import PatientFacts, write_coerced
from archive.dicom.part10 import read_file_meta, write_file_meta
from archive.mending.coercion import facts_of
from archive.models import Instance
from archive.storage import layout

BLOCK = 1 << 20
HEAD = 1 << 16


@dataclass(slots=True)
class OutgoingFile:
    """An open file and what comes before its data set."""

    header: bytes
    file: BinaryIO
    data_set_offset: int
    data_set_size: int
    transfer_syntax_uid: str

    @property
    def size(self) -> int:
        return len(self.header) + self.data_set_size

    def blocks(self, first: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Header and data set, or a range of their bytes, a block at a time; closes the file."""
        left = self.size - first if length is None else length
        with self.file:
            if head := self.header[first : first + left]:
                yield head
                left -= len(head)
            self.file.seek(self.data_set_offset + max(0, first - len(self.header)))
            while block := self.file.read(min(BLOCK, left)):
                yield block
                left -= len(block)


def open_outgoing(instance: Instance) -> OutgoingFile:
    """Open the stored file of an instance; OSError where it is gone."""
    stored = instance.stored_file
    file: BinaryIO = layout.path_of(stored.key).open("rb")
    size = stored.size
    facts = facts_of(instance.series.study)
    if facts is not None:
        file = _coerced(file, facts)
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
    meta = read_file_meta(io.BytesIO(file.read(HEAD)))
    header = write_file_meta(
        transfer_syntax_uid=stored.transfer_syntax_uid,
        sop_class_uid=instance.sop_class_uid,
        sop_instance_uid=instance.sop_instance_uid,
        private=None,
    )
    return OutgoingFile(
        header=header,
        file=file,
        data_set_offset=meta.data_set_offset,
        data_set_size=size - meta.data_set_offset,
        transfer_syntax_uid=stored.transfer_syntax_uid,
    )


def _coerced(file: BinaryIO, facts: PatientFacts) -> BinaryIO:
    """An unnamed file of the same image under the patient that its study was moved to; closes the other."""
    written = cast("BinaryIO", tempfile.TemporaryFile(dir=layout.temp_folder()))  # noqa: SIM115 - closed by ``blocks``
    with file:
        write_coerced(file, written, facts)
    return written
