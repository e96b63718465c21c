"""The built-in protocols, as their migration holds them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import viewer.migrations
from viewer.hanging.match import Protocol
from viewer.hanging.rules import rule_of


def migration_name() -> str:
    return next(path.stem for path in Path(viewer.migrations.__path__[0]).glob("*_hanging_protocols.py"))


def built_in() -> list[Protocol]:
    rows = import_module(f"viewer.migrations.{migration_name()}").PROTOCOLS
    return [Protocol(name, rule_of(rule), position=position) for position, (name, rule) in enumerate(rows)]
