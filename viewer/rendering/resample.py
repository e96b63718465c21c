"""Smaller and larger pictures.

Down is always the mean of the pixels that a new pixel covers (area filter), taken
over *stored* values, so that a reduced value tile and a reduced windowed tile show
the same thing. Padded pixels are left out of means; where all are padded the
result is padded too. Up is bilinear, or nearest where values must not be mixed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from viewer.rendering.display_table import padding_mask

STRIP_BYTES = 1 << 20
"""Images are reduced in strips of about so many bytes, whose sums stay in the processor's cache."""


def reduce_by(values: NDArray[Any], scale: int, padding: tuple[float, float] | None = None) -> NDArray[Any]:
    """Average blocks of ``scale`` x ``scale`` pixels.

    Parameters
    ----------
    values
        (rows, columns) or (rows, columns, samples), integer or floating.
    scale
        A power of two; blocks at the right and bottom edge may be cut.
    padding
        Stored values that take no part, lowest and highest.

    Returns
    -------
    Rows and columns divided by ``scale`` and rounded up, same type; integers are
    rounded to the nearest, halves up.
    """
    return values if scale == 1 else reduce_to(values, (scale,), padding)[0]


def reduce_to(
    values: NDArray[Any], scales: Sequence[int], padding: tuple[float, float] | None = None
) -> list[NDArray[Any]]:
    """Average blocks of several sizes in one pass over the image.

    Sums are carried from one size to the next and each is divided once, so every
    result is what ``reduce_by`` gives for its scale.

    Parameters
    ----------
    scales
        Powers of two from 2 on, growing.

    Returns
    -------
    One image for each scale.
    """
    rows = values.shape[0]
    results = [np.empty((-(-rows // s), -(-values.shape[1] // s), *values.shape[2:]), values.dtype) for s in scales]
    largest = scales[-1]
    row_bytes = max(1, values.nbytes // max(rows, 1))
    strip = largest * max(1, STRIP_BYTES // (row_bytes * largest))
    for top in range(0, rows, strip):
        _reduce_strip(
            values[top : top + strip], scales, padding, [r[top // s :] for r, s in zip(results, scales, strict=True)]
        )
    return results


def _reduce_strip(
    values: NDArray[Any],
    scales: Sequence[int],
    padding: tuple[float, float] | None,
    results: Sequence[NDArray[Any]],
) -> None:
    """Reduce some rows, a multiple of every scale unless they are the last, into the beginning of ``results``."""
    mask = padding_mask(values, padding)
    counts: NDArray[Any] | None = None
    sum_type = _sum_type(values.dtype, scales[-1])
    if mask is None or not mask.any():
        sums = values
    else:
        present = np.logical_not(mask, out=mask)
        sums = _without_padding(values, present, sum_type)
        counts = present.astype(np.uint16 if scales[-1] <= 128 else np.int64)
    fill = _fill(values.dtype, padding)
    scale = 1
    for wanted, result in zip(scales, results, strict=True):
        while scale < wanted:
            sums = _halve(sums, sum_type)
            counts = None if counts is None else _halve(counts, counts.dtype)
            scale *= 2
        blocks = _block_counts(values.shape, scale) if counts is None else counts
        result[: sums.shape[0]] = _divide(sums, blocks, scale, values.dtype, fill)


def _fill(dtype: np.dtype[np.generic], padding: tuple[float, float] | None) -> float:
    """What stands where a block is nothing but padding."""
    if dtype.kind == "f":
        return math.nan if padding is None else padding[0]
    return 0 if padding is None else math.ceil(padding[0])


def _sum_type(dtype: np.dtype[np.generic], scale: int) -> np.dtype[np.generic]:
    if dtype.kind not in "iub":
        return np.dtype(np.float64)
    fits = dtype.itemsize <= 2 and scale <= 128
    return np.dtype(np.int32 if fits else np.int64)


def _without_padding(
    values: NDArray[Any], present: NDArray[np.bool_], dtype: np.dtype[np.generic]
) -> NDArray[np.generic]:
    """Values with 0 where there is padding."""
    if dtype.kind == "f":
        # Padding of float images may be NaN or infinite, which 0 times is not 0.
        return cast("NDArray[np.generic]", np.where(present, values, 0).astype(dtype))
    return cast("NDArray[np.generic]", np.multiply(values, present, dtype=dtype, casting="unsafe"))


def _halve(sums: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Add pairs of rows, then pairs of columns; a last odd one stays alone."""
    return _add_pairs(_add_pairs(sums, 0, dtype), 1, dtype)


def _add_pairs(sums: NDArray[Any], axis: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    along = sums if axis == 0 else sums.swapaxes(0, 1)
    pairs = along.shape[0] // 2
    result = np.empty_like(along[: along.shape[0] - pairs], dtype=dtype)
    np.add(along[: 2 * pairs : 2], along[1::2], out=result[:pairs], dtype=dtype, casting="unsafe")
    result[pairs:] = along[2 * pairs :]
    return result if axis == 0 else result.swapaxes(0, 1)


def _block_counts(shape: tuple[int, ...], scale: int) -> NDArray[np.int64]:
    """Pixels in each block, shape (rows, columns)."""
    sides = [np.minimum(scale, size - np.arange(0, size, scale)) for size in shape[:2]]
    return cast("NDArray[np.int64]", np.multiply.outer(*sides))


def _divide(
    sums: NDArray[Any], counts: NDArray[Any], scale: int, dtype: np.dtype[np.generic], fill: float
) -> NDArray[Any]:
    """Means of blocks: most have ``scale`` x ``scale`` pixels, and only the others are divided one by one."""
    other = counts != scale * scale
    if dtype.kind in "iub":
        result = ((sums + scale * scale // 2) >> 2 * (scale.bit_length() - 1)).astype(dtype)
    else:
        result = (sums / (scale * scale)).astype(dtype)
    if not other.any():
        return result
    few, divisor = sums[other], counts[other].astype(np.int64)
    empty = divisor == 0
    divisor[empty] = 1
    if few.ndim == 2:
        divisor = divisor[:, None]
    if dtype.kind in "iub":
        # floor((2 s + n) / 2 n): rounds halves up without leaving whole numbers.
        means: NDArray[Any] = ((2 * few.astype(np.int64) + divisor) // (2 * divisor)).astype(dtype)
    else:
        means = (few / divisor).astype(dtype)
    means[empty] = fill
    result[other] = means
    return result


class Part(NamedTuple):
    """A rectangle between pixels, in fractions of them from the upper left corner of the image."""

    top: float
    left: float
    height: float
    width: float


def resize_area(
    values: NDArray[Any],
    rows: int,
    columns: int,
    padding: tuple[float, float] | None = None,
    *,
    part: Part | None = None,
) -> NDArray[np.float64]:
    """Area filter to any smaller (or larger) size; (rows, columns) or (rows, columns, samples), float64.

    Padded pixels take no part; where a new pixel covers nothing else it is NaN.
    ``part`` is what the result shows; all of the image if None.
    """
    if values.ndim == 3:
        planes = [resize_area(values[:, :, index], rows, columns, part=part) for index in range(values.shape[2])]
        return np.stack(planes, axis=2)
    part = part or whole(values)
    down = _overlaps(values.shape[0], rows, part.top, part.top + part.height)
    across = _overlaps(values.shape[1], columns, part.left, part.left + part.width)
    mask = padding_mask(values, padding)
    if mask is None or not mask.any():
        return cast("NDArray[np.float64]", (across @ (down @ values.astype(np.float64)).T).T)
    present = np.logical_not(mask)
    sums = (across @ (down @ np.where(present, values, 0).astype(np.float64)).T).T
    shares = (across @ (down @ present.astype(np.float64)).T).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return cast("NDArray[np.float64]", np.where(shares > 1e-9, sums / shares, np.nan))


def whole(values: NDArray[Any]) -> Part:
    """All of an image."""
    return Part(0.0, 0.0, float(values.shape[0]), float(values.shape[1]))


@lru_cache(maxsize=64)
def _overlaps(old: int, new: int, first: float, last: float) -> sparse.csr_array:
    """Share of each old pixel in each new one, from one edge to the other; shape (new, old), rows adding up to 1."""
    edges = np.linspace(first, last, new + 1)
    rows, columns, shares = [], [], []
    for index in range(new):
        low, high = edges[index], edges[index + 1]
        covered = np.arange(int(low), min(math.ceil(high), old))
        overlap = np.minimum(covered + 1, high) - np.maximum(covered, low)
        rows.append(np.full(len(covered), index))
        columns.append(covered)
        shares.append(overlap / (high - low))
    data = (np.concatenate(shares), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(data, shape=(new, old))


_BAND_ROWS = 256
"""Rows that are interpolated at once, so that memory stays small."""


def enlarge(
    image: NDArray[np.uint8], rows: int, columns: int, *, smooth: bool = True, part: Part | None = None
) -> NDArray[np.uint8]:
    """Bilinear or nearest enlargement of display values; pixel centers stay where they are."""
    shown = part or whole(image)
    down = _centers(image.shape[0], rows, shown.top, shown.height)
    across = _centers(image.shape[1], columns, shown.left, shown.width)
    if not smooth:
        row, column = (np.floor(position + 0.5).astype(np.intp) for position in (down, across))
        nearest: NDArray[np.uint8] = image[row][:, column]
        return nearest
    if image.ndim == 3:
        planes = [enlarge(image[:, :, index], rows, columns, part=part) for index in range(image.shape[2])]
        return np.stack(planes, axis=2)
    result = np.empty((rows, columns), np.uint8)
    for start in range(0, rows, _BAND_ROWS):
        band = _between(_between(image, down[start : start + _BAND_ROWS]).T, across).T
        result[start : start + _BAND_ROWS] = np.floor(band + np.float32(0.5))
    return result


def _between(values: NDArray[Any], positions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows between rows, by straight lines."""
    below = np.minimum(np.floor(positions).astype(np.intp), values.shape[0] - 1)
    above = np.minimum(below + 1, values.shape[0] - 1)
    share = (positions - below).astype(np.float32)[:, None]
    first: NDArray[np.float32] = values[below].astype(np.float32)
    first += (values[above].astype(np.float32) - first) * share
    return first


def _centers(old: int, new: int, first: float, length: float) -> NDArray[np.float64]:
    """Where the centers of new pixels lie among the centers of old ones, never outside of them."""
    positions: NDArray[np.float64] = np.clip(first + (np.arange(new) + 0.5) * length / new - 0.5, 0, old - 1)
    return positions
