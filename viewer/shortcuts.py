"""The keys that a person has given to commands of the viewer."""

from __future__ import annotations

import re
from typing import Any

from archive.models import User
from viewer.errors import InvalidParameter
from viewer.models import Preferences

SHORTCUTS = "shortcuts"
MOST_COMMANDS = 200
MOST_KEYS = 4
COMMAND = re.compile(r"[a-zA-Z0-9_-]{1,40}")
RESERVED = frozenset({"Escape", "Tab", "Shift+Tab", "F5", "Ctrl+r", "Ctrl+w", "Ctrl+t"})
"""Keys that are always the browser's, or that cancel."""


def shortcuts_of(user: User) -> dict[str, list[str]]:
    """Keys of the commands that the person has changed; an empty list takes a command's keys away."""
    found = Preferences.objects.filter(user=user).values_list("viewer", flat=True).first() or {}
    return dict(found.get(SHORTCUTS) or {})


def keep_shortcuts(user: User, chosen: dict[str, list[str]]) -> None:
    """Keep all of a person's changed keys."""
    row, _ = Preferences.objects.get_or_create(user=user)
    row.viewer = {**row.viewer, SHORTCUTS: chosen}
    row.save(update_fields=["viewer"])


def read_shortcuts(values: Any) -> dict[str, list[str]]:
    """Commands and keys; each key belongs to one command.

    Raises
    ------
    InvalidParameter
        Something else was sent, a key is reserved, or two commands want the same.
    """
    if not isinstance(values, dict) or len(values) > MOST_COMMANDS:
        raise InvalidParameter(SHORTCUTS, "…", f"an object of at most {MOST_COMMANDS} commands")
    taken: set[str] = set()
    for command, keys in values.items():
        is_list = isinstance(keys, list) and len(keys) <= MOST_KEYS
        if not (COMMAND.fullmatch(command) and is_list and all(_is_key(key) for key in keys)):
            raise InvalidParameter(SHORTCUTS, command, f"a command with at most {MOST_KEYS} keys")
        if twice := taken.intersection(keys):
            raise InvalidParameter(SHORTCUTS, min(twice), "each key for one command")
        taken.update(keys)
    return dict(values)


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key) <= 30 and key.isprintable() and key not in RESERVED
