"""A torso from the neck to the hips: what is where, and what it measures in CT and PET.

Positions are in mm (LPS) about a centre in front of the spine; z 0 is the top of the right diaphragm,
less some. ``paint_torso`` paints one axial plane from the skin inwards, each tissue over the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from viewer.demo.canvas import Canvas, Node, Plane, Tissue, smoothstep, turned, union
from viewer.demo.lung_vessels import lung_vessels

AIR = Tissue(-1000, 0.0)
COUCH = Tissue(-60, 0.0)
COUCH_CORE = Tissue(-960, 0.0)
SKIN = Tissue(25, 0.5)
FAT = Tissue(-104, 0.25)
MUSCLE = Tissue(58, 0.65)
VISCERAL_FAT = Tissue(-98, 0.3)
LUNG = Tissue(-850, 0.4)
SOFT = Tissue(40, 0.7)
BLOOD = Tissue(45, 1.6)
VESSEL = Tissue(110, 1.5)
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


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with the phantom; sizes are radii in mm, 0 where it is absent."""

    nodule_mm: float = 6.5
    liver_lesion_mm: float = 14.0
    lymph_node_mm: float = 0.0
    metastasis_mm: float = 0.0
    contrast: bool = True
    """Contrast medium in the arterial phase; without it blood, organs and bowel walls are alike."""


NODULE_AT = (-82.0, 2.0, 84.0)
LIVER_LESION_AT = (-92.0, 22.0, -62.0)
LYMPH_NODE_AT = (-21.0, 3.0, 99.0)
METASTASIS_AT = (-2.0, 48.0, -65.0)
LIVER_AT = (-100.0, -25.0, -45.0)
"""A place in the liver that is nothing but liver."""
AORTA_AT = (18.0, 25.0, -50.0)
MUSCLE_AT = (-28.0, 92.0, -60.0)

_BODY_Z = np.array([-240, -200, -160, -100, -40, 40, 100, 140, 158, 172, 188, 215, 240.0])
_BODY_A = np.array([166, 160, 154, 152, 155, 158, 168, 182, 184, 165, 105, 66, 64.0])
_BODY_B = np.array([108, 108, 110, 113, 116, 116, 112, 100, 90, 82, 74, 66, 66.0])
_CAGE_Z = np.array([-240, -160, -100, -20, 40, 100, 130, 150, 168, 182, 240.0])
_CAGE_A = np.array([136, 133, 137, 141, 139, 128, 108, 84, 58, 40, 36.0])
_CAGE_B = np.array([86, 86, 86, 88, 88, 80, 68, 56, 44, 36, 34.0])

SPINE_LEVEL_MM = 27.0
"""From one vertebra to the next."""
RIB_SPACING_MM = 24.5


def _tube(*nodes: tuple[float, float, float, float]) -> tuple[Node, ...]:
    return tuple(Node(*node) for node in nodes)


