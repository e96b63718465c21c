"""The trigram index of names and text: FTS5 on SQLite, pg_trgm on PostgreSQL.

It finds studies that may match a wildcard, also one that begins with ``*``; the condition itself then decides.
Django's migrations know neither kind, and on SQLite a later migration that makes the table anew drops its
triggers without a word. So the index is looked after once migrations are done, and filled where it was away.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

TABLE: Final = "archive_study_text"
COLUMNS: Final = ("patient_name_key", "referring_physician_name_key", "search_text")
SHORTEST: Final = 3
"""Characters of a trigram: shorter pieces of a pattern find nothing in the index."""

_NAMES: Final = ", ".join(COLUMNS)
_OLD: Final = ", ".join(f"old.{name}" for name in COLUMNS)
_NEW: Final = ", ".join(f"new.{name}" for name in COLUMNS)
_FORGET: Final = f"INSERT INTO {TABLE}({TABLE}, rowid, {_NAMES}) VALUES ('delete', old.id, {_OLD});"  # noqa: S608
_KEEP: Final = f"INSERT INTO {TABLE}(rowid, {_NAMES}) VALUES (new.id, {_NEW});"  # noqa: S608
_DIFFERS: Final = " OR ".join(f"old.{name} IS NOT new.{name}" for name in COLUMNS)

SQLITE_TRIGGERS: Final = {
    f"{TABLE}_insert": f"AFTER INSERT ON archive_study BEGIN {_KEEP} END",
    f"{TABLE}_delete": f"AFTER DELETE ON archive_study BEGIN {_FORGET} END",
    f"{TABLE}_update": f"AFTER UPDATE OF {_NAMES} ON archive_study WHEN {_DIFFERS} BEGIN {_FORGET} {_KEEP} END",
}


def look_after_text_index(using: str = "default", **_details: Any) -> None:
    """Make the index where it is not; a receiver of ``post_migrate``, harmless when run twice."""
    connection = connections[using]
    if "archive_study" not in connection.introspection.table_names():
        return
    if connection.vendor == "sqlite":
        _look_after_sqlite(connection)
    elif connection.vendor == "postgresql":
        _look_after_postgresql(connection)


def _look_after_sqlite(connection: BaseDatabaseWrapper) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE %s", [f"{TABLE}%"])
        known = {row[0] for row in cursor.fetchall()}
        if {TABLE, *SQLITE_TRIGGERS} <= known:
            return
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        # Contentless, and without positions: it names candidates, the study's own columns decide.
        cursor.execute(
            f"CREATE VIRTUAL TABLE {TABLE} USING fts5"
            f"({_NAMES}, content='', columnsize=0, detail=column, tokenize='trigram')"
        )
        for name, body in SQLITE_TRIGGERS.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"CREATE TRIGGER {name} {body}")
        cursor.execute(f"INSERT INTO {TABLE}(rowid, {_NAMES}) SELECT id, {_NAMES} FROM archive_study")  # noqa: S608


def _look_after_postgresql(connection: BaseDatabaseWrapper) -> None:
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for column in COLUMNS:
                cursor.execute(
                    f"CREATE INDEX IF NOT EXISTS {TABLE}_{column} ON archive_study USING gin ({column} gin_trgm_ops)"
                )
    except DatabaseError as error:
        logger.warning("names are searched without an index: pg_trgm is not there (%s)", type(error).__name__)


def trigrams_of(text: str) -> list[str]:
    """Every three characters in a row; empty where the text is shorter.

    >>> trigrams_of("=doe^")
    ['=do', 'doe', 'oe^']
    """
    return [text[start : start + SHORTEST] for start in range(len(text) - SHORTEST + 1)]


def fts5_expression(pieces: dict[str, list[str]]) -> str:
    """An FTS5 query for studies whose columns hold every trigram of every piece.

    >>> fts5_expression({"search_text": ['a"bc']})
    '{search_text} : "a""b" AND {search_text} : \"""bc"'
    """
    terms = []
    for column, texts in pieces.items():
        for trigram in dict.fromkeys(trigram for text in texts for trigram in trigrams_of(text)):
            quoted = trigram.replace('"', '""')
            terms.append(f'{{{column}}} : "{quoted}"')
    return " AND ".join(terms)
