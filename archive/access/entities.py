"""Who asks and is no account: a calling application entity, and the visitor of a shared link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.models import User


@dataclass(frozen=True, slots=True)
class ApplicationEntity:
    """A peer that the gate has let in."""

    ae_title: str
    may_query: bool = False
    may_retrieve: bool = False

    @property
    def may_see_studies(self) -> bool:
        """A peer with either right sees the whole site, as a workstation does; without both it sees nothing."""
        return self.may_query or self.may_retrieve


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who holds a link to one study: never sees more than its maker may show now."""

    study_id: int
    maker: User
