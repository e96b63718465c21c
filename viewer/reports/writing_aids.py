"""Templates and macros that a reader may use: the site's, those of their groups, their own."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q

from archive.models import Study, User
from viewer.models import Macro, ReportTemplate
from viewer.models.report import SECTIONS
from viewer.reports.template_fields import filled

MOST = 200


def templates_for(who: User, study: Study) -> list[ReportTemplate]:
    """Templates of the study's modalities or of any; the reader's own first, then those that fit the body part."""
    modalities = study.modality_list()
    parts = {part.strip().upper() for part in study.body_parts.split("\\") if part.strip()}
    shared = Q(owner=None, group=None) | Q(owner=who) | Q(group__in=who.groups.all())
    found = ReportTemplate.objects.filter(shared, Q(modality="") | Q(modality__in=modalities)).distinct()[:MOST]
    return sorted(
        found,
        key=lambda one: (one.owner_id is None, one.body_part.upper() not in parts, not one.modality, one.name, one.pk),
    )


def texts_of(template: ReportTemplate, values: Mapping[str, str]) -> dict[str, str]:
    """Sections of a template with its fields filled in."""
    return {name: filled(getattr(template, name), values) for name in SECTIONS}


def macros_for(who: User) -> dict[str, str]:
    """Word -> text; the reader's own word comes before the site's."""
    found = Macro.objects.filter(Q(owner=None) | Q(owner=who)).order_by("pk")[: MOST * 5]
    ordered = sorted(found, key=lambda one: one.owner_id is not None)
    return {one.word: one.text for one in ordered}
