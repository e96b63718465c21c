"""SOP Class Extended Negotiation of query and retrieve (PS3.4 C.5.1, C.5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.dimse.identifiers import FIND, MODELS

if TYPE_CHECKING:
    from pynetdicom.events import Event


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides agreed on for one SOP class of an association."""

    relational: bool = False
    """Keys of any level may be given, those of upper levels may be missing (byte 1)."""
    combined_date_time: bool = False
    """A date and its time are matched as one (byte 2)."""
    fuzzy: bool = False
    """Fuzzy semantic matching of person names (byte 3)."""

    @classmethod
    def on(cls, proposed: Mapping[str, bytes], sop_class_uid: str) -> Agreed:
        """What is agreed on where a requestor proposes this."""
        if sop_class_uid not in MODELS:
            return cls()
        wanted = [byte == 1 for byte in proposed.get(sop_class_uid, b"")] + [False] * 3
        if MODELS[sop_class_uid][0] != FIND:
            return cls(relational=wanted[0])
        return cls(*wanted[:3])


def answer_extended_negotiation(event: Event) -> dict[str, bytes]:
    """Application information of the SOP classes that we have: as long as proposed, what we lack as 0.

    Timezone query adjustment (byte 4) and conversion of multi-frame images (byte 5) are not offered.
    """
    answers = {}
    proposed = {str(uid): bytes(information or b"") for uid, information in event.app_info.items()}
    for uid, information in proposed.items():
        if uid in MODELS:
            agreed = Agreed.on(proposed, uid)
            ours = bytes([agreed.relational, agreed.combined_date_time, agreed.fuzzy])
            answers[uid] = ours[: len(information)].ljust(len(information), b"\0")
    return answers
