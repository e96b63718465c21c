"""Safe reading of data set values: what is absent, broken or of the wrong type is absent, and nothing raises.

pydicom converts a value when it is first looked at and raises whatever the
conversion raises. Everything that reads foreign data sets goes through here.
"""

from __future__ import annotations

import math
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue

Key = str | int
"""A keyword, or a tag as a number for elements that have none (repeating groups)."""


def value_of(ds: Dataset, keyword: Key) -> Any:
    """A value as pydicom converts it; None where it is absent or cannot be converted."""
    try:
        if isinstance(keyword, int):
            return ds[keyword].value if keyword in ds else None
        return ds.get(keyword)
    except Exception:
        # Whatever a hostile value makes pydicom raise, it then counts as absent.
        return None


def values_of(ds: Dataset, keyword: Key) -> list[Any]:
    """All values of an element, an empty list where there is none."""
    value = value_of(ds, keyword)
    if value is None:
        return []
    if isinstance(value, MultiValue | list | tuple):
        return list(value)
    return [value]


def number_from(value: object) -> float | None:
    """A finite number, None for anything else."""
    if value is None or isinstance(value, bytes | Dataset):
        return None
    try:
        number = float(str(value).strip("\0 ")) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def number(ds: Dataset, keyword: Key) -> float | None:
    """First value as a finite number."""
    values = values_of(ds, keyword)
    return number_from(values[0]) if values else None


def numbers(ds: Dataset, keyword: Key, count: int | None = None) -> tuple[float, ...]:
    """All values as finite numbers; empty where one is none, or where there are not ``count``."""
    found = tuple(number_from(value) for value in values_of(ds, keyword))
    if count is not None and len(found) != count:
        return ()
    clean = tuple(value for value in found if value is not None)
    return clean if len(clean) == len(found) else ()


def integer(ds: Dataset, keyword: Key, default: int = 0) -> int:
    """First value as an integer; fractions are cut off."""
    value = number(ds, keyword)
    return default if value is None else int(value)


def texts(ds: Dataset, keyword: Key) -> tuple[str, ...]:
    """All values as text without padding; empty ones stay in their place."""
    return tuple(_clean(value) for value in values_of(ds, keyword))


def text(ds: Dataset, keyword: Key) -> str:
    """First value as text without padding; empty where it is absent."""
    values = values_of(ds, keyword)
    return _clean(values[0]) if values else ""


def _clean(value: object) -> str:
    if value is None or isinstance(value, bytes | Dataset):
        return ""
    try:
        return str(value).replace("\0", "").strip()
    except (ValueError, TypeError, UnicodeError):
        return ""


def items(ds: Dataset, keyword: Key) -> list[Dataset]:
    """Items of a sequence; an empty list where it is absent or no sequence."""
    value = value_of(ds, keyword)
    try:
        return [item for item in value if isinstance(item, Dataset)] if value else []
    except Exception:
        # Items of defined length are parsed when they are first iterated over.
        return []


def first_item(ds: Dataset, keyword: Key) -> Dataset | None:
    """First item of a sequence."""
    found = items(ds, keyword)
    return found[0] if found else None
