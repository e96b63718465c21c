"""Keys and paths: the only place that turns one into the other.

No part of a path is ever taken from a sender: names are digests, made here.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from django.conf import settings

_KEY = re.compile(
    r"(files/[0-9a-f]{2}/[0-9a-f]{32}/[0-9a-f]{16}|quarantine/[0-9a-f]{2})/[0-9a-f]{32}-[0-9a-f]{16}(-[0-9a-f]{12})?\.dcm"
)


def archive_folder() -> Path:
    return Path(settings.PORTAL_DATA) / "archive"


def temp_folder() -> Path:
    """Unnamed files being written; nothing here has a name."""
    return archive_folder() / "temp"


def incoming_folder() -> Path:
    """Acknowledged files that wait to be indexed."""
    return archive_folder() / "incoming"


def claims_folder() -> Path:
    """One sub-folder an indexer, held by a lock."""
    return archive_folder() / "claims"


def refused_folder() -> Path:
    """Notes about files put into quarantine by the intake, not yet in a row."""
    return archive_folder() / "refused"


def make_folders() -> None:
    """Create what every process expects to be there."""
    for folder in (temp_folder(), incoming_folder(), claims_folder(), refused_folder()):
        folder.mkdir(parents=True, exist_ok=True)


def digest_of(text: str, length: int = 32) -> str:
    """Hexadecimal digits that stand for a UID in a name."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def file_key(*, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, digest: str) -> str:
    """Final place of an instance: always the same for the same content, never another's."""
    study = digest_of(study_instance_uid)
    series = digest_of(series_instance_uid, 16)
    return f"files/{study[:2]}/{study}/{series}/{digest_of(sop_instance_uid)}-{digest[:16]}.dcm"


def quarantine_key(*, digest: str, unique: str) -> str:
    """Place of a file that is held back; ``unique`` are 12 random hexadecimal digits."""
    return f"quarantine/{digest[:2]}/{digest[:32]}-{digest[32:48]}-{unique}.dcm"


def path_of(key: str) -> Path:
    """Absolute path of a key of this module; anything else is a programming error."""
    if not _KEY.fullmatch(key):
        raise ValueError("This is no key of the archive.")
    return archive_folder() / key
