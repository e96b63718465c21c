"""Windows by name, as data: what a reader finds under the preset keys before the site changes anything.

Width and level in Hounsfield units.
"""

from __future__ import annotations

from typing import NamedTuple

from archive.pixels.description import Window


class Preset(NamedTuple):
    """One named window of one modality."""

    modality: str
    name: str
    width: float
    level: float

    @property
    def window(self) -> Window:
        """The preset as a LINEAR window."""
        return Window(center=self.level, width=self.width, explanation=self.name)


PRESETS: tuple[Preset, ...] = (
    Preset("CT", "Brain", 80, 40),
    Preset("CT", "Stroke", 40, 40),
    Preset("CT", "Subdural", 200, 80),
    Preset("CT", "Lung", 1500, -600),
    Preset("CT", "Mediastinum", 400, 40),
    Preset("CT", "Abdomen", 400, 50),
    Preset("CT", "Liver", 150, 80),
    Preset("CT", "Bone", 2000, 400),
    Preset("CT", "Angio", 600, 200),
)

BY_NAME = {preset.name: preset for preset in PRESETS}

BODY_PART_PRESETS: dict[str, str] = {
    # Body Part Examined (0018,0015), PS3.16 Annex L.
    "ABDOMEN": "Abdomen",
    "ABDOMENPELVIS": "Abdomen",
    "ANKLE": "Bone",
    "AORTA": "Angio",
    "ARM": "Bone",
    "BRAIN": "Brain",
    "CHEST": "Mediastinum",
    "CHESTABDOMEN": "Mediastinum",
    "CHESTABDPELVIS": "Mediastinum",
    "CSPINE": "Bone",
    "ELBOW": "Bone",
    "EXTREMITY": "Bone",
    "FOOT": "Bone",
    "HAND": "Bone",
    "HEAD": "Brain",
    "HEART": "Angio",
    "HIP": "Bone",
    "KIDNEY": "Abdomen",
    "KNEE": "Bone",
    "LEG": "Bone",
    "LIVER": "Liver",
    "LSPINE": "Bone",
    "LUNG": "Lung",
    "NECK": "Mediastinum",
    "PELVIS": "Abdomen",
    "SHOULDER": "Bone",
    "SINUS": "Bone",
    "SKULL": "Brain",
    "SPINE": "Bone",
    "THORAX": "Mediastinum",
    "TSPINE": "Bone",
    "WRIST": "Bone",
}

OTHER_CT_PRESET = "Mediastinum"
"""CT of a body part that is not listed, or not named."""


def ct_window(body_part_examined: str) -> Window:
    """First window of a CT in Hounsfield units whose header has none."""
    name = body_part_examined.strip().upper().replace(" ", "").replace("-", "")
    return BY_NAME[BODY_PART_PRESETS.get(name, OTHER_CT_PRESET)].window


def describe_window(window: Window) -> str:
    """Width and level as readers write them: ``W 400 L 40``."""
    return f"W {window.width:.6g} L {window.center:.6g}"
