"""Keep what was refused, with its reason, where technologists and administrators see it.

The intake cannot count on the database, so it writes the file and a small note;
the indexer turns notes into rows. What people then decide is also here.
"""

from __future__ import annotations

import json
import logging
import os
import secrets

from archive.errors import ArchiveError
from archive.receiving.staging import StagedFile
from archive.storage import layout
from archive.storage.files import make_durable_folder, sync_folder

logger = logging.getLogger(__name__)


def keep_refused(staged: StagedFile, *, reason: str, explanation: str) -> None:
    """Make the bytes of a refused object durable, with a note for the indexer. Never raises: the refusal counts."""
    key = layout.quarantine_key(digest=staged.digest, unique=secrets.token_hex(6))
    note = {
        "key": key,
        "size": staged.size,
        "reason": str(reason),
        "explanation": explanation,
        "sop_instance_uid": staged.sop_instance_uid,
        "sop_class_uid": staged.sop_class_uid,
        "digest": staged.digest,
        "door": staged.origin.door.value,
        "calling_ae_title": staged.origin.calling_ae_title,
        "received_at": staged.origin.received_at.isoformat(),
    }
    try:
        path = layout.path_of(key)
        make_durable_folder(path.parent)
        staged.sync()
        staged.publish(path)
        write_note(note)
    except (OSError, ArchiveError) as error:
        logger.error("a refused object could not be kept", extra={"reason": str(reason), "why": type(error).__name__})


def write_note(note: dict[str, object]) -> None:
    """Write one note whole or not at all."""
    folder = layout.refused_folder()
    hidden = folder / f".{secrets.token_hex(8)}"
    with hidden.open("xb") as file:
        file.write(json.dumps(note).encode())
        file.flush()
        os.fsync(file.fileno())
    hidden.rename(folder / f"{secrets.token_hex(12)}.json")
    sync_folder(folder)
