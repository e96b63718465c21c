"""Which protocol fits which study, and where its stacks go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.viewer.hanging.protocols import built_in
from viewer.hanging.match import Protocol, StackFacts, StudyFacts, arrange, choose
from viewer.hanging.rules import WrongRule, rule_of


def study(*stacks: StackFacts, parts: str = "", words: str = "", uid: str = "1") -> StudyFacts:
    modalities = frozenset(stack.modality for stack in stacks)
    return StudyFacts(uid, modalities, frozenset(parts.split()), words, stacks)


def stack(name: str, modality: str = "CT", **facts: Any) -> StackFacts:
    return StackFacts(name, modality, **facts)


def breast(name: str, **facts: Any) -> StackFacts:
    return stack(name, "MG", laterality=name[0], view=name[1:], **facts)


def protocol(name: str, match: dict[str, Any], *cells: dict[str, Any], layout: str = "1x2", **values: Any) -> Protocol:
    rule = rule_of({"match": match, "layout": layout, "cells": list(cells) or [{}]})
    return Protocol(name, rule, **values)


CT = study(
    stack("scout", description="Topogram"), stack("axial", plane="axial"), parts="CHEST", words="CT chest, low dose"
)
PET_CT = study(stack("ct", plane="axial"), stack("pt", "PT", plane="axial"))


@pytest.mark.parametrize(
    ("match", "shown", "prior", "fits"),
    [
        ({"modalities": ["CT"]}, CT, None, True),
        ({"modalities": ["ct"]}, CT, None, True),
        ({"modalities": ["MR"]}, CT, None, False),
        ({"modalities": ["PT", "CT"]}, CT, None, False),
        ({"modalities": ["PT", "CT"]}, PET_CT, None, True),
        ({"modalities": ["CT"], "body_parts": ["CHEST", "ABDOMEN"]}, CT, None, True),
        ({"modalities": ["CT"], "body_parts": ["HEAD"]}, CT, None, False),
        ({"modalities": ["CT"], "words": "screening, LOW DOSE"}, CT, None, True),
        ({"modalities": ["CT"], "words": "angio"}, CT, None, False),
        ({"modalities": ["CT"], "least_views": 2}, CT, None, True),
        ({"modalities": ["CT"], "least_views": 3}, CT, None, False),
        ({"modalities": ["CT"], "most_views": 1}, CT, None, False),
        ({"modalities": ["CT"], "priors": "needed"}, CT, None, False),
        ({"modalities": ["CT"], "priors": "needed"}, CT, PET_CT, True),
        ({"modalities": ["CT"], "priors": "none"}, CT, PET_CT, False),
    ],
)
def test_a_protocol_fits_by_what_it_says(
    match: dict[str, Any], shown: StudyFacts, prior: StudyFacts | None, fits: bool
) -> None:
    assert (choose([protocol("one", match)], shown, prior) is not None) is fits


def test_the_readers_own_comes_before_the_groups_before_the_sites() -> None:
    protocols = [
        protocol("site", {"modalities": ["CT"]}, position=0),
        protocol("group", {"modalities": ["CT"]}, closeness=1, position=5),
        protocol("mine", {"modalities": ["CT"]}, closeness=0, position=9),
    ]
    names = []
    for _ in range(3):
        found = choose(protocols, CT, None)
        assert found is not None
        names.append(found.name)
        protocols = [one for one in protocols if one.name != found.name]
    assert names == ["mine", "group", "site"]


def test_a_protocol_whose_cell_cannot_be_filled_gives_way() -> None:
    three = protocol("three planes", {"modalities": ["CT"]}, {"find": {"plane": "coronal"}}, position=0)
    one = protocol("one", {"modalities": ["CT"]}, {"find": {"plane": "axial"}}, position=1)
    found = choose([three, one], CT, None)
    assert found is not None
    assert found.name == "one"


def test_series_for_planning_are_hung_only_where_nothing_else_fits() -> None:
    cells = arrange(rule_of({"layout": "1x2", "cells": [{}, {}]}), CT, None)
    assert cells is not None
    assert [one.stack.stack for one in cells if one.stack] == ["axial", "scout"]


def test_no_stack_is_hung_twice_and_an_optional_cell_may_stay_empty() -> None:
    rule = rule_of({"layout": "1x3", "cells": [{}, {}, {"optional": True}]})
    cells = arrange(rule, CT, None)
    assert cells is not None
    assert [one.stack.stack if one.stack else None for one in cells] == ["axial", "scout", None]
    assert arrange(rule_of({"layout": "1x3", "cells": [{}, {}, {}]}), CT, None) is None


def test_words_prefer_a_series_and_do_not_exclude_the_others() -> None:
    shown = study(stack("1", "MR", description="T1 tra"), stack("2", "MR", description="T2 TSE tra"))
    for words, wanted in (("t2", "2"), ("t1", "1"), ("flair", "1")):
        cells = arrange(rule_of({"layout": "1x1", "cells": [{"find": {"words": words}}]}), shown, None)
        assert cells is not None
        assert cells[0].stack is not None
        assert cells[0].stack.stack == wanted


FOUR_VIEWS = [breast(name) for name in ("LMLO", "RMLO", "LCC", "RCC")]


def test_mammograms_hang_back_to_back_and_what_is_for_processing_does_not() -> None:
    raw = [breast(f"{name}", is_hung=False) for name in ("RCC", "LCC")]
    found = choose(built_in(), study(*raw, *FOUR_VIEWS), None)
    assert found is not None
    assert found.rule.layout == "2x2"
    assert found.rule.one_scale
    hung = [(one.stack.stack if one.stack else "", dict(one.cell.orient), one.cell.align) for one in found.cells]
    assert hung == [
        ("RCC", {"top": "R", "right": "P"}, "right"),
        ("LCC", {"top": "L", "right": "A"}, "left"),
        ("RMLO", {"top": "H", "right": "P"}, "right"),
        ("LMLO", {"top": "H", "right": "A"}, "left"),
    ]
    assert all(one.stack is not None and one.stack.is_hung for one in found.cells)


@pytest.mark.parametrize(
    ("shown", "with_prior", "name", "stacks"),
    [
        (CT, False, "CT", ["axial"]),
        (CT, True, "CT with prior", ["axial", "axial"]),
        (PET_CT, False, "PET/CT", ["ct", "pt"]),
        (study(*FOUR_VIEWS[2:]), False, "Mammography, CC", ["RCC", "LCC"]),
        (study(*FOUR_VIEWS[:2]), False, "Mammography, MLO", ["RMLO", "LMLO"]),
        (study(*FOUR_VIEWS), True, "Mammography with prior", ["RCC", "LCC"] * 2 + ["RMLO", "LMLO"] * 2),
        (
            study(*(stack(plane, "MR", plane=plane) for plane in ("axial", "sagittal", "coronal"))),
            False,
            "MR, three planes",
            ["sagittal", "coronal", "axial", None],
        ),
        (study(stack("pa", "DX"), stack("lateral", "DX")), False, "DX, two views", ["pa", "lateral"]),
        (study(stack("pa", "CR")), True, "CR with prior", ["pa", "pa"]),
        (study(stack("loop", "US")), False, "Ultrasound", ["loop"]),
        (study(*(stack(str(number), "US") for number in range(5))), False, "Ultrasound, many views", list("0123")),
        (study(stack("run", "XA")), False, "XA", ["run"]),
        (study(stack("frontal", "XA"), stack("lateral", "XA")), True, "XA, two runs", ["frontal", "lateral"]),
        (study(*(stack(str(number), "XA") for number in range(3))), False, "XA, many runs", [*"012", None]),
    ],
)
def test_the_built_in_protocols(shown: StudyFacts, with_prior: bool, name: str, stacks: list[str | None]) -> None:
    prior = study(*shown.stacks, uid="2") if with_prior else None
    # A prior's stacks are others than those of the study.
    found = choose(built_in(), shown, named_again(prior) if prior else None)
    assert found is not None
    assert found.name == name
    assert [one.stack.stack.removeprefix("prior ") if one.stack else None for one in found.cells] == stacks


def named_again(prior: StudyFacts) -> StudyFacts:
    return replace(prior, stacks=tuple(replace(one, stack=f"prior {one.stack}") for one in prior.stacks))


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ([], "A protocol is no JSON object."),
        ({"layout": "5x1", "cells": [{}]}, "A layout is rows x columns, 1x1 to 4x4, or 1+2 or 1+3."),
        ({"layout": "1+2", "cells": [{}] * 4}, "A layout of 1+2 has 1 to 3 cells."),
        ({"layout": "1x1", "cells": [{}, {}]}, "A layout of 1 x 1 has 1 to 1 cells."),
        ({"layout": "1x1", "cells": []}, "A layout of 1 x 1 has 1 to 1 cells."),
        ({"layout": "1x1", "cells": [{"finds": {}}]}, "A cell knows no finds."),
        (
            {"layout": "1x1", "cells": [{"find": {"plane": "oblique"}}]},
            "plane is one of axial, coronal, nothing, sagittal.",
        ),
        (
            {"layout": "1x1", "cells": [{"window": {"center": 1, "width": 0}}]},
            "A window has a center and a width of at least 1.",
        ),
        ({"layout": "1x1", "cells": [{}], "match": {"priors": "maybe"}}, "priors is one of any, needed, none."),
        ({"layout": "1x1", "cells": [{}], "links": ["rotation"]}, "links is one of scroll, window, zoom."),
        ({"layout": "1x1", "cells": [{}], "match": {"modalities": "CT"}}, "modalities is no list."),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused_with_a_sentence(rule: Any, sentence: str) -> None:
    with pytest.raises(WrongRule) as refusal:
        rule_of(rule)
    assert str(refusal.value) == sentence
