"""Copy everything that cannot be made again, while images go on arriving; and put it back.

The order makes it right without stopping anything: first what waits in incoming/
and in claims, then the database, then the stored files. An image that moves on
during the copy is found at its next place; files get their final name before their
rows are committed, so each row of the copied database has its file.
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

from archive.storage import layout
from archive.storage.files import make_durable_folder, sync_folders

MANIFEST = "backup.json"
DATABASE = "db.sqlite3"
POSTGRESQL_DUMP = "database.dump"

Progress = Callable[[str], None]


class BackupRefused(Exception):
    """A backup or restore cannot be made; the message says why and what to do."""


def make_backup(target: Path, *, progress: Progress = lambda _name: None) -> dict[str, Any]:
    """Copy the archive into a folder; one that holds an earlier backup is brought up to date.

    Returns the manifest: everything acknowledged before ``mark`` is in the copy.
    """
    target = target.resolve()
    data = Path(settings.PORTAL_DATA).resolve()
    if target == data or data in target.parents:
        raise BackupRefused("The backup must lie outside the data folder.")
    if target.exists() and any(target.iterdir()) and not (target / MANIFEST).exists():
        raise BackupRefused("The folder is not empty and holds no earlier backup.")
    make_durable_folder(target)
    mark = datetime.now(UTC)
    (target / MANIFEST).write_text(json.dumps({"mark": None, "unfinished": True}))
    waiting = _copy_waiting(target, progress)
    _copy_database(target)
    stored = _copy_stored(target, progress)
    _copy_small(data, target)
    manifest = {"mark": mark.isoformat(), "waiting": waiting, "stored": stored, "database": connection.vendor}
    hidden = target / f".{secrets.token_hex(8)}"
    hidden.write_text(json.dumps(manifest, indent=2))
    hidden.rename(target / MANIFEST)
    sync_folders([target])
    return manifest


def _copy_waiting(target: Path, progress: Progress) -> int:
    """Acknowledged files that are not in rows yet; one that has gone meanwhile is copied with the stored files."""
    folder = target / "archive" / "incoming"
    shutil.rmtree(folder, ignore_errors=True)
    make_durable_folder(folder)
    copied = 0
    for path in (*_files(layout.incoming_folder()), *_files(layout.claims_folder())):
        progress(path.name)
        copied += _copy(path, folder / path.name)
    refused = target / "archive" / "refused"
    make_durable_folder(refused)
    for path in _files(layout.refused_folder()):
        _copy(path, refused / path.name)
    return copied


def _copy_stored(target: Path, progress: Progress) -> int:
    copied = 0
    for part in ("files", "quarantine"):
        root = layout.archive_folder() / part
        for path in _files(root):
            progress(path.name)
            copied += _copy(path, target / "archive" / path.relative_to(layout.archive_folder()))
    return copied


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                if not name.startswith("."):
                    yield Path(parent) / name


def _copy(source: Path, target: Path) -> bool:
    """Copy one immutable file durably; False where it is there already or has moved on."""
    try:
        if target.exists() and target.stat().st_size == source.stat().st_size:
            return False
        make_durable_folder(target.parent)
        hidden = target.with_name(f".{secrets.token_hex(8)}")
        shutil.copyfile(source, hidden)
    except FileNotFoundError:
        return False
    with hidden.open("rb") as file:
        os.fsync(file.fileno())
    hidden.rename(target)
    return True


def _copy_database(target: Path) -> None:
    """A consistent copy of the database as of one moment, made while others write."""
    if connection.vendor == "sqlite":
        hidden = target / f".{secrets.token_hex(8)}"
        source = str(connection.settings_dict["NAME"])
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(hidden)) as new:
            old.backup(new)
        hidden.rename(target / DATABASE)
        return
    _run_postgresql("pg_dump", "--format=custom", f"--file={target / POSTGRESQL_DUMP}")


def _copy_small(data: Path, target: Path) -> None:
    """Keys and the audit journal."""
    for part in ("keys", "journal"):
        folder = target / part
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in _files(data / part):
            shutil.copy2(path, folder / path.name)


def restore_backup(source: Path, *, progress: Progress = lambda _name: None) -> dict[str, Any]:
    """Put a backup into an empty data folder (and, for PostgreSQL, an empty database); returns its manifest."""
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text())
    except FileNotFoundError:
        raise BackupRefused("There is no backup in this folder.") from None
    if manifest.get("unfinished"):
        raise BackupRefused("The backup in this folder was never finished.")
    if manifest["database"] != connection.vendor:
        raise BackupRefused(
            f"The backup is of a {manifest['database']} database; this portal uses {connection.vendor}."
        )
    data = Path(settings.PORTAL_DATA)
    if any(_files(layout.archive_folder())) or (connection.vendor == "sqlite" and (data / DATABASE).exists()):
        raise BackupRefused("The data folder already holds an archive; a backup is only restored into an empty one.")
    layout.make_folders()
    for path in _files(source / "archive"):
        progress(path.name)
        _copy(path, layout.archive_folder() / path.relative_to(source / "archive"))
    for part in ("keys", "journal"):
        (data / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in _files(source / part):
            shutil.copy2(path, data / part / path.name)
    if connection.vendor == "sqlite":
        connection.close()
        _copy(source / DATABASE, Path(str(connection.settings_dict["NAME"])))
    else:
        _run_postgresql("pg_restore", "--no-owner", str(source / POSTGRESQL_DUMP), database_flag="--dbname")
    return manifest


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
