"""What the torso phantom is made of: tissues, findings, and where tubes and bones run.

Positions are in mm (LPS) about a centre in front of the spine; the last number of a node is a radius.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from viewer.demo.canvas import Node, Tissue, turned

AIR = Tissue(-1000, 0.0)
COUCH = Tissue(-60, 0.0)
COUCH_CORE = Tissue(-960, 0.0)
SKIN = Tissue(25, 0.5)
FAT = Tissue(-104, 0.25)
MUSCLE = Tissue(58, 0.65)
VISCERAL_FAT = Tissue(-98, 0.3)
LUNG = Tissue(-850, 0.4)
SOFT = Tissue(40, 0.7)
ARTERY = Tissue(310, 1.6)
VEIN = Tissue(120, 1.6)
PULMONARY = Tissue(270, 1.6)
MYOCARDIUM = Tissue(105, 3.2)
CORTICAL = Tissue(820, 0.8)
SPONGY = Tissue(230, 1.3)
MARROW = Tissue(190, 1.4)
DISC = Tissue(92, 0.6)
CARTILAGE = Tissue(115, 0.4)
CSF = Tissue(12, 0.4)
CORD = Tissue(42, 1.2)
LIVER = Tissue(60, 2.3)
LIVER_VEIN = Tissue(78, 2.0)
PORTAL = Tissue(98, 1.8)
LESION = Tissue(24, 8.5)
LESION_RIM = Tissue(92, 8.0)
CYST = Tissue(5, 0.5)
BILE = Tissue(9, 0.6)
SPLEEN = Tissue(112, 1.9)
KIDNEY_CORTEX = Tissue(195, 4.0)
KIDNEY_MEDULLA = Tissue(95, 5.0)
KIDNEY_SINUS = Tissue(-55, 9.0)
PANCREAS = Tissue(88, 1.3)
BOWEL_WALL = Tissue(72, 1.6)
STOMACH_WALL = Tissue(58, 1.5)
FLUID = Tissue(14, 0.5)
NODULE = Tissue(36, 9.0)
NODE = Tissue(58, 6.5)
THYROID = Tissue(165, 1.6)
METASTASIS = Tissue(420, 7.5)

WITHOUT_CONTRAST_HU: dict[Tissue, float] = {
    ARTERY: 42, VEIN: 42, PULMONARY: 42, MYOCARDIUM: 44, LIVER_VEIN: 46, PORTAL: 46, SPLEEN: 50, KIDNEY_CORTEX: 34,
    KIDNEY_MEDULLA: 30, PANCREAS: 40, BOWEL_WALL: 38, LESION_RIM: 38, THYROID: 95, STOMACH_WALL: 38, LESION: 32,
}  # fmt: skip
"""What the tissues measure in which contrast medium would show."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with the phantom; sizes are radii in mm, 0 where it is absent."""

    nodule_mm: float = 6.5
    liver_lesion_mm: float = 14.0
    lymph_node_mm: float = 0.0
    metastasis_mm: float = 0.0
    contrast: bool = True
    """Contrast medium in the arterial phase; without it blood, organs and bowel walls are alike."""


HEART_AT = (22.0, -26.0, 18.0)
HEART_TURN: NDArray[np.floating] = turned((0.64, -0.52, -0.56))

NODULE_AT = (-82.0, 2.0, 84.0)
LIVER_LESION_AT = (-92.0, 22.0, -62.0)
LYMPH_NODE_AT = (-21.0, 3.0, 99.0)
METASTASIS_AT = (-2.0, 48.0, -65.0)
LIVER_AT = (-95.0, -12.0, -45.0)
"""A place in the liver that is nothing but liver."""
AORTA_AT = (18.0, 25.0, -50.0)
MUSCLE_AT = (-28.0, 92.0, -60.0)

BODY_Z = np.array([-240, -200, -160, -100, -40, 40, 100, 140, 158, 172, 188, 215, 240.0])
BODY_A = np.array([166, 160, 154, 152, 155, 158, 168, 182, 184, 165, 105, 66, 64.0])
BODY_B = np.array([108, 108, 110, 113, 116, 116, 112, 100, 90, 82, 74, 66, 66.0])
CAGE_Z = np.array([-240, -160, -100, -20, 40, 100, 130, 150, 168, 182, 240.0])
CAGE_A = np.array([136, 133, 137, 141, 139, 128, 108, 84, 58, 40, 36.0])
CAGE_B = np.array([86, 86, 86, 88, 88, 80, 68, 56, 44, 36, 34.0])

