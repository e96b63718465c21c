"""Uptake values normalised to more than the body weight: each with its formula named, or absent with the reason.

The factor by body weight comes from ``suv``; the others only exchange what the
injected dose is spread over. Formulas of PS3.16 CID 85 and its concepts (126401 to
126406 and their method codes), weight in kg and height in cm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from viewer.rendering.suv import BODY_WEIGHT, PetFacts, Suv

MALE, FEMALE = "M", "F"


class SuvKind(NamedTuple):
    """One kind of uptake value."""

    name: str
    """SUVbw, SUVlbm, SUVbsa, SUVibw."""
    formula: str
    unit: str
    factor: float
    """From modality values to this kind."""


class SuvKinds(NamedTuple):
    """Every kind that can be had, and why others cannot."""

    kinds: tuple[SuvKind, ...]
    missing: tuple[str, ...] = ()


def lean_mass_james(weight_kg: float, height_cm: float, sex: str) -> float:
    """James 1976: 1.10 w - 120 (w/h)^2 for men, 1.07 w - 148 (w/h)^2 for women; kg.

    >>> round(lean_mass_james(80, 180, "M"), 3)
    64.296
    """
    if sex == MALE:
        return 1.10 * weight_kg - 120 * (weight_kg / height_cm) ** 2
    return 1.07 * weight_kg - 148 * (weight_kg / height_cm) ** 2


def lean_mass_james_128(weight_kg: float, height_cm: float, sex: str) -> float:
    """The same with 128 for men, as much software has it; kg."""
    if sex == MALE:
        return 1.10 * weight_kg - 128 * (weight_kg / height_cm) ** 2
    return lean_mass_james(weight_kg, height_cm, sex)


def lean_mass_janmahasatian(weight_kg: float, height_cm: float, sex: str) -> float:
    """Janmahasatian 2005: 9270 w / (6680 + 216 bmi) for men, 9270 w / (8780 + 244 bmi) for women; kg.

    >>> round(lean_mass_janmahasatian(80, 180, "M"), 3)
    61.731
    """
    body_mass_index = weight_kg / (height_cm / 100) ** 2
    if sex == MALE:
        return 9270 * weight_kg / (6680 + 216 * body_mass_index)
    return 9270 * weight_kg / (8780 + 244 * body_mass_index)


def ideal_weight(_weight_kg: float, height_cm: float, sex: str) -> float:
    """48.0 + 1.06 (h - 152) for men, 45.5 + 0.91 (h - 152) for women; kg."""
    return 48.0 + 1.06 * (height_cm - 152) if sex == MALE else 45.5 + 0.91 * (height_cm - 152)


def body_surface_cm2(weight_kg: float, height_cm: float) -> float:
    """Du Bois 1916: w^0.425 h^0.725 0.007184 m2, in cm2."""
    return math.pow(weight_kg, 0.425) * math.pow(height_cm, 0.725) * 0.007184 * 10_000


_MASSES: Final[tuple[tuple[str, str, Callable[[float, float, str], float]], ...]] = (
    ("SUVlbm", "lean body mass (James)", lean_mass_james),
    ("SUVlbm", "lean body mass (James, 128 for men)", lean_mass_james_128),
    ("SUVlbm", "lean body mass (Janmahasatian)", lean_mass_janmahasatian),
    ("SUVibw", "ideal body weight", ideal_weight),
)


def suv_kinds(facts: PetFacts, found: Suv) -> SuvKinds:
    """Return every kind of uptake value that the file allows.

    Parameters
    ----------
    facts
        Weight, height and sex of the patient at the time of the study.
    found
        What ``suv`` found for these facts.
    """
    if found.factor is None:
        return SuvKinds((), (found.reason,))
    unit = "cm²/ml" if found.formula == "body surface area" else "g/ml"
    own = SuvKind(_NAMES.get(found.formula, "SUV"), found.formula, unit, found.factor)
    if found.formula != BODY_WEIGHT:
        # The file chose this one; what it was made from is not to be guessed backwards.
        return SuvKinds((own,))
    missing = _missing(facts)
    if not (_is_known(facts.weight_kg) and _is_known(facts.height_m)):
        return SuvKinds((own,), missing)
    weight, height_cm = facts.weight_kg or 0.0, (facts.height_m or 0.0) * 100
    dose_over_grams = found.factor / (weight * 1000)
    kinds = [own]
    if facts.sex in (MALE, FEMALE):
        for name, formula, mass in _MASSES:
            kilograms = mass(weight, height_cm, facts.sex)
            if kilograms > 0:
                kinds.append(SuvKind(name, formula, "g/ml", dose_over_grams * kilograms * 1000))
    surface = dose_over_grams * body_surface_cm2(weight, height_cm)
    kinds.append(SuvKind("SUVbsa", "body surface area (Du Bois)", "cm²/ml", surface))
    return SuvKinds(tuple(kinds), missing)


_NAMES: Final = {BODY_WEIGHT: "SUVbw", "body surface area": "SUVbsa", "ideal body weight": "SUVibw"} | {
    formula: name for name, formula, _ in _MASSES
}


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value > 0


def _missing(facts: PetFacts) -> tuple[str, ...]:
    said = []
    for value, name in ((facts.weight_kg, "weight"), (facts.height_m, "height")):
        if not _is_known(value):
            said.append(f"The patient's {name} is not in the file.")
    if facts.sex not in (MALE, FEMALE):
        said.append("The patient's sex is not in the file, or has no formula.")
    return tuple(said)
