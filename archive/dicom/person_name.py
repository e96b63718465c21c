"""Person names (PS3.5 6.2.1): three component groups, shown as sent, compared without what devices vary."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from archive.dicom.folding import fold


@dataclass(frozen=True, slots=True)
class NameGroup:
    """One component group."""

    family: str = ""
    given: str = ""
    middle: str = ""
    prefix: str = ""
    suffix: str = ""

    def __bool__(self) -> bool:
        return any((self.family, self.given, self.middle, self.prefix, self.suffix))


@dataclass(frozen=True, slots=True)
class PersonName:
    """The three groups: in Latin letters, in ideographs, and as spoken."""

    alphabetic: NameGroup
    ideographic: NameGroup
    phonetic: NameGroup


def parse(value: str) -> PersonName:
    """Split a decoded PN at ``=`` and ``^``; what is missing is empty.

    >>> parse("Yamada^Tarou=山田^太郎").ideographic.family
    '山田'
    """
    groups = [_group(part) for part in value.split("=")[:3]]
    groups += [NameGroup()] * (3 - len(groups))
    return PersonName(*groups)


def _group(part: str) -> NameGroup:
    return NameGroup(*(component.strip() for component in part.split("^")[:5]))


def format_for_people(value: str) -> str:
    """The name as readers see it: family and given name, then the other groups in parentheses; never re-cased.

    >>> format_for_people("DOE^Jane^^Dr")
    'DOE, Jane (Dr)'
    >>> format_for_people("Yamada^Tarou=山田^太郎=やまだ^たろう")
    'Yamada, Tarou · 山田 太郎 · やまだ たろう'
    """
    name = parse(value)
    parts = [_latin(name.alphabetic), _spaced(name.ideographic), _spaced(name.phonetic)]
    return " · ".join(part for part in parts if part)


def _latin(group: NameGroup) -> str:
    given = " ".join(part for part in (group.given, group.middle) if part)
    titles = " ".join(part for part in (group.prefix, group.suffix) if part)
    name = ", ".join(part for part in (group.family, given) if part)
    return f"{name} ({titles})" if titles and name else name or titles


def _spaced(group: NameGroup) -> str:
    return " ".join(part for part in (group.family, group.given, group.middle, group.prefix, group.suffix) if part)


def normalise(value: str) -> str:
    """A name for comparison: by component, without case, padding or trailing carets.

    >>> normalise("DOE^JANE^^^ ") == normalise("Doe^Jane")
    True
    """
    groups = []
    for group in value.split("=")[:3]:
        components = [" ".join(part.split()) for part in unicodedata.normalize("NFKC", group).casefold().split("^")]
        groups.append("^".join(components).rstrip("^"))
    return "=".join(groups).rstrip("=")


def fold_groups(value: str) -> list[str]:
    """Component groups without case, accents, padding or trailing carets; at most three, empty ones kept."""
    return [
        "^".join(" ".join(part.split()) for part in fold(group).split("^")).rstrip("^")
        for group in value.split("=")[:3]
    ]


def search_key(value: str) -> str:
    """A name as it is searched: its groups that say something, each between ``=``; empty where none does.

    >>> search_key("Äneas^Rüdiger^^ ")
    '=aneas^rudiger='
    >>> search_key("Yamada^Tarou=山田^太郎")
    '=yamada^tarou=山田^太郎='
    """
    groups = [group for group in fold_groups(value) if group]
    return f"={'='.join(groups)}=" if groups else ""
