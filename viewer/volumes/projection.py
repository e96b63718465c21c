"""Slab projections along the direction of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Slab(NamedTuple):
    """Indices of the frames that one projected plane takes, and where it lies."""

    first: int
    last: int
    """Inclusive."""
    position_mm: float
    """Middle of the slab along the normal."""
    thickness_mm: float


def slabs(distances_mm: Sequence[float], *, thickness_mm: float, step_mm: float, slice_mm: float) -> list[Slab]:
    """Slabs over a stack whose frames lie at ascending, evenly spaced distances.

    Parameters
    ----------
    distances_mm
        Position of each frame along the normal, ascending.
    thickness_mm
        Of a slab; frames whose centers lie within it take part.
    step_mm
        From one slab to the next; a step below the thickness makes them overlap.
    slice_mm
        Distance of neighbouring frames.

    >>> [slab[:2] for slab in slabs([0, 1, 2, 3, 4, 5], thickness_mm=3, step_mm=2, slice_mm=1)]
    [(0, 2), (2, 4), (3, 5)]
    """
    count = max(1, round(thickness_mm / slice_mm))
    step = max(1, round(step_mm / slice_mm))
    last = len(distances_mm) - 1
    count = min(count, last + 1)
    found = []
    first = 0
    while True:
        first = min(first, last + 1 - count)
        end = first + count - 1
        found.append(Slab(first, end, (distances_mm[first] + distances_mm[end]) / 2, count * slice_mm))
        if end >= last:
            return found
        first += step