AORTA = _tube(
    (8, -18, 38, 15), (-4, -28, 56, 16), (-11, -32, 82, 16), (-5, -24, 100, 15), (8, -8, 110, 14), (23, 14, 106, 13.5),
    (30, 28, 92, 13), (30, 36, 65, 12.5), (28, 39, 30, 12), (23, 33, -15, 11.5), (18, 25, -50, 11), (12, 20, -100, 10),
    (6, 19, -160, 9), (4, 19, -240, 8.5),
)  # fmt: skip
CAVA = _tube((-24, 17, -240, 11), (-22, 15, -110, 11), (-24, 8, -50, 11.5), (-24, 2, -8, 12), (-22, -8, 10, 12))
UPPER_CAVA = _tube((-22, -20, 116, 8), (-25, -18, 80, 9), (-23, -18, 34, 10))
BRACHIOCEPHALIC_VEINS = (
    _tube((-22, -22, 116, 8), (6, -36, 124, 6.5), (36, -34, 142, 6), (70, -38, 158, 5.5)),
    _tube((-22, -20, 114, 8), (-32, -28, 146, 6.5), (-66, -36, 160, 5.5)),
)
PULMONARY_TRUNK = _tube((16, -48, 40, 13.5), (21, -34, 62, 13.5), (16, -14, 74, 12.5))
PULMONARY_ARTERIES = (
    _tube((16, -14, 74, 11), (-8, -7, 70, 10.5), (-38, -3, 66, 9), (-50, 2, 58, 6)),
    _tube((16, -14, 74, 11), (34, 2, 76, 10), (50, 12, 66, 7)),
)
PULMONARY_VEINS = (
    _tube((-8, 12, 42, 7), (-44, 12, 44, 5)), _tube((-6, 16, 32, 7), (-42, 20, 24, 5)),
    _tube((24, 14, 44, 7), (50, 14, 50, 5)), _tube((24, 18, 32, 7), (48, 24, 22, 5)),
)  # fmt: skip
HEAD_ARTERIES = (
    _tube((-4, -22, 108, 6.5), (-18, -14, 134, 6), (-26, 0, 170, 4), (-28, 4, 240, 3.5)),
    _tube((-18, -14, 134, 5), (-48, -8, 160, 4.5), (-88, -14, 152, 4)),
    _tube((6, -8, 116, 4.5), (18, -4, 150, 4), (27, 2, 240, 3.5)),
    _tube((20, 8, 112, 5.5), (36, 2, 146, 5), (62, -6, 160, 4.5), (96, -14, 150, 4)),
)
BELLY_ARTERIES = (
    _tube((17, 14, -72, 4), (14, -8, -74, 3.5), (-14, -16, -76, 3), (-38, -14, -70, 2.2)),
    _tube((14, -8, -74, 3), (48, 6, -70, 2.8), (84, 26, -58, 2.2)),
    _tube((15, 12, -86, 4), (13, -8, -100, 3.6), (8, -20, -150, 3), (6, -26, -200, 2.4)),
    _tube((13, 22, -106, 3.2), (40, 32, -112, 2.8), (56, 36, -112, 2.4)),
    _tube((10, 20, -112, 3.2), (-24, 32, -122, 2.8), (-54, 38, -124, 2.4)),
)
MAMMARY_ARTERIES = (_tube((-22, -84, 120, 1.6), (-26, -92, -20, 1.4)), _tube((22, -84, 120, 1.6), (26, -92, -20, 1.4)))
TRACHEA = _tube((0, -12, 240, 9), (-2, -6, 170, 9), (-3, 2, 120, 8.8), (-2, 9, 86, 9))
BRONCHI = (
    _tube((-2, 9, 88, 7.5), (-30, 12, 66, 6.6), (-42, 14, 54, 5), (-60, 22, 30, 3.2), (-72, 30, 8, 2)),
    _tube((-36, 13, 62, 4.5), (-58, 8, 84, 3), (-72, 6, 104, 1.8)),
    _tube((-2, 9, 88, 7.5), (26, 15, 66, 6.2), (44, 18, 56, 5), (62, 30, 30, 3.2), (72, 38, 6, 2)),
    _tube((42, 17, 58, 4.2), (58, 4, 82, 3), (70, -4, 104, 1.8)),
)
ESOPHAGUS = _tube((2, 10, 200, 6.5), (4, 17, 130, 6.5), (5, 21, 80, 7), (10, 22, 20, 7.5), (22, 8, -14, 8), (34, -6, -26, 9))
CLAVICLES = tuple(
    _tube((side * 22, -68, 126, 8), (side * 66, -66, 142, 5.5), (side * 120, -40, 158, 5.5), (side * 158, -8, 168, 7))
    for side in (-1, 1)
)
PORTAL_VEIN = _tube((-4, -4, -98, 7), (-28, -6, -80, 7), (-48, -8, -66, 6), (-78, -4, -62, 4), (-104, 0, -60, 2.4))
PORTAL_LEFT = _tube((-44, -9, -66, 5), (-32, -32, -48, 4), (-2, -52, -36, 2.6))
LIVER_VEINS = (
    _tube((-26, 4, -8, 6), (-62, -2, -26, 4.5), (-112, 8, -44, 2)),
    _tube((-26, 2, -10, 5), (-50, -30, -30, 4), (-66, -58, -56, 1.8)),
    _tube((-22, -2, -10, 5), (2, -34, -20, 3.6), (34, -56, -26, 1.8)),
)
SPLENIC_VEIN = _tube((-6, -6, -92, 5.5), (24, -8, -84, 5), (56, 12, -72, 4.5), (84, 26, -62, 3.5))
PANCREAS_BODY = _tube((-34, -2, -112, 12), (-26, -12, -98, 12), (4, -22, -90, 9), (34, -10, -82, 9), (62, 10, -74, 8.5), (80, 22, -66, 7))
DUODENUM = _tube((-36, -40, -94, 11), (-54, -8, -100, 11), (-52, 10, -130, 11), (-20, 6, -146, 10), (22, -2, -140, 10), (36, -18, -126, 10))
COLON = _tube(
    (-98, 14, -240, 23), (-102, 10, -180, 22), (-98, 2, -146, 20), (-78, -42, -134, 18), (-44, -70, -140, 17),
    (6, -78, -146, 17), (52, -70, -134, 17), (88, -36, -106, 16), (106, 2, -92, 15), (112, 22, -130, 14), (108, 30, -180, 14),
    (98, 30, -240, 14),
)  # fmt: skip
PSOAS = tuple(_tube((side * 30, 46, -84, 6), (side * 36, 46, -120, 13), (side * 44, 42, -180, 20), (side * 52, 34, -240, 22)) for side in (-1, 1))
CRURA = (_tube((-12, 38, -8, 5), (-13, 30, -60, 6), (-15, 34, -110, 4)), _tube((34, 26, -8, 4), (30, 22, -50, 6), (24, 34, -110, 4)))


