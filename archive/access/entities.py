"""A calling application entity as somebody who asks: what a peer may see follows from its rights."""

from __future__ import annotations

from dataclasses import dataclass


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
