"""Columns of the reading worklist: what tells the patient and the state always stands there, the rest is a choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archive.models import User
from viewer.models import Preferences


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``sort`` names a member of ``ordering.COLUMNS``."""

    key: str
    label: str
    sort: str = ""
    is_fixed: bool = False


COLUMNS = (
    Column("priority", "Priority", "priority", is_fixed=True),
    Column("state", "State", is_fixed=True),
    Column("patient", "Patient", "patient", is_fixed=True),
    Column("id", "ID", "id", is_fixed=True),
    Column("born", "Born", "born", is_fixed=True),
    Column("age", "Age, sex"),
    Column("date", "Study", "date", is_fixed=True),
    Column("modality", "Modality", "modality", is_fixed=True),
    Column("description", "Examination", "description", is_fixed=True),
    Column("accession", "Accession", "accession"),
    Column("images", "Images", "images", is_fixed=True),
    Column("waiting", "Waiting", "waiting"),
    Column("referrer", "Referrer", "referrer"),
    Column("location", "Location", "location"),
    Column("station", "Station"),
    Column("reader", "Reader"),
)
OPTIONAL = frozenset(column.key for column in COLUMNS if not column.is_fixed)


def clean_columns(asked: Iterable[str]) -> list[str]:
    """The columns to keep as a choice: the fixed ones, and of the others those that were asked for."""
    wanted = set(asked)
    return [column.key for column in COLUMNS if column.is_fixed or column.key in wanted]


def hidden_columns(user: User) -> list[str]:
    """Columns that a person chose not to see; none until a choice was made."""
    kept = Preferences.objects.filter(user=user).values_list("worklist_columns", flat=True).first()
    return sorted(OPTIONAL - set(kept)) if kept else []