@cache
def small_bowel() -> tuple[tuple[Node, ...], ...]:
    """Loops of small bowel in the front of the lower belly."""
    random = np.random.default_rng(77)
    loops = []
    for _ in range(26):
        at = np.array([random.uniform(-58, 84), random.uniform(-66, -18), random.uniform(-232, -132)])
        heading = random.normal(size=3)
        nodes = [Node(*at, 10.5)]
        for _ in range(7):
            heading = 0.55 * heading + random.normal(size=3) * (1.0, 0.8, 0.7)
            at = at + 15 * heading / np.linalg.norm(heading)
            at = np.clip(at, (-66, -72, -236), (88, -10, -128))
            nodes.append(Node(*at, random.uniform(8.5, 12)))
        loops.append(tuple(nodes))
    return tuple(loops)


def contour_distance(x: Plane, y: Plane, half_x: float, half_y: float, power: float) -> Plane:
    """Distance along the ray to a superellipse about the origin, negative inside."""
    level = (np.abs(x / half_x) ** power + np.abs(y / half_y) ** power) ** (1 / power) + np.float32(1e-4)
    return np.asarray(np.sqrt(x * x + y * y) * (1 - 1 / level), dtype=np.float32)


def spine_y(z: float) -> float:
    """Where the middle of the vertebral bodies lies: a kyphosis above, a lordosis below."""
    return float(np.interp(z, [-240, -140, -60, 40, 110, 170, 240], [46, 46, 53, 58, 54, 40, 30]))


def diaphragm_height(x: Plane, y: Plane) -> Plane:
    """Height of the domes over the plane, mm."""
    right = 14 - 46 * (((x + 74) / 62) ** 2 + ((y + 8) / 84) ** 2) ** 1.25
    left = 2 - 46 * (((x - 78) / 60) ** 2 + ((y + 4) / 84) ** 2) ** 1.25
    middle = np.float32(-14) - 30 * ((y / 80) ** 2)
    return -union([-right.astype(np.float32), -left.astype(np.float32), -np.broadcast_to(middle, right.shape)], 5.0)


def mediastinum_half_width(y: Plane, z: float) -> Plane:
    """How far the mediastinum reaches to either side: wide at the great vessels, a seam in front."""
    widest = float(np.interp(z, [-20, 30, 70, 110, 150, 175], [22, 24, 36, 35, 33, 26]))
    front = float(np.interp(z, [-20, 60, 120, 170], [10, 7, 16, 30]))
    width = front + (widest - front) * smoothstep(y, -78, -34) - 9 * smoothstep(y, 18, 46)
    return np.asarray(width, dtype=np.float32)


