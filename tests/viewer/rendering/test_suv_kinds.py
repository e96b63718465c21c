"""Uptake by lean mass, ideal weight and surface, worked out by hand; never where a fact is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from viewer.rendering.suv import PetFacts, Suv, suv
from viewer.rendering.suv_kinds import (
    body_surface_cm2,
    ideal_weight,
    lean_mass_james,
    lean_mass_james_128,
    lean_mass_janmahasatian,
    suv_kinds,
)

MAN = PetFacts(
    units="BQML",
    corrections=frozenset({"ATTN", "DECY"}),
    decay_correction="ADMIN",
    dose_bq=400e6,
    half_life_s=6588.0,
    weight_kg=80.0,
    height_m=1.80,
    sex="M",
)
WOMAN = replace(MAN, weight_kg=60.0, height_m=1.65, sex="F")


def factors(facts: PetFacts) -> dict[str, float]:
    return {kind.formula: kind.factor for kind in suv_kinds(facts, suv(facts)).kinds}


def test_lean_masses_of_a_man() -> None:
    # (80/180)^2 = 0.197531; bmi 24.6914.
    assert lean_mass_james(80, 180, "M") == pytest.approx(88 - 120 * 0.19753086, rel=1e-7)
    assert lean_mass_james_128(80, 180, "M") == pytest.approx(88 - 128 * 0.19753086, rel=1e-7)
    assert lean_mass_janmahasatian(80, 180, "M") == pytest.approx(741600 / (6680 + 216 * 24.691358), rel=1e-7)
    assert ideal_weight(80, 180, "M") == pytest.approx(48 + 1.06 * 28)


def test_lean_masses_of_a_woman() -> None:
    # (60/165)^2 = 0.132231; bmi 22.0386. James has one formula for women.
    assert lean_mass_james(60, 165, "F") == pytest.approx(64.2 - 148 * 0.13223140, rel=1e-7)
    assert lean_mass_james_128(60, 165, "F") == lean_mass_james(60, 165, "F")
    assert lean_mass_janmahasatian(60, 165, "F") == pytest.approx(556200 / (8780 + 244 * 22.038567), rel=1e-7)
    assert ideal_weight(60, 165, "F") == pytest.approx(45.5 + 0.91 * 13)


def test_body_surface_of_du_bois() -> None:
    # 80 kg, 180 cm: 1.996 m2 in every table of it.
    assert body_surface_cm2(80, 180) == pytest.approx(19964, abs=2)


def test_every_kind_spreads_the_same_dose() -> None:
    found = factors(MAN)
    assert found["body weight"] == pytest.approx(80_000 / 400e6)
    assert found["lean body mass (James)"] == pytest.approx(lean_mass_james(80, 180, "M") * 1000 / 400e6)
    assert found["lean body mass (Janmahasatian)"] == pytest.approx(61_731 / 400e6, rel=1e-5)
    assert found["ideal body weight"] == pytest.approx(77_680 / 400e6)
    assert found["body surface area (Du Bois)"] == pytest.approx(19_964 / 400e6, rel=1e-4)
    assert len(found) == 6


def test_units_and_names_go_with_the_formula() -> None:
    kinds = {kind.formula: (kind.name, kind.unit) for kind in suv_kinds(WOMAN, suv(WOMAN)).kinds}
    assert kinds["body weight"] == ("SUVbw", "g/ml")
    assert kinds["lean body mass (James, 128 for men)"] == ("SUVlbm", "g/ml")
    assert kinds["body surface area (Du Bois)"] == ("SUVbsa", "cm²/ml")


@pytest.mark.parametrize("sex", ["", "O"])
def test_without_a_sex_there_is_no_lean_mass(sex: str) -> None:
    facts = replace(MAN, sex=sex)
    assert set(factors(facts)) == {"body weight", "body surface area (Du Bois)"}
    assert "sex" in " ".join(suv_kinds(facts, suv(facts)).missing)


@pytest.mark.parametrize("height", [None, 0.0, float("nan")])
def test_without_a_height_there_is_body_weight_only(height: float | None) -> None:
    facts = replace(MAN, height_m=height)
    assert set(factors(facts)) == {"body weight"}
    assert "height" in " ".join(suv_kinds(facts, suv(facts)).missing)


def test_a_kind_that_the_file_chose_stays_the_only_one() -> None:
    facts = replace(MAN, units="GML", suv_type="LBMJANMA")
    assert factors(facts) == {"lean body mass (Janmahasatian)": 1.0}


def test_suv_of_the_file_is_turned_by_its_own_weight() -> None:
    # Units GML, body weight: the factor is 1, so lean mass is the share of the weight that is lean.
    facts = replace(MAN, units="GML")
    assert factors(facts)["lean body mass (James)"] == pytest.approx(lean_mass_james(80, 180, "M") / 80)


def test_without_suv_there_is_the_reason() -> None:
    found = suv_kinds(MAN, Suv(None, reason="The injected dose is not in the file."))
    assert (found.kinds, found.missing) == ((), ("The injected dose is not in the file.",))
