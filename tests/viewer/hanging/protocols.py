"""The built-in protocols, as their migrations hold them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import viewer.migrations
from viewer.hanging.match import Protocol
from viewer.hanging.rules import rule_of


def migrations() -> list[str]:
    """Names of the migrations that bring built-in protocols, in their order."""
    return sorted(path.stem for path in Path(viewer.migrations.__path__[0]).glob("*_hanging_protocols.py"))


def built_in() -> list[Protocol]:
    rows = [row for name in migrations() for row in import_module(f"viewer.migrations.{name}").PROTOCOLS]
    return [Protocol(name, rule_of(rule), position=position) for position, (name, rule) in enumerate(rows)]
