"""A torso from the neck to the hips, painted one axial plane at a time, in HU and SUV.

Positions are in mm (LPS) about a centre in front of the spine; z 0 is the top of the right diaphragm,
less some. ``paint_torso`` paints one axial plane from the skin inwards, each tissue over the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viewer.demo import anatomy
from viewer.demo.anatomy import Findings
from viewer.demo.canvas import Canvas, Plane, Tissue, smoothstep, turned, union
from viewer.demo.lung_vessels import lung_vessels


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
    return -union([-right, -left, np.broadcast_to(-middle, right.shape)], 5.0)


def mediastinum_half_width(y: Plane, z: float) -> Plane:
    """How far the mediastinum reaches to either side: wide at the great vessels, a seam in front."""
    widest = float(np.interp(z, [-20, 30, 70, 110, 150, 175], [22, 24, 36, 35, 33, 26]))
    front = float(np.interp(z, [-20, 60, 120, 170], [10, 7, 16, 30]))
    width = front + (widest - front) * smoothstep(y, -78, -34) - 9 * smoothstep(y, 18, 46)
    return np.asarray(width, dtype=np.float32)


def _half(z: float, heights: NDArray[np.floating], halves: NDArray[np.floating]) -> float:
    return float(np.interp(z, heights, halves))


class Torso:
    """One plane of the torso; the methods run in the order of their names in ``paint_torso``."""

    def __init__(self, canvas: Canvas, findings: Findings) -> None:
        self.canvas = canvas
        self.findings = findings
        self.z = canvas.z
        z = self.z
        self.body = contour_distance(
            canvas.x,
            canvas.y - 4,
            _half(z, anatomy.BODY_Z, anatomy.BODY_A),
            _half(z, anatomy.BODY_Z, anatomy.BODY_B),
            2.35,
        )
        self.cage = contour_distance(
            canvas.x,
            canvas.y + 4,
            _half(z, anatomy.CAGE_Z, anatomy.CAGE_A),
            _half(z, anatomy.CAGE_Z, anatomy.CAGE_B),
            2.25,
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
        return tissue._replace(hu=anatomy.WITHOUT_CONTRAST_HU.get(tissue, tissue.hu))

    def couch(self) -> None:
        """The table: a thin curved shell under the body, which does not move with it."""
        canvas = self.canvas
        x = (canvas.x0 + canvas.dx * np.arange(canvas.columns, dtype=np.float32))[None, :]
        y = (canvas.y0 + canvas.dy * np.arange(canvas.rows, dtype=np.float32))[:, None]
        top = np.float32(128) - np.float32(0.00085) * x * x
        depth = y - top
        inside = np.maximum(np.maximum(-depth, depth - 34), np.abs(x) - 196)
        canvas.paint(canvas.whole, canvas.cover(inside), anatomy.COUCH)
        canvas.paint(canvas.whole, canvas.cover(inside + 2.2), anatomy.COUCH_CORE)

    def wall(self) -> None:
        """Skin, fat under it, the muscles of the wall with fat between them."""
        canvas = self.canvas
        across = np.abs(canvas.x) / (np.abs(canvas.x) + np.abs(canvas.y) + 1)
        belly = float(np.interp(self.z, [-200, -60, 40, 150, 200], [24, 16, 14, 13, 6]))
        fat = np.asarray(belly * (0.75 + 0.5 * across) + 4 * smoothstep(canvas.y, 40, 110), dtype=np.float32)
        canvas.paint(canvas.whole, canvas.cover(self.body), anatomy.SKIN)
        canvas.paint(canvas.whole, canvas.cover(self.body + 1.8), anatomy.FAT, hu=anatomy.FAT.hu + 5 * self.grain)
        planes = np.sin(0.55 * (self.body + 2.5 * self.lobules)) + 0.35 * self.lobules
        between = smoothstep(planes, 0.8, 1.35) * smoothstep(self.cage, 3, 9)
        muscle = anatomy.MUSCLE.hu + 4 * self.grain - 130 * between
        canvas.paint(
            canvas.whole, canvas.cover(self.body + fat), anatomy.MUSCLE, hu=np.asarray(muscle, dtype=np.float32)
        )
        for side in (-1, 1):
            canvas.ellipsoid((side * 126, 6, 128), (15, 26, 30), anatomy.FAT)

    def cavity(self) -> None:
        """Fat of the belly and of the mediastinum, which the organs lie in."""
        hu = anatomy.VISCERAL_FAT.hu + 6 * self.grain
        self.canvas.paint(self.canvas.whole, self.inner, anatomy.VISCERAL_FAT, hu=hu)
        if self.z < 30:
            shell = self.inner * (1 - self.canvas.cover(-(self.dome - 3.5))) * self.canvas.cover(-self.dome)
            self.canvas.paint(self.canvas.whole, shell, anatomy.MUSCLE)

    def lung(self) -> None:
        """Both lungs: inside the cage, above the diaphragm, beside the mediastinum and the heart."""
        canvas, z = self.canvas, self.z
        if z < -62 or z > 176:
            return
        apex = 0.7 * (z - 170 + 7 * ((np.abs(canvas.x) - 40) / 30) ** 2 + 12 * ((canvas.y - 4) / 46) ** 2)
        beside = mediastinum_half_width(canvas.y, z) - np.abs(canvas.x)
        spine = 29 - np.sqrt(canvas.x**2 + (canvas.y - np.float32(spine_y(z) + 6)) ** 2)
        parts = [self.cage + 9, self.dome * np.float32(0.72), beside, spine, self._heart_distance()]
        distance = np.maximum.reduce([*parts, apex.astype(np.float32)])
        self.lungs = canvas.cover(distance)
        dependent = 45 * smoothstep(canvas.y, -60, 90)
        hu = anatomy.LUNG.hu + dependent + 14 * self.grain + 9 * self.lobules
        fissure = self._fissures()
        hu = hu + 60 * fissure
        canvas.paint(canvas.whole, self.lungs, anatomy.LUNG, hu=np.asarray(hu, dtype=np.float32))

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
        return -self.canvas.ellipsoid_distance(self.canvas.whole, anatomy.HEART_AT, (67, 53, 53), anatomy.HEART_TURN)

    def airways(self) -> None:
        """Trachea and bronchi with their walls, a node beside them, the vessels of the lungs."""
        canvas = self.canvas
        if self.findings.lymph_node_mm > 0:
            canvas.ellipsoid(anatomy.LYMPH_NODE_AT, (self.findings.lymph_node_mm,) * 3, anatomy.NODE)
        for tube in (anatomy.TRACHEA, *anatomy.BRONCHI):
            canvas.tube(tube, anatomy.SOFT, grow_mm=1.6)
        for tube in (anatomy.TRACHEA, *anatomy.BRONCHI):
            canvas.tube(tube, anatomy.AIR, grow_mm=-0.4)
        vessel = self.tint(anatomy.PULMONARY)._replace(suv=1.2)
        for start, end in lung_vessels(self.z):
            canvas.tube((start, end), vessel, within=self.lungs)

    def nodule(self) -> None:
        """A spiculated nodule in the right upper lobe."""
        radius, canvas = self.findings.nodule_mm, self.canvas
        if radius <= 0 or abs(self.z - anatomy.NODULE_AT[2]) > radius * 2.2:
            return
        region = canvas.box(anatomy.NODULE_AT[:2], radius * 2.2, radius * 2.2)
        if region is None:
            return
        x, y = canvas.x[region] - np.float32(anatomy.NODULE_AT[0]), canvas.y[region] - np.float32(anatomy.NODULE_AT[1])
        angle = np.arctan2(y, x)
        z = self.z - anatomy.NODULE_AT[2]
        reach = np.sqrt(x * x + y * y + np.float32(z * z))
        spikes = np.maximum(np.cos(5 * angle + 2.6 * np.sin(2 * angle + 0.7) + 0.5 * z), 0) ** 6
        distance = np.asarray(reach - radius * (0.95 + 0.1 * np.sin(3 * angle + z) + 0.45 * spikes), dtype=np.float32)
        canvas.paint(region, canvas.cover(distance) * self.lungs[region], anatomy.NODULE)

    def heart(self) -> None:
        """Pericardial fat, muscle, chambers, the great vessels."""
        canvas, tint = self.canvas, self.tint
        canvas.ellipsoid(
            anatomy.HEART_AT, (66, 52, 52), anatomy.VISCERAL_FAT, turn=anatomy.HEART_TURN, within=self.inner
        )
        canvas.ellipsoid(
            anatomy.HEART_AT, (60, 46, 47), tint(anatomy.MYOCARDIUM), turn=anatomy.HEART_TURN, within=self.inner
        )
        canvas.ellipsoid((17, -56, 12), (36, 15, 24), tint(anatomy.PULMONARY), turn=turned((0.75, -0.45, -0.45)))
        canvas.ellipsoid((44, -20, 6), (40, 20, 20), tint(anatomy.ARTERY), turn=anatomy.HEART_TURN)
        canvas.ellipsoid((46, -12, 2), (4, 3, 12), tint(anatomy.MYOCARDIUM))
        canvas.ellipsoid((8, 12, 38), (30, 16, 20), tint(anatomy.ARTERY))
        canvas.ellipsoid((-27, -20, 20), (17, 24, 27), tint(anatomy.PULMONARY))
        canvas.tube(anatomy.ESOPHAGUS, anatomy.MUSCLE)
        for tubes, tissue in anatomy.VESSELS_OF_THE_CHEST:
            for tube in tubes:
                canvas.tube(tube, tint(tissue))
        for tube in (anatomy.AORTA, *anatomy.HEAD_ARTERIES):
            canvas.tube(tube, anatomy.SOFT, grow_mm=1.0)
        for tube in (anatomy.AORTA, *anatomy.HEAD_ARTERIES, *anatomy.MAMMARY_ARTERIES):
            canvas.tube(tube, tint(anatomy.ARTERY), grow_mm=-0.4)
        for side in (-1, 1):
            canvas.ellipsoid((side * 19, -8, 196), (9, 11, 24), tint(anatomy.THYROID))

    def liver(self) -> None:
        """Three rounded lobes under the right dome, vessels, a lesion with a rim, a cyst."""
        canvas, z = self.canvas, self.z
        if not -165 < z < 22:
            return
        lobes = (((-70, -4, -44), (70, 80, 72)), ((6, -48, -24), (66, 31, 34)), ((-92, 8, -100), (36, 50, 52)))
        distance = union([canvas.ellipsoid_distance(canvas.whole, center, axes) for center, axes in lobes], 7.0)
        inside = self.inner * canvas.cover(self.cage + 12) * canvas.cover(4.5 - self.dome)
        share = canvas.cover(distance) * inside
        hu = anatomy.LIVER.hu + 1.5 * self.lobules
        canvas.paint(canvas.whole, share, anatomy.LIVER, hu=hu)
        for tube in anatomy.LIVER_VEINS:
            canvas.tube(tube, self.tint(anatomy.LIVER_VEIN), within=share)
        for tube in (anatomy.PORTAL_VEIN, anatomy.PORTAL_LEFT):
            canvas.tube(tube, self.tint(anatomy.PORTAL))
        radius = self.findings.liver_lesion_mm
        if radius > 0:
            canvas.ellipsoid(
                anatomy.LIVER_LESION_AT,
                (radius, radius * 0.9, radius),
                self.tint(anatomy.LESION),
                wall=(3.0, self.tint(anatomy.LESION_RIM)),
                within=share,
            )
        canvas.ellipsoid((-46, -46, -52), (7, 8, 7), anatomy.CYST, within=share)
        canvas.ellipsoid((-40, -54, -96), (14, 18, 26), anatomy.BILE, wall=(1.5, anatomy.SOFT))

    def upper_belly(self) -> None:
        """Spleen, stomach with its fluid level, pancreas, kidneys, adrenals."""
        canvas, tint = self.canvas, self.tint
        below = self.inner * canvas.cover(self.cage + 11) * canvas.cover(4.5 - self.dome)
        canvas.tube(anatomy.SPLENIC_VEIN, tint(anatomy.PORTAL))
        for side, center in ((1, (68, 40, -112)), (-1, (-66, 41, -126))):
            self._kidney(side, center)
        turn = turned((0.45, 0.85, 0.2))
        canvas.ellipsoid((98, 36, -42), (50, 28, 52), tint(anatomy.SPLEEN), turn=turn, within=below)
        self._stomach(below)
        for start, end in zip(anatomy.PANCREAS_BODY, anatomy.PANCREAS_BODY[1:], strict=False):
            canvas.tube(
                (start, end),
                tint(anatomy.PANCREAS),
                hu=tint(anatomy.PANCREAS).hu - 45 * smoothstep(self.grain, 0.6, 1.6),
            )
        for x, y, z in ((40, 30, -66), (-36, 34, -70)):
            canvas.ellipsoid((x, y, z), (3, 12, 12), anatomy.SOFT)
            canvas.ellipsoid((x + 5 * np.sign(x), y + 3, z), (10, 2.6, 10), anatomy.SOFT)
        for tube in anatomy.BELLY_ARTERIES:
            canvas.tube(tube, tint(anatomy.ARTERY))

    def _stomach(self, below: Plane) -> None:
        canvas, tint = self.canvas, self.tint
        body = ((60, -28, -36), (40, 46, 44))
        antrum = anatomy.tube((44, -50, -70, 22), (14, -62, -92, 18), (-20, -54, -96, 13))
        canvas.ellipsoid(*body, tint(anatomy.STOMACH_WALL), within=below)
        canvas.tube(antrum, tint(anatomy.STOMACH_WALL), within=below)
        level = smoothstep(-canvas.y, 43, 45)
        hu = np.asarray(
            anatomy.FLUID.hu - (anatomy.FLUID.hu + 960) * level + 6 * self.grain * (1 - level), dtype=np.float32
        )
        center, axes = body
        if abs(self.z - center[2]) < axes[2]:
            distance = canvas.ellipsoid_distance(canvas.whole, center, axes) + 5 + 2.5 * self.lobules
            canvas.paint(canvas.whole, canvas.cover(distance) * below, anatomy.FLUID, hu=hu)
        canvas.tube(antrum, anatomy.FLUID, grow_mm=-5, within=below, hu=hu)

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
        cortex, medulla = tint(anatomy.KIDNEY_CORTEX), tint(anatomy.KIDNEY_MEDULLA)
        hu = np.asarray(cortex.hu + (medulla.hu - cortex.hu) * pyramid, dtype=np.float32)
        share = canvas.cover(distance) * self.inner[region]
        canvas.paint(region, share, cortex, hu=hu)
        canvas.paint(
            region, canvas.cover(sinus + 3) * canvas.cover(distance + 4) * self.inner[region], anatomy.KIDNEY_SINUS
        )

    def bowel(self) -> None:
        """Duodenum, loops of small bowel, colon with gas and stool."""
        canvas, tint = self.canvas, self.tint
        if self.z > -62:
            return
        canvas.tube(anatomy.DUODENUM, tint(anatomy.BOWEL_WALL))
        canvas.tube(anatomy.DUODENUM, anatomy.FLUID, grow_mm=-3)
        for loop in anatomy.small_bowel():
            canvas.tube(loop, tint(anatomy.BOWEL_WALL))
        for loop in anatomy.small_bowel():
            canvas.tube(loop, anatomy.FLUID._replace(hu=24), grow_mm=-2.4)
        canvas.tube(anatomy.COLON, tint(anatomy.BOWEL_WALL), within=self.inner, grow_mm=1.5)
        gas = smoothstep(canvas.texture(31, 9.0) - canvas.y / 55, 0.25, 0.75)
        stool = 20 + 34 * canvas.texture(32, 2.6) - 260 * smoothstep(canvas.texture(33, 1.8), 0.7, 1.6)
        hu = np.asarray(stool + (-950 - stool) * gas, dtype=np.float32)
        canvas.tube(anatomy.COLON, anatomy.FLUID, within=self.inner, grow_mm=-1.5, hu=hu)

    def back(self) -> None:
        """Muscles beside and before the spine."""
        canvas = self.canvas
        deep = float(np.interp(self.z, [-240, -100, 100, 180], [94, 94, 90, 74]))
        for side in (-1, 1):
            canvas.ellipsoid((side * 29, deep, self.z), (32, 16, 20), anatomy.FAT)
            canvas.ellipsoid((side * 29, deep, self.z), (30, 14, 20), anatomy.MUSCLE)
        for tube in (*anatomy.PSOAS, *anatomy.CRURA):
            canvas.tube(tube, anatomy.MUSCLE)

    def ribs(self) -> None:
        """Twelve pairs, each falling from the spine to the front, where cartilage takes over."""
        canvas, z = self.canvas, self.z
        depth = self.cage + 3.5
        region = np.nonzero(np.abs(depth) < 8)
        if not len(region[0]):
            return
        depth, x, y = depth[region], canvas.x[region], canvas.y[region] + 4
        around = np.abs(np.arctan2(x, y))
        hu: Plane = canvas.hu[region]
        suv: Plane = canvas.suv[region]
        for number in range(1, 13):
            drop = float(np.interp(number, [1, 2, 4, 9, 12], [44, 62, 84, 104, 96]))
            top = 160 - anatomy.RIB_SPACING_MM * (number - 1)
            end = {11: 1.75, 12: 1.2}.get(number, 3.1 if number <= 7 else 2.85)
            if not top - drop - 10 < z < top + 10:
                continue
            height = top - drop * (1 - np.cos(around)) / 2
            level = np.sqrt((depth / 4.3) ** 2 + ((z - height) / 6.6) ** 2) + 1e-3
            distance = (level - 1) * 4.3
            share = np.clip(0.5 - distance / canvas.edge, 0, 1) * (around < end) * (around > 0.16)
            bony = smoothstep(2.42 - around, -0.02, 0.02)
            core = smoothstep(-distance, 0.9, 1.9)
            bone = anatomy.CORTICAL.hu + (anatomy.SPONGY.hu - anatomy.CORTICAL.hu) * core
            value = anatomy.CARTILAGE.hu + (bone - anatomy.CARTILAGE.hu) * bony
            hu = hu * (1 - share) + share * value
            suv = suv * (1 - share) + share * anatomy.MARROW.suv * bony
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
        # -0.5 to 0.5 from the lower to the upper end of a level; a disc at either end.
        phase = (z / anatomy.SPINE_LEVEL_MM) % 1.0 - 0.5
        waist = 1 - 0.10 * np.cos(np.pi * phase)
        body = np.maximum(
            contour_distance(x, y, 19.5 * size * waist, 15.5 * size * waist, 2.2),
            -(np.sqrt(x * x + (y - 27 * size) ** 2) - 13.5 * size),
        )
        end = float(smoothstep(np.asarray([abs(phase)]), 0.36, 0.42)[0])
        plate = float(np.exp(-(((abs(phase) - 0.385) / 0.03) ** 2)))
        core = smoothstep(-body, 1.0, 2.4)
        spongy: Plane = anatomy.SPONGY.hu + 38 * canvas.texture(41, 1.6)[region]
        bone: Plane = anatomy.CORTICAL.hu * 0.8 + (spongy - anatomy.CORTICAL.hu * 0.8) * core + plate * 420
        hu = np.asarray(bone * (1 - end) + anatomy.DISC.hu * end, dtype=np.float32)
        canvas.paint(
            region, canvas.cover(body), Tissue(0, anatomy.MARROW.suv * (1 - end) + anatomy.DISC.suv * end), hu=hu
        )
        self._arch(size, middle, phase, region)
        if self.findings.metastasis_mm > 0:
            canvas.ellipsoid(anatomy.METASTASIS_AT, (self.findings.metastasis_mm,) * 3, anatomy.METASTASIS)

    def _arch(self, size: float, middle: float, phase: float, region: tuple[slice, slice]) -> None:
        canvas, z = self.canvas, self.z
        x, y = canvas.x[region], canvas.y[region] - np.float32(middle)
        canal = contour_distance(x, y - 25 * size, 11.5 * size, 9.5 * size, 2.0)
        lamina = np.maximum(np.abs(canal - 2.4) - 2.6, np.float32(60 * (abs(phase + 0.08) - 0.36)))
        fat = canvas.cover(canal)
        canvas.paint(region, fat, anatomy.VISCERAL_FAT)
        share = canvas.cover(lamina) * (1 - fat)
        bone = np.full_like(x, 560) + 60 * canvas.texture(41, 1.6)[region]
        canvas.paint(region, share, anatomy.CORTICAL, hu=bone)
        level = z - phase * anatomy.SPINE_LEVEL_MM
        tip = middle + 25 * size
        for side in (-1, 1):
            across = anatomy.tube((side * 11 * size, tip - 2, level + 2, 5), (side * 33 * size, tip + 9, level, 4))
            canvas.tube(across, Tissue(480, 1.2))
            canvas.tube(across, anatomy.SPONGY, grow_mm=-1.8)
        spine = anatomy.tube((0, tip + 12 * size, level - 1, 4), (0, tip + 31 * size, level - 12, 4.5))
        canvas.tube(spine, Tissue(560, 1.2))
        canvas.tube(spine, anatomy.SPONGY, grow_mm=-1.8)
        canvas.paint(region, canvas.cover(contour_distance(x, y - 25 * size, 9 * size, 7.5 * size, 2.0)), anatomy.CSF)
        thick = float(np.interp(z, [-100, -60, 240], [0.0, 5.0, 6.5]))
        if thick:
            canvas.paint(
                region, canvas.cover(contour_distance(x, y - 25 * size, thick * 1.15, thick, 2.0)), anatomy.CORD
            )

    def girdle(self) -> None:
        """Sternum, collar bones, shoulder blades, heads of the humeri."""
        canvas, z = self.canvas, self.z
        front = -4 - float(np.interp(z, anatomy.CAGE_Z, anatomy.CAGE_B))
        if -30 < z < 128:
            half = float(np.interp(z, [-30, -10, 20, 90, 112, 128], [3, 9, 18, 16, 30, 26]))
            region = canvas.box((0, front), half + 4, 8)
            if region is not None:
                distance = contour_distance(canvas.x[region], canvas.y[region] - np.float32(front + 2), half, 6.0, 2.6)
                hu = 520 + (170 - 520) * smoothstep(-distance, 0.8, 2.0)
                canvas.paint(region, canvas.cover(distance), anatomy.MARROW, hu=np.asarray(hu, dtype=np.float32))
        for bone in anatomy.CLAVICLES:
            canvas.tube(bone, anatomy.CORTICAL)
            canvas.tube(bone, anatomy.SPONGY, grow_mm=-2.2)
        for side in (-1, 1):
            blade = turned((side * 0.86, -0.50, 0.1), up=(side * -0.12, 0.1, 1.0))
            canvas.ellipsoid((side * 112, 74, 96), (38, 4.2, 66), Tissue(620, 1.0), turn=blade)
            canvas.ellipsoid((side * 112, 74, 96), (34, 2.0, 60), anatomy.SPONGY, turn=blade)
            canvas.tube(
                anatomy.tube((side * 92, 84, 140, 4), (side * 128, 76, 154, 6), (side * 156, 50, 160, 6)),
                anatomy.CORTICAL,
            )
            canvas.ellipsoid((side * 160, 14, 166), (20, 21, 21), anatomy.SPONGY, wall=(2.0, anatomy.CORTICAL))

    ORDER: Sequence[str] = (
        "couch", "wall", "back", "cavity", "lung", "heart", "airways", "nodule", "liver", "bowel", "upper_belly",
        "spine", "ribs", "girdle",
    )  # fmt: skip


def paint_torso(canvas: Canvas, findings: Findings, *, couch: bool = True) -> Torso:
    """Paint everything, from the skin inwards."""
    torso = Torso(canvas, findings)
    for step in Torso.ORDER:
        if couch or step != "couch":
            getattr(torso, step)()
    return torso