SPINE_LEVEL_MM = 27.0
"""From one vertebra to the next."""
RIB_SPACING_MM = 24.5


def tube(*nodes: tuple[float, float, float, float]) -> tuple[Node, ...]:
    return tuple(Node(*node) for node in nodes)


AORTA = tube(
    (8, -18, 38, 15), (-4, -28, 56, 16), (-11, -32, 82, 16), (-5, -24, 100, 15), (8, -8, 110, 14), (23, 14, 106, 13.5),
    (30, 28, 92, 13), (30, 36, 65, 12.5), (28, 39, 30, 12), (23, 33, -15, 11.5), (18, 25, -50, 11), (12, 20, -100, 10),
    (6, 19, -160, 9), (4, 19, -240, 8.5),
)  # fmt: skip
CAVA = tube((-24, 17, -240, 11), (-22, 15, -110, 11), (-24, 8, -50, 11.5), (-24, 2, -8, 12), (-22, -8, 10, 12))
UPPER_CAVA = tube((-22, -20, 116, 8), (-25, -18, 80, 9), (-23, -18, 34, 10))
BRACHIOCEPHALIC_VEINS = (
    tube((-22, -22, 116, 8), (6, -36, 124, 6.5), (36, -34, 142, 6), (70, -38, 158, 5.5)),
    tube((-22, -20, 114, 8), (-32, -28, 146, 6.5), (-66, -36, 160, 5.5)),
)
PULMONARY_TRUNK = tube((16, -48, 40, 13.5), (21, -34, 62, 13.5), (16, -14, 74, 12.5))
PULMONARY_ARTERIES = (
    tube((16, -14, 74, 11), (-8, -7, 70, 10.5), (-38, -3, 66, 9), (-50, 2, 58, 6)),
    tube((16, -14, 74, 11), (34, 2, 76, 10), (50, 12, 66, 7)),
)
PULMONARY_VEINS = (
    tube((-8, 12, 42, 7), (-44, 12, 44, 5)), tube((-6, 16, 32, 7), (-42, 20, 24, 5)),
    tube((24, 14, 44, 7), (50, 14, 50, 5)), tube((24, 18, 32, 7), (48, 24, 22, 5)),
)  # fmt: skip
HEAD_ARTERIES = (
    tube((-4, -22, 108, 6.5), (-18, -14, 134, 6), (-26, 0, 170, 4), (-28, 4, 240, 3.5)),
    tube((-18, -14, 134, 5), (-48, -8, 160, 4.5), (-88, -14, 152, 4)),
    tube((6, -8, 116, 4.5), (18, -4, 150, 4), (27, 2, 240, 3.5)),
    tube((20, 8, 112, 5.5), (36, 2, 146, 5), (62, -6, 160, 4.5), (96, -14, 150, 4)),
)
BELLY_ARTERIES = (
    tube((17, 14, -72, 4), (14, -8, -74, 3.5), (-14, -16, -76, 3), (-38, -14, -70, 2.2)),
    tube((14, -8, -74, 3), (48, 6, -70, 2.8), (84, 26, -58, 2.2)),
    tube((15, 12, -86, 4), (13, -8, -100, 3.6), (8, -20, -150, 3), (6, -26, -200, 2.4)),
    tube((13, 22, -106, 3.2), (40, 32, -112, 2.8), (56, 36, -112, 2.4)),
    tube((10, 20, -112, 3.2), (-24, 32, -122, 2.8), (-54, 38, -124, 2.4)),
)
MAMMARY_ARTERIES = (tube((-22, -84, 120, 1.6), (-26, -92, -20, 1.4)), tube((22, -84, 120, 1.6), (26, -92, -20, 1.4)))
TRACHEA = tube((0, -12, 240, 9), (-2, -6, 170, 9), (-3, 2, 120, 8.8), (-2, 9, 86, 9))
BRONCHI = (
    tube((-2, 9, 88, 7.5), (-30, 12, 66, 6.6), (-42, 14, 54, 5), (-60, 22, 30, 3.2), (-72, 30, 8, 2)),
    tube((-36, 13, 62, 4.5), (-58, 8, 84, 3), (-72, 6, 104, 1.8)),
    tube((-2, 9, 88, 7.5), (26, 15, 66, 6.2), (44, 18, 56, 5), (62, 30, 30, 3.2), (72, 38, 6, 2)),
    tube((42, 17, 58, 4.2), (58, 4, 82, 3), (70, -4, 104, 1.8)),
)
ESOPHAGUS = tube(
    (2, 10, 200, 6.5), (4, 17, 130, 6.5), (5, 21, 80, 7), (10, 22, 20, 7.5), (22, 8, -14, 8), (34, -6, -26, 9)
)
VESSELS_OF_THE_CHEST = (
    (PULMONARY_VEINS, ARTERY),
    (PULMONARY_ARTERIES, PULMONARY),
    ((PULMONARY_TRUNK,), PULMONARY),
    ((CAVA,), VEIN),
    ((UPPER_CAVA,), PULMONARY),
    (BRACHIOCEPHALIC_VEINS, PULMONARY),
)
"""In the order in which one covers the other; the cava carries medium from the arm."""
CLAVICLES = tuple(
    tube((side * 22, -68, 126, 8), (side * 66, -66, 142, 5.5), (side * 120, -40, 158, 5.5), (side * 158, -8, 168, 7))
    for side in (-1, 1)
)
PORTAL_VEIN = tube((-4, -4, -98, 7), (-28, -6, -80, 7), (-48, -8, -66, 6), (-78, -4, -62, 4), (-104, 0, -60, 2.4))
PORTAL_LEFT = tube((-44, -9, -66, 5), (-32, -32, -48, 4), (-2, -52, -36, 2.6))
LIVER_VEINS = (
    tube((-26, 4, -8, 6), (-62, -2, -26, 4.5), (-112, 8, -44, 2)),
    tube((-26, 2, -10, 5), (-50, -30, -30, 4), (-66, -58, -56, 1.8)),
    tube((-22, -2, -10, 5), (2, -34, -20, 3.6), (34, -56, -26, 1.8)),
)
SPLENIC_VEIN = tube((-6, -6, -92, 5.5), (24, -8, -84, 5), (56, 12, -72, 4.5), (84, 26, -62, 3.5))
PANCREAS_BODY = tube(
    (-34, -2, -112, 12), (-26, -12, -98, 12), (4, -22, -90, 9), (34, -10, -82, 9), (62, 10, -74, 8.5), (80, 22, -66, 7)
)
DUODENUM = tube(
    (-36, -40, -94, 11),
    (-54, -8, -100, 11),
    (-52, 10, -130, 11),
    (-20, 6, -146, 10),
    (22, -2, -140, 10),
    (36, -18, -126, 10),
)
COLON = tube(
    (-98, 14, -240, 23), (-102, 10, -180, 22), (-98, 2, -146, 20), (-78, -42, -134, 18), (-44, -70, -140, 17),
    (6, -78, -146, 17), (52, -70, -134, 17), (88, -36, -106, 16), (106, 2, -92, 15), (112, 22, -130, 14),
    (108, 30, -180, 14), (98, 30, -240, 14),
)  # fmt: skip
PSOAS = tuple(
    tube((side * 30, 46, -84, 6), (side * 36, 46, -120, 13), (side * 44, 42, -180, 20), (side * 52, 34, -240, 22))
    for side in (-1, 1)
)
CRURA = (
    tube((-12, 38, -8, 5), (-13, 30, -60, 6), (-15, 34, -110, 4)),
    tube((34, 26, -8, 4), (30, 22, -50, 6), (24, 34, -110, 4)),
)


@cache
def small_bowel() -> tuple[tuple[Node, ...], ...]:
    """Loops of small bowel in the front of the lower belly."""
    random = np.random.default_rng(77)
    loops = []
    for _ in range(26):
        at = np.array([random.uniform(-58, 84), random.uniform(-66, -18), random.uniform(-232, -132)])
        heading = random.normal(size=3)
        nodes = [Node(float(at[0]), float(at[1]), float(at[2]), 10.5)]
        for _ in range(7):
            heading = 0.55 * heading + random.normal(size=3) * (1.0, 0.8, 0.7)
            at = at + 15 * heading / np.linalg.norm(heading)
            at = np.clip(at, (-66, -72, -236), (88, -10, -128))
            nodes.append(Node(float(at[0]), float(at[1]), float(at[2]), random.uniform(8.5, 12)))
        loops.append(tuple(nodes))
    return tuple(loops)