class Torso:
    """One plane of the torso; the methods run in the order of their names in ``paint_torso``."""

    def __init__(self, canvas: Canvas, findings: Findings) -> None:
        self.canvas = canvas
        self.findings = findings
        self.z = canvas.z
        z = self.z
        self.body = contour_distance(
            canvas.x, canvas.y - 4, *(float(np.interp(z, _BODY_Z, half)) for half in (_BODY_A, _BODY_B)), 2.35
        )
        self.cage = contour_distance(
            canvas.x, canvas.y + 4, *(float(np.interp(z, _CAGE_Z, half)) for half in (_CAGE_A, _CAGE_B)), 2.25
        )
        self.dome = diaphragm_height(canvas.x, canvas.y) - np.float32(z)
        """How far below the diaphragm each pixel lies, mm."""
        self.grain = canvas.texture(21, 2.2)
        self.lobules = canvas.texture(22, 5.0)
        self.inner = canvas.cover(self.cage + 9)
        self.lungs = np.zeros_like(self.body)

    def tint(self, tissue: Tissue) -> Tissue:
        """The tissue's value without contrast medium where none was given."""
        if self.findings.contrast:
            return tissue
        plain = {ARTERY: 42, VEIN: 42, PULMONARY: 42, MYOCARDIUM: 44, LIVER_VEIN: 46, PORTAL: 46, SPLEEN: 50,
                 KIDNEY_CORTEX: 34, KIDNEY_MEDULLA: 30, PANCREAS: 40, BOWEL_WALL: 38, LESION_RIM: 38, THYROID: 95,
                 VESSEL: 45, STOMACH_WALL: 38, LESION: 32}  # fmt: skip
        return tissue._replace(hu=plain.get(tissue, tissue.hu))

    def couch(self) -> None:
        """The table: a thin curved shell under the body, which does not move with it."""
        canvas = self.canvas
        x = (canvas.x0 + canvas.dx * np.arange(canvas.columns, dtype=np.float32))[None, :]
        y = (canvas.y0 + canvas.dy * np.arange(canvas.rows, dtype=np.float32))[:, None]
        top = np.float32(128) - np.float32(0.00085) * x * x
        depth = y - top
        inside = np.maximum(np.maximum(-depth, depth - 34), np.abs(x) - 196)
        canvas.paint(canvas.whole, canvas.cover(inside), COUCH)
        canvas.paint(canvas.whole, canvas.cover(inside + 2.2), COUCH_CORE)

    def wall(self) -> None:
        """Skin, fat under it, the muscles of the wall with fat between them."""
        canvas = self.canvas
        across = np.abs(canvas.x) / (np.abs(canvas.x) + np.abs(canvas.y) + 1)
        belly = float(np.interp(self.z, [-200, -60, 40, 150, 200], [24, 16, 14, 13, 6]))
        fat = np.asarray(belly * (0.75 + 0.5 * across) + 4 * smoothstep(canvas.y, 40, 110), dtype=np.float32)
        canvas.paint(canvas.whole, canvas.cover(self.body), SKIN)
        canvas.paint(canvas.whole, canvas.cover(self.body + 1.8), FAT, hu=FAT.hu + 5 * self.grain)
        planes = np.sin(0.55 * (self.body + 2.5 * self.lobules)) + 0.35 * self.lobules
        between = smoothstep(planes, 0.8, 1.35) * smoothstep(self.cage, 3, 9)
        muscle = MUSCLE.hu + 4 * self.grain - 130 * between
        canvas.paint(canvas.whole, canvas.cover(self.body + fat), MUSCLE, hu=np.asarray(muscle, dtype=np.float32))
        for side in (-1, 1):
            canvas.ellipsoid((side * 126, 6, 128), (15, 26, 30), FAT)

    def cavity(self) -> None:
        """Fat of the belly and of the mediastinum, which the organs lie in."""
        hu = VISCERAL_FAT.hu + 6 * self.grain
        self.canvas.paint(self.canvas.whole, self.inner, VISCERAL_FAT, hu=hu)
        if self.z < 30:
            shell = self.inner * (1 - self.canvas.cover(-(self.dome - 3.5))) * self.canvas.cover(-self.dome)
            self.canvas.paint(self.canvas.whole, shell, MUSCLE)

    def lung(self) -> None:
        """Both lungs: inside the cage, above the diaphragm, beside the mediastinum and the heart."""
        canvas, z = self.canvas, self.z
        if z < -62 or z > 176:
            return
        apex = np.float32((z - 166) * 0.6) if z > 140 else np.float32(-50)
        beside = mediastinum_half_width(canvas.y, z) - np.abs(canvas.x)
        spine = 29 - np.sqrt(canvas.x**2 + (canvas.y - np.float32(spine_y(z) + 6)) ** 2)
        parts = [self.cage + 9, self.dome * np.float32(0.72), beside, spine, self._heart_distance()]
        distance = np.maximum.reduce([*parts, np.full_like(self.cage, apex)])
        self.lungs = canvas.cover(distance)
        dependent = 45 * smoothstep(canvas.y, -60, 90)
        hu = LUNG.hu + dependent + 14 * self.grain + 9 * self.lobules
        fissure = self._fissures()
        hu = hu + 60 * fissure
        canvas.paint(canvas.whole, self.lungs, LUNG, hu=np.asarray(hu, dtype=np.float32))

    def _fissures(self) -> Plane:
        """The oblique and horizontal fissures, as the faint lines that they are."""
        canvas = self.canvas
        oblique = canvas.y - np.float32(-60 + (self.z + 40) * 0.62) + 0.0016 * (np.abs(canvas.x) - 55) ** 2
        lines = np.exp(-((oblique / 1.0) ** 2))
        if abs(self.z - 58) < 3:
            lines = lines + 0.3 * np.exp(-((self.z - 58) ** 2)) * (canvas.x < -40) * (canvas.y < 10)
        return np.asarray(lines, dtype=np.float32)

    def _heart_distance(self) -> Plane:
        if not -75 < self.z < 100:
            return np.full_like(self.cage, -60)
        return -self.canvas.ellipsoid_distance(self.canvas.whole, HEART_AT, (67, 53, 53), HEART_TURN)

    def airways(self) -> None:
        """Trachea and bronchi with their walls, a node beside them, the vessels of the lungs."""
        canvas = self.canvas
        if self.findings.lymph_node_mm > 0:
            canvas.ellipsoid(LYMPH_NODE_AT, (self.findings.lymph_node_mm,) * 3, NODE)
        for tube in (TRACHEA, *BRONCHI):
            canvas.tube(tube, SOFT, grow_mm=1.6)
        for tube in (TRACHEA, *BRONCHI):
            canvas.tube(tube, AIR, grow_mm=-0.4)
        vessel = self.tint(PULMONARY)._replace(suv=1.2)
        for start, end in lung_vessels(self.z):
            canvas.tube((start, end), vessel, within=self.lungs)

    def nodule(self) -> None:
        """A spiculated nodule in the right upper lobe."""
        radius, canvas = self.findings.nodule_mm, self.canvas
        if radius <= 0 or abs(self.z - NODULE_AT[2]) > radius * 2.2:
            return
        region = canvas.box(NODULE_AT[:2], radius * 2.2, radius * 2.2)
        if region is None:
            return
        x, y = canvas.x[region] - np.float32(NODULE_AT[0]), canvas.y[region] - np.float32(NODULE_AT[1])
        angle = np.arctan2(y, x)
        z = self.z - NODULE_AT[2]
        reach = np.sqrt(x * x + y * y + np.float32(z * z))
        spikes = np.maximum(np.cos(5 * angle + 2.6 * np.sin(2 * angle + 0.7) + 0.5 * z), 0) ** 6
        distance = np.asarray(reach - radius * (0.95 + 0.1 * np.sin(3 * angle + z) + 0.45 * spikes), dtype=np.float32)
        canvas.paint(region, canvas.cover(distance) * self.lungs[region], NODULE)

    def heart(self) -> None:
        """Pericardial fat, muscle, chambers, the great vessels."""
        canvas, tint = self.canvas, self.tint
        canvas.ellipsoid(HEART_AT, (66, 52, 52), VISCERAL_FAT, turn=HEART_TURN, within=self.inner)
        canvas.ellipsoid(HEART_AT, (60, 46, 47), tint(MYOCARDIUM), turn=HEART_TURN, within=self.inner)
        canvas.ellipsoid((17, -56, 12), (36, 15, 24), tint(PULMONARY), turn=turned((0.75, -0.45, -0.45)))
        canvas.ellipsoid((44, -20, 6), (40, 20, 20), tint(ARTERY), turn=HEART_TURN)
        canvas.ellipsoid((46, -12, 2), (4, 3, 12), tint(MYOCARDIUM))
        canvas.ellipsoid((8, 12, 38), (30, 16, 20), tint(ARTERY))
        canvas.ellipsoid((-27, -20, 20), (17, 24, 27), tint(PULMONARY))
        for tubes, tissue in (
            ((ESOPHAGUS,), MUSCLE), (PULMONARY_VEINS, ARTERY), (PULMONARY_ARTERIES, PULMONARY), ((PULMONARY_TRUNK,), PULMONARY),
            ((CAVA,), VEIN), ((UPPER_CAVA,), PULMONARY), (BRACHIOCEPHALIC_VEINS, PULMONARY),
        ):  # fmt: skip
            for tube in tubes:
                canvas.tube(tube, tint(tissue))
        for tube in (AORTA, *HEAD_ARTERIES):
            canvas.tube(tube, SOFT, grow_mm=1.0)
        for tube in (AORTA, *HEAD_ARTERIES, *MAMMARY_ARTERIES):
            canvas.tube(tube, tint(ARTERY), grow_mm=-0.4)
        for side in (-1, 1):
            canvas.ellipsoid((side * 19, -8, 196), (9, 11, 24), tint(THYROID))

    def liver(self) -> None:
        """Three rounded lobes under the right dome, vessels, a lesion with a rim, a cyst."""
        canvas, z = self.canvas, self.z
        if not -165 < z < 22:
            return
        lobes = (((-70, -4, -44), (70, 80, 72)), ((6, -48, -24), (66, 31, 34)), ((-92, 8, -100), (36, 50, 52)))
        distance = union([canvas.ellipsoid_distance(canvas.whole, center, axes) for center, axes in lobes], 7.0)
        inside = self.inner * canvas.cover(self.cage + 12) * canvas.cover(4.5 - self.dome)
        share = canvas.cover(distance) * inside
        hu = LIVER.hu + 2.5 * self.lobules
        canvas.paint(canvas.whole, share, LIVER, hu=hu)
        for tube in LIVER_VEINS:
            canvas.tube(tube, self.tint(LIVER_VEIN), within=share)
        for tube in (PORTAL_VEIN, PORTAL_LEFT):
            canvas.tube(tube, self.tint(PORTAL))
        radius = self.findings.liver_lesion_mm
        if radius > 0:
            canvas.ellipsoid(
                LIVER_LESION_AT, (radius, radius * 0.9, radius), self.tint(LESION), wall=(3.0, self.tint(LESION_RIM)), within=share
            )
        canvas.ellipsoid((-46, -46, -52), (7, 8, 7), CYST, within=share)
        canvas.ellipsoid((-40, -54, -96), (14, 18, 26), BILE, wall=(1.5, SOFT))

    def upper_belly(self) -> None:
        """Spleen, stomach with its fluid level, pancreas, kidneys, adrenals."""
        canvas, tint = self.canvas, self.tint
        below = self.inner * canvas.cover(self.cage + 11) * canvas.cover(4.5 - self.dome)
        canvas.tube(SPLENIC_VEIN, tint(PORTAL))
        for side, center in ((1, (68, 40, -112)), (-1, (-66, 41, -126))):
            self._kidney(side, center)
        turn = turned((0.45, 0.85, 0.2))
        canvas.ellipsoid((98, 36, -42), (50, 28, 52), tint(SPLEEN), turn=turn, within=below)
        self._stomach(below)
        for start, end in zip(PANCREAS_BODY, PANCREAS_BODY[1:], strict=False):
            canvas.tube((start, end), tint(PANCREAS), hu=tint(PANCREAS).hu - 45 * smoothstep(self.grain, 0.6, 1.6))
        for x, y, z in ((40, 30, -66), (-36, 34, -70)):
            canvas.ellipsoid((x, y, z), (3, 12, 12), SOFT)
            canvas.ellipsoid((x + 5 * np.sign(x), y + 3, z), (10, 2.6, 10), SOFT)
        for tube in BELLY_ARTERIES:
            canvas.tube(tube, tint(ARTERY))

    def _stomach(self, below: Plane) -> None:
        canvas, tint = self.canvas, self.tint
        body = ((60, -28, -36), (40, 46, 44))
        antrum = _tube((44, -50, -70, 22), (14, -62, -92, 18), (-20, -54, -96, 13))
        canvas.ellipsoid(*body, tint(STOMACH_WALL), within=below)
        canvas.tube(antrum, tint(STOMACH_WALL), within=below)
        level = smoothstep(-canvas.y, 43, 45)
        hu = np.asarray(FLUID.hu - (FLUID.hu + 960) * level + 6 * self.grain * (1 - level), dtype=np.float32)
        center, axes = body
        if abs(self.z - center[2]) < axes[2]:
            distance = canvas.ellipsoid_distance(canvas.whole, center, axes) + 5 + 2.5 * self.lobules
            canvas.paint(canvas.whole, canvas.cover(distance) * below, FLUID, hu=hu)
        canvas.tube(antrum, FLUID, grow_mm=-5, within=below, hu=hu)

    def _kidney(self, side: int, center: tuple[float, float, float]) -> None:
        canvas, tint = self.canvas, self.tint
        if abs(self.z - center[2]) > 62:
            return
        turn = turned((side * 0.80, 0.58, 0.05), up=(side * 0.16, 0.1, 1.0))
        region = canvas.box(center[:2], 60, 60)
        if region is None:
            return
        distance = canvas.ellipsoid_distance(region, center, (27, 22, 54), turn)
        hilum = (center[0] - side * 19, center[1] - 13, center[2])
        sinus = canvas.ellipsoid_distance(region, hilum, (18, 10, 26), turn)
        distance = np.maximum(distance, -(sinus + 5))
        x, y = canvas.x[region] - np.float32(hilum[0]), canvas.y[region] - np.float32(hilum[1])
        fan = 0.5 + 0.5 * np.cos(7 * np.arctan2(y, x) + (self.z - center[2]) * 0.22)
        pyramid = smoothstep(-distance, 5.5, 7.5) * smoothstep(fan, 0.25, 0.6)
        cortex, medulla = tint(KIDNEY_CORTEX), tint(KIDNEY_MEDULLA)
        hu = np.asarray(cortex.hu + (medulla.hu - cortex.hu) * pyramid, dtype=np.float32)
        share = canvas.cover(distance) * self.inner[region]
        canvas.paint(region, share, cortex, hu=hu)
        canvas.paint(region, canvas.cover(sinus + 3) * canvas.cover(distance + 4) * self.inner[region], KIDNEY_SINUS)

    def bowel(self) -> None:
        """Duodenum, loops of small bowel, colon with gas and stool."""
        canvas, tint = self.canvas, self.tint
        if self.z > -62:
            return
        canvas.tube(DUODENUM, tint(BOWEL_WALL))
        canvas.tube(DUODENUM, FLUID, grow_mm=-3)
        for loop in small_bowel():
            canvas.tube(loop, tint(BOWEL_WALL))
        for loop in small_bowel():
            canvas.tube(loop, FLUID._replace(hu=24), grow_mm=-2.4)
        canvas.tube(COLON, tint(BOWEL_WALL), within=self.inner, grow_mm=1.5)
        gas = smoothstep(canvas.texture(31, 9.0) - canvas.y / 55, 0.25, 0.75)
        stool = 20 + 34 * canvas.texture(32, 2.6) - 260 * smoothstep(canvas.texture(33, 1.8), 0.7, 1.6)
        hu = np.asarray(stool + (-950 - stool) * gas, dtype=np.float32)
        canvas.tube(COLON, FLUID, within=self.inner, grow_mm=-1.5, hu=hu)

    def back(self) -> None:
        """Muscles beside and before the spine."""
        canvas = self.canvas
        deep = float(np.interp(self.z, [-240, -100, 100, 180], [94, 94, 90, 74]))
        for side in (-1, 1):
            canvas.ellipsoid((side * 29, deep, self.z), (32, 16, 20), FAT)
            canvas.ellipsoid((side * 29, deep, self.z), (30, 14, 20), MUSCLE)
        for tube in (*PSOAS, *CRURA):
            canvas.tube(tube, MUSCLE)

    def ribs(self) -> None:
        """Twelve pairs, each falling from the spine to the front, where cartilage takes over."""
        canvas, z = self.canvas, self.z
        depth = self.cage + 3.5
        region = np.nonzero(np.abs(depth) < 8)
        if not len(region[0]):
            return
        depth, x, y = depth[region], canvas.x[region], canvas.y[region] + 4
        around = np.abs(np.arctan2(x, y))
        hu, suv = canvas.hu[region], canvas.suv[region]
        for number in range(1, 13):
            drop = float(np.interp(number, [1, 2, 4, 9, 12], [44, 62, 84, 104, 96]))
            top = 160 - RIB_SPACING_MM * (number - 1)
            end = {11: 1.75, 12: 1.2}.get(number, 3.1 if number <= 7 else 2.85)
            if not top - drop - 10 < z < top + 10:
                continue
            height = top - drop * (1 - np.cos(around)) / 2
            level = np.sqrt((depth / 4.3) ** 2 + ((z - height) / 6.6) ** 2) + 1e-3
            distance = (level - 1) * 4.3
            share = np.clip(0.5 - distance / canvas.edge, 0, 1) * (around < end) * (around > 0.16)
            bony = smoothstep(2.42 - around, -0.02, 0.02)
            core = smoothstep(-distance, 0.9, 1.9)
            bone = CORTICAL.hu + (SPONGY.hu - CORTICAL.hu) * core
            value = CARTILAGE.hu + (bone - CARTILAGE.hu) * bony
            hu = hu * (1 - share) + share * value
            suv = suv * (1 - share) + share * MARROW.suv * bony
        canvas.hu[region], canvas.suv[region] = hu, suv

    def spine(self) -> None:
        """Vertebra or disc, the canal with the cord, the arch and its processes."""
        canvas, z = self.canvas, self.z
        middle = spine_y(z)
        size = float(np.interp(z, [-240, -100, 60, 170, 240], [1.28, 1.14, 0.98, 0.8, 0.72]))
        region = canvas.box((0, middle + 22), 58, 62)
        if region is None:
            return
        x, y = canvas.x[region], canvas.y[region] - np.float32(middle)
        phase = (z / SPINE_LEVEL_MM) % 1.0 - 0.5
        """-0.5 to 0.5 from the lower to the upper end of a level; a disc at either end."""
        waist = 1 - 0.10 * np.cos(np.pi * phase)
        body = np.maximum(
            contour_distance(x, y, 19.5 * size * waist, 15.5 * size * waist, 2.2), -(np.sqrt(x * x + (y - 27 * size) ** 2) - 13.5 * size)
        )
        end = float(smoothstep(np.asarray([abs(phase)]), 0.36, 0.42)[0])
        plate = float(np.exp(-(((abs(phase) - 0.385) / 0.03) ** 2)))
        core = smoothstep(-body, 1.0, 2.4)
        spongy = SPONGY.hu + 38 * canvas.texture(41, 1.6)[region]
        bone = CORTICAL.hu * 0.8 + (spongy - CORTICAL.hu * 0.8) * core + plate * 420
        hu = np.asarray(bone * (1 - end) + DISC.hu * end, dtype=np.float32)
        canvas.paint(region, canvas.cover(body), Tissue(0, MARROW.suv * (1 - end) + DISC.suv * end), hu=hu)
        self._arch(size, middle, phase, region)
        if self.findings.metastasis_mm > 0:
            canvas.ellipsoid(METASTASIS_AT, (self.findings.metastasis_mm,) * 3, METASTASIS)

    def _arch(self, size: float, middle: float, phase: float, region: tuple[slice, slice]) -> None:
        canvas, z = self.canvas, self.z
        x, y = canvas.x[region], canvas.y[region] - np.float32(middle)
        canal = contour_distance(x, y - 25 * size, 11.5 * size, 9.5 * size, 2.0)
        lamina = np.maximum(np.abs(canal - 2.4) - 2.6, np.float32(60 * (abs(phase + 0.08) - 0.36)))
        fat = canvas.cover(canal)
        canvas.paint(region, fat, VISCERAL_FAT)
        share = canvas.cover(lamina) * (1 - fat)
        bone = np.full_like(x, 560) + 60 * canvas.texture(41, 1.6)[region]
        canvas.paint(region, share, CORTICAL, hu=bone)
        level = z - phase * SPINE_LEVEL_MM
        tip = middle + 25 * size
        for side in (-1, 1):
            across = _tube((side * 11 * size, tip - 2, level + 2, 5), (side * 33 * size, tip + 9, level, 4))
            canvas.tube(across, Tissue(480, 1.2))
            canvas.tube(across, SPONGY, grow_mm=-1.8)
        spine = _tube((0, tip + 12 * size, level - 1, 4), (0, tip + 31 * size, level - 12, 4.5))
        canvas.tube(spine, Tissue(560, 1.2))
        canvas.tube(spine, SPONGY, grow_mm=-1.8)
        canvas.paint(region, canvas.cover(contour_distance(x, y - 25 * size, 9 * size, 7.5 * size, 2.0)), CSF)
        thick = float(np.interp(z, [-100, -60, 240], [0.0, 5.0, 6.5]))
        if thick:
            canvas.paint(region, canvas.cover(contour_distance(x, y - 25 * size, thick * 1.15, thick, 2.0)), CORD)

    def girdle(self) -> None:
        """Sternum, collar bones, shoulder blades, heads of the humeri."""
        canvas, z = self.canvas, self.z
        front = -4 - float(np.interp(z, _CAGE_Z, _CAGE_B))
        if -30 < z < 128:
            half = float(np.interp(z, [-30, -10, 20, 90, 112, 128], [3, 9, 18, 16, 30, 26]))
            region = canvas.box((0, front), half + 4, 8)
            if region is not None:
                distance = contour_distance(canvas.x[region], canvas.y[region] - np.float32(front + 2), half, 6.0, 2.6)
                hu = 520 + (170 - 520) * smoothstep(-distance, 0.8, 2.0)
                canvas.paint(region, canvas.cover(distance), MARROW, hu=np.asarray(hu, dtype=np.float32))
        for bone in CLAVICLES:
            canvas.tube(bone, CORTICAL)
            canvas.tube(bone, SPONGY, grow_mm=-2.2)
        for side in (-1, 1):
            blade = turned((side * 0.86, -0.50, 0.1), up=(side * -0.12, 0.1, 1.0))
            canvas.ellipsoid((side * 112, 74, 96), (38, 4.2, 66), Tissue(620, 1.0), turn=blade)
            canvas.ellipsoid((side * 112, 74, 96), (34, 2.0, 60), SPONGY, turn=blade)
            canvas.tube(_tube((side * 92, 84, 140, 4), (side * 128, 76, 154, 6), (side * 156, 50, 160, 6)), CORTICAL)
            canvas.ellipsoid((side * 160, 14, 166), (20, 21, 21), SPONGY, wall=(2.0, CORTICAL))

    ORDER: Sequence[str] = (
        "couch", "wall", "back", "cavity", "lung", "heart", "airways", "nodule", "liver", "bowel", "upper_belly", "spine", "ribs", "girdle",
    )  # fmt: skip


HEART_AT = (22.0, -26.0, 18.0)
HEART_TURN: NDArray[np.floating] = turned((0.64, -0.52, -0.56))


def paint_torso(canvas: Canvas, findings: Findings) -> Torso:
    """Paint everything, from the skin inwards."""
    torso = Torso(canvas, findings)
    for step in Torso.ORDER:
        getattr(torso, step)()
    return torso
