"""The facts of a study's stacks that decide how they are hung, from what was indexed."""

from __future__ import annotations

from archive.models import Study
from viewer.errors import ViewerError
from viewer.hanging.match import StackFacts, StudyFacts
from viewer.stacks.lookup import SplitSeries
from viewer.stacks.manifest import split_study, undrawable
from viewer.stacks.splitting import Stack, plane_of
from viewer.tiles.frames import drawable

FOR_PROCESSING = "FOR PROCESSING"


def facts_of_study(study: Study) -> StudyFacts:
    """A study with all its stacks."""
    splits = split_study(study)
    return StudyFacts(
        study_instance_uid=study.study_instance_uid,
        modalities=frozenset(study.modality_list()),
        body_parts=body_parts_of(study),
        description=study.study_description,
        stacks=tuple(facts_of_stack(stack, split) for split in splits for stack in split.stacks),
    )


def body_parts_of(study: Study) -> frozenset[str]:
    return frozenset(part.strip().upper() for part in study.body_parts.split("\\")) - {""}


def facts_of_stack(stack: Stack, split: SplitSeries) -> StackFacts:
    """One stack; one that cannot be drawn, was made by the portal or is FOR PROCESSING is not hung."""
    series, first = split.series, stack.first
    try:
        description = drawable(first.instance).description
    except ViewerError:
        return StackFacts(stack.id, series.modality, is_hung=False)
    return StackFacts(
        stack=stack.id,
        modality=series.modality,
        description=series.series_description,
        plane=plane_of(first.orientation),
        laterality=description.frame(first.frame_number).laterality,
        view=description.view_position,
        is_localizer="LOCALIZER" in first.image_type,
        is_hung=not (series.is_derived or description.presentation_intent == FOR_PROCESSING or undrawable(stack)),
    )
