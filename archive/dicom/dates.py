"""DICOM dates, times and ages (PS3.5 6.2), kept and shown as recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_AGE = re.compile(r"(\d{3})([DWMY])")
WEEKS_UNTIL_DAYS = 90
"""Below about three months an age is given in days or weeks, then in months until two years."""


def parse_date(value: str) -> date | None:
    """A DA value, None where it is none; the retired form with dots is read too."""
    digits = value.strip().replace(".", "").replace("-", "")
    if not re.fullmatch(r"\d{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def format_date(value: str) -> str:
    """``20261124`` as ``2026-11-24``; anything else as it was sent."""
    parsed = parse_date(value)
    return parsed.isoformat() if parsed else value.strip()


def format_time(value: str) -> str:
    """``095812.5`` as ``09:58``; anything else as it was sent."""
    digits = value.strip().replace(":", "")
    return f"{digits[:2]}:{digits[2:4]}" if re.match(r"\d{4}", digits) else value.strip()


@dataclass(frozen=True, slots=True)
class Age:
    """An age at a study's date, in words; ``disagrees`` where birth date and Patient's Age contradict each other."""

    text: str
    disagrees: bool = False


def age_at(*, study_date: str, birth_date: str, patient_age: str) -> Age:
    """Age at the study's date from the birth date, else Patient's Age (0010,1010).

    >>> age_at(study_date="20261124", birth_date="19720301", patient_age="054Y")
    Age(text='54Y', disagrees=False)
    >>> age_at(study_date="20261124", birth_date="20261110", patient_age="").text
    '14D'
    """
    born, examined = parse_date(birth_date), parse_date(study_date)
    stated = _stated(patient_age)
    if born is None or examined is None or examined < born:
        return Age(f"{stated[0]}{stated[1]}" if stated else "")
    text = _text(born, examined)
    return Age(text, stated is not None and _contradicts(born, examined, stated))


def _stated(patient_age: str) -> tuple[int, str] | None:
    found = _AGE.fullmatch(patient_age.strip())
    return (int(found[1]), found[2]) if found else None


def _months(born: date, examined: date) -> int:
    return (examined.year - born.year) * 12 + examined.month - born.month - (examined.day < born.day)


def _text(born: date, examined: date) -> str:
    days, months = (examined - born).days, _months(born, examined)
    if months >= 24:
        return f"{months // 12}Y"
    if days < 28:
        return f"{days}D"
    return f"{days // 7}W" if days < WEEKS_UNTIL_DAYS else f"{months}M"


def _contradicts(born: date, examined: date, stated: tuple[int, str]) -> bool:
    """Whether a stated age is off by more than one of its own units."""
    number, unit = stated
    days, months = (examined - born).days, _months(born, examined)
    computed = {"D": days, "W": days // 7, "M": months, "Y": months // 12}[unit]
    return abs(computed - number) > 1
