"""A window that looks like a VOI LUT, from which a reader's drag can begin.

A table has neither center nor width. The window is found by least squares over the
display values of the table's own inputs, each with the same weight: the best ramp
(LINEAR) and the best S-curve (SIGMOID) are compared, and the nearer one is taken.
Candidates put their ends where the table crosses 1 % to 30 % and 70 % to 99 % of its
range, which holds for every smooth table; no start has to be guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import LookupTable, VoiFunction, Window
from viewer.rendering.voi_lut import WHITE, apply_voi_lut, apply_window

SHARES = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3)
"""Of the table's range, at which candidates cross it; the same from above."""
POINTS = 1024
"""Inputs of a table that are compared, evenly spread."""
TABLES_KEPT = 256


@lru_cache(maxsize=TABLES_KEPT)
def equivalent_window(table: LookupTable) -> Window | None:
    """Return the window whose display values are nearest to those of a table.

    Parameters
    ----------
    table
        A VOI LUT; its inputs are modality values.

    Returns
    -------
    A LINEAR or SIGMOID window named as the table is. None for a table that falls or is
    flat: no window looks like it without inversion.

    Source
    ------
    PS3.3 C.11.2.1.1 (table), C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID).

    >>> ramp = LookupTable(0, 16, (np.arange(256, dtype="<u2") * 257).tobytes())
    >>> equivalent_window(ramp)
    Window(center=128.0, width=256.0, function=<VoiFunction.LINEAR: 'LINEAR'>, explanation='')
    """
    count = len(table.entries) // 2
    inputs = table.first_mapped + np.unique(np.linspace(0, count - 1, min(count, POINTS)).round())
    display = apply_voi_lut(inputs, table).astype(np.float64)
    if count < 2 or display[-1] <= display[0]:
        return None
    candidates = _candidates(inputs, display)
    best = min(candidates, key=lambda window: _error(window, inputs, display), default=None)
    return None if best is None else Window(best.center, best.width, best.function, table.explanation)


def _error(window: Window, inputs: NDArray[np.float64], display: NDArray[np.float64]) -> float:
    difference = apply_window(inputs, window).astype(np.float64) - display
    return float(difference @ difference)


def _candidates(inputs: NDArray[np.float64], display: NDArray[np.float64]) -> Iterator[Window]:
    rising = np.maximum.accumulate(display)
    low, high = float(rising[0]), float(rising[-1])
    yield from _linear(inputs[0], inputs[-1], low / WHITE, high / WHITE)
    for below in SHARES:
        dark = low + below * (high - low)
        start = float(np.interp(dark, rising, inputs))
        for above in SHARES:
            bright = high - above * (high - low)
            end = float(np.interp(bright, rising, inputs))
            if end > start:
                yield from _linear(start, end, dark / WHITE, bright / WHITE)
                yield from _sigmoid(start, end, dark / WHITE, bright / WHITE)


def _linear(start: float, end: float, below: float, above: float) -> Iterator[Window]:
    """The ramp through two points of the share of white from 0 to 1, in whole numbers."""
    per_share = (end - start) / (above - below)
    black, white = start - below * per_share, end + (1 - above) * per_share
    # C.11.2.1.2.1 counts steps: black at c - 0.5 - (w - 1) / 2, white at c - 0.5 + (w - 1) / 2.
    width = max(1.0, float(math.floor(white - black + 1.5)))
    yield Window(math.floor((black + white) / 2 + 1) - (0.0 if width % 2 == 0 else 0.5), width)


def _sigmoid(start: float, end: float, below: float, above: float) -> Iterator[Window]:
    """The S-curve through two points: share s is reached at c - w / 4 * ln(1 / s - 1)."""
    lower, upper = math.log(1 / below - 1), math.log(1 / above - 1)
    width = 4 * (end - start) / (lower - upper)
    if width > 0:
        yield Window(round(start + width / 4 * lower, 1), round(max(width, 0.1), 1), VoiFunction.SIGMOID)
