"""Hang a study for a reader: its priors, the protocol that fits, and the answer that a page understands."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from archive.models import Study, User
from viewer.hanging.facts import facts_of_study
from viewer.hanging.match import Find, HungCell, Protocol, StackFacts, StudyFacts, choose
from viewer.hanging.priors import Prior, best_prior
from viewer.hanging.rules import LINKS, WrongRule, rule_of
from viewer.models import HangingProtocol


def hanging_of(study: Study, priors: list[Prior], who: User) -> dict[str, Any] | None:
    """Layout, cells and links for a study as it is now; None where no protocol fits."""
    protocols = protocols_for(who)
    found = best_prior(priors)
    prior = found.study if found else None
    # The prior's stacks are only looked at where a protocol could ask for them.
    asks_for_prior = any(cell.prior for one in protocols for cell in one.rule.cells)
    hanging = choose(protocols, facts_of_study(study), facts_of_study(prior) if prior and asks_for_prior else None)
    if hanging is None:
        return None
    return {
        "name": hanging.name,
        "layout": hanging.rule.layout,
        "cells": [_cell(one) for one in hanging.cells],
        "links": {name: name in hanging.rule.links for name in LINKS},
        "one_scale": hanging.rule.one_scale,
    }


def _cell(hung: HungCell) -> dict[str, Any] | None:
    if hung.stack is None:
        return None
    cell = hung.cell
    return {
        "stack": hung.stack.stack,
        "StudyInstanceUID": hung.study_instance_uid,
        "orient": dict(cell.orient),
        "align": cell.align,
        "window": {"center": cell.window[0], "width": cell.window[1]} if cell.window else None,
    }


def protocols_for(who: User) -> list[Protocol]:
    """Active protocols of a person, of their groups and of the site; a row that was spoilt by hand is passed over."""
    groups = set(who.groups.values_list("pk", flat=True))
    rows = HangingProtocol.objects.filter(is_active=True).filter(
        Q(user=who) | Q(group__in=groups) | Q(user=None, group=None)
    )
    found = []
    for row in rows:
        try:
            rule = rule_of(row.rule)
        except WrongRule:
            continue
        closeness = 0 if row.user_id else 1 if row.group_id else 2
        found.append(Protocol(row.name, rule, closeness, row.position))
    return found


# --- "Hang it like this next time" -------------------------------------------------------------------------------------


def save_screen(study: Study, prior: Study | None, screen: dict[str, Any], who: User) -> HangingProtocol:
    """Save what is on the screen as this reader's protocol for studies of its kind, in place of an earlier one.

    Parameters
    ----------
    screen:
        ``layout``, ``cells`` (each null, or ``stack`` with ``window``, ``orient`` and ``align`` where there are such),
        ``links`` (names), ``one_scale``.

    Raises
    ------
    WrongRule
        It is no screen of this study and its prior.
    """
    current = facts_of_study(study)
    earlier = facts_of_study(prior) if prior else None
    cells = screen.get("cells")
    if not isinstance(cells, list):
        raise WrongRule("A screen has a list of cells.")
    rule = {
        "match": {
            "modalities": sorted(current.modalities),
            "body_parts": sorted(current.body_parts),
            "words": "" if current.body_parts else current.description.replace(",", " "),
            "priors": "needed" if earlier else "any",
        },
        "layout": screen.get("layout"),
        "cells": [_saved_cell(one, current, earlier) for one in cells],
        "links": screen.get("links", []),
        "one_scale": screen.get("one_scale") is True,
    }
    checked = rule_of(rule)
    if not any(one is not None for one in cells):
        raise WrongRule("Nothing is shown that could be hung next time.")
    name = " ".join(["My", "/".join(sorted(checked.modalities)), *sorted(checked.body_parts)])[:80]
    if earlier:
        name = f"{name[:69]} with prior"
    row, _ = HangingProtocol.objects.update_or_create(user=who, name=name, defaults={"rule": rule, "is_active": True})
    return row


def _saved_cell(value: Any, current: StudyFacts, earlier: StudyFacts | None) -> dict[str, Any]:
    if value is None:
        return {"empty": True}
    if not isinstance(value, dict):
        raise WrongRule("A cell of a screen is an object or null.")
    for facts in (current, earlier):
        stack = next((one for one in facts.stacks if one.stack == value.get("stack")), None) if facts else None
        if stack is not None:
            find = _find(stack)
            return {
                "find": {name: getattr(find, name) for name in Find.__slots__},
                "prior": facts is earlier,
                **{name: value[name] for name in ("window", "orient", "align") if name in value},
            }
    raise WrongRule("A cell shows a series that is neither of this study nor of its prior.")


def _find(stack: StackFacts) -> Find:
    """What a stack is recognised by next time: the words only prefer."""
    return Find(stack.modality, stack.plane, stack.laterality, stack.view, stack.description.replace(",", " "))
