"""Statistics of a PET as body-weight uptake values."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from viewer.annotations.measures import Statistics
from viewer.stacks.lookup import SplitSeries
from viewer.stacks.splitting import Stack
from viewer.stacks.suv import suv_kinds_of_stack


def uptake_of(summed: Statistics, stack: Stack, split: SplitSeries) -> dict[str, Any] | None:
    """The same statistics as body-weight uptake values; None where the files do not allow them."""
    if split.series.modality != "PT" or summed.mean is None:
        return None
    kinds = suv_kinds_of_stack(stack, split).kinds
    if not kinds:
        return None
    factor, histogram = kinds[0].factor, summed.histogram
    numbers: dict[str, Any] = {name: getattr(summed, name) * factor for name in ("mean", "sd", "minimum", "maximum")}
    if histogram is not None:
        numbers["histogram"] = asdict(replace(histogram, first=histogram.first * factor, step=histogram.step * factor))
    return numbers | {"unit": kinds[0].unit, "name": kinds[0].name, "formula": kinds[0].formula}
