"""Branching vessels of the lungs, grown from the hila towards points spread over both lungs."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from viewer.demo.canvas import Node

HILA = ((-46.0, 6.0, 60.0), (48.0, 12.0, 60.0))
TIPS = 1000
"""End points in each lung."""
TIP_RADIUS_MM = 0.55
MURRAY = 2.7
"""Exponent by which the radii of branches add up."""
LARGEST_MM = 5.5


def _tips(side: int, random: np.random.Generator) -> NDArray[np.floating]:
    """Points spread over one lung, nearest the hilum first."""
    points = random.uniform((18, -78, -50), (122, 82, 160), size=(TIPS * 5, 3))
    x, y, z = points.T
    width = np.interp(z, [-60, 40, 100, 160], [124, 122, 108, 56])
    depth = np.interp(z, [-60, 40, 100, 160], [78, 78, 70, 40])
    floor = 6 - 46 * (((x - 76) / 62) ** 2 + ((y + 6) / 84) ** 2) ** 1.25
    inside = ((x / width) ** 2.2 + np.abs(y / depth) ** 2.2 < 0.98) & (z > floor)
    points = points[inside][:TIPS] * (side, 1, 1)
    return np.asarray(points[np.argsort(np.linalg.norm(points - HILA[0 if side < 0 else 1], axis=1))])


def _node(point: NDArray[np.floating], radius_mm: float) -> Node:
    return Node(float(point[0]), float(point[1]), float(point[2]), radius_mm)


def _grow(side: int) -> list[tuple[Node, Node]]:
    random = np.random.default_rng(500 + side)
    root = np.array(HILA[0 if side < 0 else 1])
    points, parents, lengths = [root], [-1], [0.0]
    for tip in _tips(side, random):
        known = np.array(points)
        away = np.linalg.norm(known - tip, axis=1)
        # A short way from the tree, and a short way from the hilum: branches fan out instead of wandering.
        parent = int(np.argmin(away + 0.55 * np.array(lengths)))
        middle = (known[parent] + tip) / 2 + random.normal(scale=0.07 * away[parent], size=3)
        points += [middle, tip]
        parents += [parent, len(points) - 2]
        lengths += [lengths[parent] + away[parent] / 2, lengths[parent] + away[parent]]
    flow = np.zeros(len(points))
    is_leaf = np.ones(len(points), dtype=bool)
    is_leaf[[parent for parent in parents if parent >= 0]] = False
    flow[is_leaf] = TIP_RADIUS_MM**MURRAY
    for index in range(len(points) - 1, 0, -1):
        flow[parents[index]] += flow[index]
    radii = np.minimum(flow ** (1 / MURRAY), LARGEST_MM)
    pieces = []
    for index in range(1, len(points)):
        parent = parents[index]
        start = _node(points[parent], float(min(radii[parent], radii[index] * 1.25)))
        pieces.append((start, _node(points[index], float(radii[index]))))
    return pieces


@cache
def _pieces() -> tuple[list[tuple[Node, Node]], NDArray[np.floating], NDArray[np.floating]]:
    pieces = _grow(-1) + _grow(1)
    low = np.array([min(start.z, end.z) - max(start.radius_mm, end.radius_mm) for start, end in pieces])
    high = np.array([max(start.z, end.z) + max(start.radius_mm, end.radius_mm) for start, end in pieces])
    return pieces, low - 0.8, high + 0.8


def lung_vessels(z: float) -> list[tuple[Node, Node]]:
    """Return the straight pieces of vessel that touch a plane."""
    pieces, low, high = _pieces()
    return [pieces[index] for index in np.nonzero((low <= z) & (z <= high))[0]]
