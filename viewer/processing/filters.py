"""Local contrast and sharpness, on modality values of one frame.

Lengths are in millimetres and turned into pixels by the frame's own spacing, so
that a parameter means the same on every image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BINS = 1024
LARGEST_GRID = 64


@dataclass(frozen=True, slots=True)
class ClaheParameters:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994)."""

    tile_mm: float = 40.0
    """Side of the squares that are equalised by themselves."""
    clip: float = 2.0
    """Largest slope of a mapping, as a multiple of the one that changes nothing; 1 or more."""


@dataclass(frozen=True, slots=True)
class UnsharpParameters:
    """Unsharp mask: what a Gaussian takes away is added again."""

    radius_mm: float = 1.0
    """Standard deviation of the Gaussian."""
    amount: float = 0.5
    """Share of the difference that is added; 0 changes nothing."""


def clahe(
    values: NDArray[np.floating],
    parameters: ClaheParameters,
    *,
    low: float,
    high: float,
    spacing_mm: tuple[float, float],
    padded: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Equalise local contrast between two values that hold for the whole series.

    Parameters
    ----------
    values
        (rows, columns) modality values.
    low, high
        Values outside are clipped to these; the result lies between them.
    spacing_mm
        Row spacing first.
    padded
        Pixels that take no part and come back unchanged.

    Returns
    -------
    (rows, columns) in the units of the input, no longer a measured quantity.
    """
    rows, columns = values.shape
    span = max(float(high) - float(low), 1e-6)
    bins = np.clip((values - low) * ((BINS - 1) / span), 0, BINS - 1).astype(np.int32)
    mask = np.zeros(values.shape, bool) if padded is None else padded
    down = _grid(rows, parameters.tile_mm / spacing_mm[0])
    across = _grid(columns, parameters.tile_mm / spacing_mm[1])
    row_edges, column_edges = (
        np.linspace(0, rows, down + 1).astype(int),
        np.linspace(0, columns, across + 1).astype(int),
    )
    maps = np.empty((down, across, BINS), np.float32)
    for i in range(down):
        for j in range(across):
            part = np.s_[row_edges[i] : row_edges[i + 1], column_edges[j] : column_edges[j + 1]]
            maps[i, j] = _mapping(bins[part][~mask[part]], parameters.clip)
    result = _interpolate(bins, maps, row_edges, column_edges) * span + low
    return np.where(mask, values, result).astype(np.float32)


def _grid(pixels: int, tile_px: float) -> int:
    return int(np.clip(round(pixels / max(tile_px, 1.0)), 1, min(LARGEST_GRID, pixels)))


def _mapping(bins: NDArray[np.int32], clip: float) -> NDArray[np.float32]:
    """Cumulative histogram with its bins clipped and the surplus spread evenly; 0 to 1."""
    if not bins.size:
        return np.linspace(0, 1, BINS, dtype=np.float32)
    histogram = np.bincount(bins, minlength=BINS).astype(np.float64)
    limit = max(clip, 1.0) * bins.size / BINS
    surplus = np.maximum(histogram - limit, 0).sum()
    histogram = np.minimum(histogram, limit) + surplus / BINS
    cumulative = np.cumsum(histogram) - histogram / 2
    return np.asarray(cumulative / bins.size, np.float32)


def _interpolate(
    bins: NDArray[np.int32], maps: NDArray[np.float32], row_edges: NDArray[np.int_], column_edges: NDArray[np.int_]
) -> NDArray[np.float32]:
    """Blend the mappings of the four nearest squares by the distance to their centers."""
    top, below, down = _neighbours(bins.shape[0], row_edges)
    left, right, across = _neighbours(bins.shape[1], column_edges)
    down, across = down[:, None], across[None, :]
    upper = maps[top[:, None], left[None, :], bins] * (1 - across) + maps[top[:, None], right[None, :], bins] * across
    lower = (
        maps[below[:, None], left[None, :], bins] * (1 - across) + maps[below[:, None], right[None, :], bins] * across
    )
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def _neighbours(size: int, edges: NDArray[np.int_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    centers = (edges[:-1] + edges[1:] - 1) / 2
    place = np.interp(np.arange(size), centers, np.arange(len(centers)))
    first = np.floor(place).astype(np.intp)
    second = np.minimum(first + 1, len(centers) - 1)
    return first, second, (place - first).astype(np.float32)


def unsharp(
    values: NDArray[np.floating],
    parameters: UnsharpParameters,
    *,
    spacing_mm: tuple[float, float],
    padded: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Add back a share of what a Gaussian takes away.

    Parameters
    ----------
    values
        (rows, columns) modality values.
    spacing_mm
        Row spacing first; the Gaussian is round in the patient, not in pixels.
    padded
        Pixels that take no part and come back unchanged: no bright seam along them.
    """
    sigma = tuple(parameters.radius_mm / spacing for spacing in spacing_mm)
    wide = values.astype(np.float32)
    if padded is None or not padded.any():
        blurred: NDArray[np.float32] = ndimage.gaussian_filter(wide, sigma=sigma, mode="nearest")
        return (wide + parameters.amount * (wide - blurred)).astype(np.float32)
    weight = ndimage.gaussian_filter((~padded).astype(np.float32), sigma=sigma, mode="nearest")
    known = ndimage.gaussian_filter(np.where(padded, 0, wide), sigma=sigma, mode="nearest")
    blurred = known / np.maximum(weight, np.finfo(np.float32).tiny)
    sharpened: NDArray[np.float32] = np.where(padded, wide, wide + parameters.amount * (wide - blurred))
    return sharpened.astype(np.float32)
