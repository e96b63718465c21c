"""Comparisons that Django's ORM has no words for, in the SQL of SQLite and of PostgreSQL.

Those that only test a row say ``+column`` on SQLite: its planner would else take the column's index and sort
what it finds, although a walk along the wanted order that stops when a page is full is far shorter.
"""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, CharField, Func, Lookup, TextField


def glob_pattern(pattern: str) -> str:
    """A DICOM pattern for SQLite's GLOB, which has ``[`` besides.

    >>> glob_pattern("a[*?")
    'a[[]*?'
    """
    return pattern.replace("[", "[[]")


def like_pattern(pattern: str) -> str:
    """A DICOM pattern for PostgreSQL's LIKE.

    >>> like_pattern("50%_*?")
    '50\\\\%\\\\_%_'
    """
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


class MatchesPattern(Lookup):
    """Whole-value match with ``*`` and ``?``, by case; tests rows."""

    lookup_name = "matches_pattern"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"+{column} GLOB %s", [*parameters, glob_pattern(str(self.rhs))]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} LIKE %s", [*parameters, like_pattern(str(self.rhs))]


class BeginsWith(Lookup):
    """Begins with a text, by case; walks the column's index."""

    lookup_name = "begins_with"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} GLOB %s", [*parameters, glob_pattern(str(self.rhs)) + "*"]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} LIKE %s", [*parameters, like_pattern(str(self.rhs)) + "%"]


class _ByCharacter(Lookup):
    """Comparison of texts character by character, whatever the database's language; tests rows."""

    operator = ""
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"+{column} {self.operator} %s", [*parameters, str(self.rhs)]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        return f'{column} COLLATE "C" {self.operator} %s', [*parameters, str(self.rhs)]


class NotBefore(_ByCharacter):
    lookup_name = "not_before"
    operator = ">="


class NotAfter(_ByCharacter):
    lookup_name = "not_after"
    operator = "<="


def register_all() -> None:
    """Let fields of text know these lookups; called once, when the application is ready."""
    for lookup in (MatchesPattern, BeginsWith, NotBefore, NotAfter):
        CharField.register_lookup(lookup)
        TextField.register_lookup(lookup)


class RowValue(Func):
    """``(a, b, c)``, which PostgreSQL and SQLite compare column by column, and by an index on the first ones."""

    function = ""
    template = "(%(expressions)s)"
    output_field = BooleanField()
