"""Where an instance came from; travels in the file's own header until it is indexed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Door(StrEnum):
    """By which door an instance came."""

    DIMSE = "dimse"
    """C-STORE from a peer."""
    STOW = "stow"
    """STOW-RS."""
    UPLOAD = "upload"
    """A person's browser."""
    FOLDER = "folder"
    """``manage.py import_folder``."""
    DEMO = "demo"
    """``manage.py make_demo``."""
    DERIVED = "derived"
    """Made by the portal itself from other images."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who brought an instance, and when."""

    door: Door
    calling_ae_title: str = ""
    called_ae_title: str = ""
    address: str = ""
    user_id: int | None = None
    issuer_of_patient_id: str = ""
    """The site's default issuer for this sender."""
    processing: str = ""
    """What a derived series was made by; empty for what came from outside."""
    hold_for_review: bool = False
    """Put aside until a technologist has looked: a clinician's upload."""
    sender: str = ""
    """Who sent it in without an account, as the one who asked for it calls them."""
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def to_json(self) -> bytes:
        """Pack for the private information of group 0002."""
        values = {
            "door": self.door.value,
            "calling": self.calling_ae_title,
            "called": self.called_ae_title,
            "address": self.address,
            "user": self.user_id,
            "issuer": self.issuer_of_patient_id,
            "processing": self.processing,
            "hold": self.hold_for_review,
            "sender": self.sender,
            "at": self.received_at.isoformat(),
        }
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Origin:
        values = json.loads(data)
        return cls(
            door=Door(values["door"]),
            calling_ae_title=values["calling"],
            called_ae_title=values["called"],
            address=values["address"],
            user_id=values["user"],
            issuer_of_patient_id=values["issuer"],
            processing=values["processing"],
            hold_for_review=values["hold"],
            sender=values.get("sender", ""),
            received_at=datetime.fromisoformat(values["at"]),
        )
