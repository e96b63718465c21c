"""PS3.15 Table E.1-1 as data: what the Basic Profile does to each attribute, and what its options change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("confidentiality_profile.tsv")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    action: str
    """As the table writes it: X, Z, D, U, or several where the IOD decides."""
    options: str
    """Letters of the options that keep or clean the attribute; the table's head explains them."""
    keyword: str

    @property
    def strongest(self) -> str:
        """The one action that is right for every IOD: a dummy or an empty value satisfies any type (E.1.1)."""
        if "U" in self.action:
            return "U"
        if "D" in self.action:
            return "D"
        return "Z" if "Z" in self.action else "X"


@cache
def rules() -> dict[int, Rule]:
    """Tag -> rule; repeating groups 50xx and 60xx and private attributes are not in it: they go whole."""
    found = {}
    for line in TABLE.read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            tag, action, options, keyword = line.split("\t")
            found[int(tag, 16)] = Rule(action, options.strip("-"), keyword.strip("-"))
    return found
