"""Copy everything that cannot be made again, while images go on arriving; and put it back.

The order makes it right without stopping anything: first what waits in incoming/
and in claims, then the database, then the stored files, then once more what waits.
An image that moves on during the copy is found at its next place: files get their
final name before their rows are committed, so each row of the copied database has
its file. Files that are replaced meanwhile (recompressed, mended) are noticed by
comparing with the keys that the database named, and the copy is made again.

The earlier backup in the same folder stays whole until the new one is complete.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import QuarantinedFile, StoredFile, Study
from archive.storage import layout
from archive.storage.files import make_durable_folder, sync_folders

MANIFEST = "backup.json"
DATABASE = "db.sqlite3"
POSTGRESQL_DUMP = "database.dump"
SMALL = ("keys", "journal")
"""Folders of small files that go along."""
SIGNING_KEY = "keys/secret_key"
"""Tells one portal from another."""
ATTEMPTS = 5

Progress = Callable[[str], None]


class BackupRefused(Exception):
    """A backup or restore cannot be made; the message says why and what to do."""


def make_backup(target: Path, *, progress: Progress = lambda _name: None) -> dict[str, Any]:
    """Copy the archive into a folder; one that holds an earlier backup is brought up to date.

    Returns the manifest: everything acknowledged before ``mark`` is in the copy.

    Raises
    ------
    BackupRefused
        The folder cannot take this backup, or the database cannot be copied.
    """
    target = target.resolve()
    data = Path(settings.PORTAL_DATA).resolve()
    _check_target(target, data)
    make_durable_folder(target)
    mark = datetime.now(UTC)
    if not (target / MANIFEST).exists():
        _write(target / MANIFEST, json.dumps({"mark": None, "unfinished": True}))
    waiting = _copy_waiting(target, progress)
    keys, copied_database, stored = _copy_rows_and_files(target, progress)
    waiting |= _copy_waiting(target, progress)
    _copy_small(data, target)
    copied_database.rename(target / _database_name())
    sync_folders([target])
    manifest = {
        "mark": mark.isoformat(),
        "waiting": len(waiting),
        "stored": stored,
        "database": connection.vendor,
    }
    _write(target / MANIFEST, json.dumps(manifest, indent=2))
    _prune(target, keys, waiting)
    record_event(Event.BACKUP_MADE, actor="backup", details={"stored": stored, "waiting": len(waiting)})
    return manifest


def _check_target(target: Path, data: Path) -> None:
    if target == data or data in target.parents or target in data.parents:
        raise BackupRefused("The backup must lie outside the data folder.")
    if target.exists() and not target.is_dir():
        raise BackupRefused("The backup goes into a folder; this is a file.")
    if target.exists() and any(target.iterdir()) and not (target / MANIFEST).exists():
        raise BackupRefused("The folder is not empty and holds no earlier backup.")
    ours, theirs = data / SIGNING_KEY, target / SIGNING_KEY
    if ours.exists() and theirs.exists() and ours.read_bytes() != theirs.read_bytes():
        raise BackupRefused("The folder holds the backup of another portal, or of this one before it was set up anew.")


def _write(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    hidden = path.with_name(f".{secrets.token_hex(8)}")
    with hidden.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    hidden.rename(path)
    sync_folders([path.parent])


def _copy_waiting(target: Path, progress: Progress) -> set[str]:
    """Acknowledged files that are not in rows yet; returns their names.

    One that has gone meanwhile is in the claims, which are listed later, or in a row.
    """
    names: set[str] = set()
    for listed in (layout.incoming_folder, layout.claims_folder):
        for path in _files(listed()):
            progress(path.name)
            if _copy(path, target / "archive" / "incoming" / path.name):
                names.add(path.name)
    for path in _files(layout.refused_folder()):
        _copy(path, target / "archive" / "refused" / path.name)
        names.add(path.name)
    return names


def _copy_rows_and_files(target: Path, progress: Progress) -> tuple[set[str], Path, int]:
    """Copy the database and every file that it names; returns their keys, the hidden copy, and how many files."""
    for leftover in target.glob(".*"):
        leftover.unlink(missing_ok=True)
    for _ in range(ATTEMPTS):
        named_before = _keys()
        copied_database = _copy_database(target)
        keys = named_before | _keys()
        stored = _copy_stored(target, progress)
        # What was lost before the backup began is in no copy: that is the integrity check's to say.
        if not [key for key in keys - _keys() if not (target / "archive" / key).exists()]:
            return keys, copied_database, stored
        copied_database.unlink()
    raise BackupRefused(
        "Files were replaced as fast as they were copied; try again when fewer studies are recompressed."
    )


def _keys() -> set[str]:
    """Keys of all files that rows name."""
    return {
        *StoredFile.objects.values_list("key", flat=True).iterator(),
        *QuarantinedFile.objects.values_list("key", flat=True).iterator(),
    }


def _copy_stored(target: Path, progress: Progress) -> int:
    """Copy stored and quarantined files; returns how many the backup now holds."""
    held = 0
    for part in ("files", "quarantine"):
        for path in _files(layout.archive_folder() / part):
            progress(path.name)
            held += _copy(path, target / "archive" / path.relative_to(layout.archive_folder()))
    return held


def _prune(target: Path, keys: set[str], waiting: set[str]) -> None:
    """Remove from a completed backup what neither its database names nor the archive holds any more."""
    archive = target / "archive"
    for part in ("files", "quarantine"):
        for path in _files(archive / part):
            key = path.relative_to(archive).as_posix()
            if key not in keys and not (layout.archive_folder() / key).exists():
                path.unlink()
    for part in ("incoming", "refused"):
        for path in _files(archive / part):
            if path.name not in waiting:
                path.unlink()
    for leftover in archive.rglob(".*"):
        leftover.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                if not name.startswith("."):
                    yield Path(parent) / name


def _copy(source: Path, target: Path) -> bool:
    """Copy one immutable file durably; True where the copy is there now, False where the file has moved on."""
    try:
        if target.exists() and target.stat().st_size == source.stat().st_size:
            return True
        make_durable_folder(target.parent)
        hidden = target.with_name(f".{secrets.token_hex(8)}")
        shutil.copyfile(source, hidden)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise BackupRefused(f"A file could not be copied: {error.strerror}.") from error
    _sync(hidden)
    hidden.rename(target)
    sync_folders([target.parent])
    return True


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _copy_database(target: Path) -> Path:
    """A consistent copy of the database as of one moment, made while others write; under a hidden name."""
    hidden = target / f".{secrets.token_hex(8)}"
    if connection.vendor == "sqlite":
        source = str(connection.settings_dict["NAME"])
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(hidden)) as new:
            old.backup(new)
    else:
        _run_postgresql("pg_dump", "--format=custom", f"--file={hidden}")
    _sync(hidden)
    return hidden


def _database_name() -> str:
    return DATABASE if connection.vendor == "sqlite" else POSTGRESQL_DUMP


def _copy_small(data: Path, target: Path) -> None:
    """Keys and the audit journal."""
    for part in SMALL:
        (target / part).mkdir(mode=0o700, exist_ok=True)
        for path in _files(data / part):
            _replace(path, target / part / path.name)


def _replace(source: Path, target: Path) -> None:
    """Copy a small file that may have changed, with its mode."""
    hidden = target.with_name(f".{secrets.token_hex(8)}")
    try:
        shutil.copy2(source, hidden)
    except FileNotFoundError:
        return
    _sync(hidden)
    hidden.rename(target)


def restore_backup(source: Path, *, progress: Progress = lambda _name: None) -> dict[str, Any]:
    """Put a backup where no images are yet, and return its manifest. The portal must not be running.

    A database that was only set up (tables and accounts, no study) is replaced.

    Raises
    ------
    BackupRefused
        There is no whole backup, it is of another kind of database, or there are images already.
    """
    manifest = _read_manifest(source)
    data = Path(settings.PORTAL_DATA)
    if any(_files(layout.archive_folder())) or _holds_images():
        raise BackupRefused("The data folder already holds an archive; a backup is only restored into an empty one.")
    layout.make_folders()
    for path in _files(source / "archive"):
        progress(path.name)
        _copy(path, layout.archive_folder() / path.relative_to(source / "archive"))
    for part in SMALL:
        (data / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in _files(source / part):
            _replace(path, data / part / path.name)
    _restore_database(source)
    return manifest


def _read_manifest(source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise BackupRefused("There is no backup in this folder.") from None
    except ValueError:
        raise BackupRefused("The backup's manifest cannot be read.") from None
    if manifest.get("unfinished"):
        raise BackupRefused("The backup in this folder was never finished.")
    if manifest["database"] != connection.vendor:
        raise BackupRefused(
            f"The backup is of a {manifest['database']} database; this portal uses {connection.vendor}."
        )
    if not (source / _database_name()).exists():
        raise BackupRefused("The backup lacks its database.")
    return manifest


def _holds_images() -> bool:
    """Whether the database has a study or a quarantined file; one without tables has none."""
    tables = connection.introspection.table_names()
    models = (Study, QuarantinedFile)
    return any(model._meta.db_table in tables and model.objects.exists() for model in models)


def _restore_database(source: Path) -> None:
    connection.close()
    if connection.vendor != "sqlite":
        options = ("--no-owner", "--clean", "--if-exists", "--single-transaction", "--exit-on-error")
        _run_postgresql("pg_restore", *options, str(source / POSTGRESQL_DUMP))
        return
    database = Path(str(connection.settings_dict["NAME"]))
    hidden = database.with_name(f".{secrets.token_hex(8)}")
    shutil.copyfile(source / DATABASE, hidden)
    _sync(hidden)
    for left in ("-wal", "-shm", "-journal"):
        # They belong to the database that goes; SQLite would replay them into the one that comes.
        database.with_name(database.name + left).unlink(missing_ok=True)
    hidden.rename(database)
    sync_folders([database.parent])


def _run_postgresql(program: str, *arguments: str, database_flag: str = "--dbname") -> None:
    values = connection.settings_dict
    command = [program, *arguments, f"{database_flag}={values['NAME']}"]
    for flag, name in (("--host", "HOST"), ("--port", "PORT"), ("--username", "USER")):
        if values.get(name):
            command.append(f"{flag}={values[name]}")
    try:
        subprocess.run(
            command, check=True, env=os.environ | {"PGPASSWORD": values.get("PASSWORD") or ""}, capture_output=True
        )
    except FileNotFoundError:
        raise BackupRefused(f"{program} is not installed; it comes with PostgreSQL's client programs.") from None
    except subprocess.CalledProcessError as error:
        raise BackupRefused(f"{program} failed: {error.stderr.decode(errors='replace').strip()[:300]}") from error
