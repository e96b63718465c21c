"""Keep what readers draw: made, changed, deleted and brought back, each change only on top of the one it saw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.models import Instance, Study, User
from viewer.annotations.shapes import Kind, Shape, geometry_of, read_shape
from viewer.errors import InvalidParameter, NotFound, ViewerError
from viewer.models import Annotation
from viewer.worklist.changes import worklist_changed

MOST_OF_A_STUDY = 5000
"""Measurements of one study; beyond that something is wrong with a browser, not with a patient."""
LONGEST_LABEL = 200
LONGEST_GROUP = 40


class AnnotationRefusal(ViewerError):
    """A change of a measurement that is refused; the message says why."""


class NotYourAnnotation(AnnotationRefusal):
    """It was drawn by somebody else, and the person is no radiologist."""

    def __init__(self) -> None:
        super().__init__("Only its author and radiologists change a measurement.")


class ChangedMeanwhile(AnnotationRefusal):
    """Somebody else has changed it since; ``annotation`` is how it is now."""

    def __init__(self, annotation: Annotation) -> None:
        super().__init__(f"Changed meanwhile by {annotation.changed_by or 'somebody else'}.")
        self.annotation = annotation


@dataclass(frozen=True, slots=True)
class Drawn:
    """A shape and where it lies, as a browser sends it."""

    shape: Shape
    stack: str
    sop_instance_uid: str
    frame_number: int
    label: str
    label_offset: list[float] | None
    group: str = ""


def annotations_of(study: Study) -> list[Annotation]:
    """What is drawn on a study and not deleted, the oldest first."""
    found = Annotation.objects.filter(study=study, deleted_at=None).select_related("author", "changed_by")
    return list(found)


def read_drawn(values: dict[str, Any], *, study: Study) -> Drawn:
    """Check what a browser sent against the study that it names.

    Raises
    ------
    InvalidParameter
        A value is missing or not of its kind.
    NotFound
        The study has no such frame.
    """
    shape = read_shape(values.get("kind"), values.get("geometry"))
    uid, frame, stack = values.get("SOPInstanceUID"), values.get("FrameNumber"), values.get("stack")
    if not isinstance(frame, int) or isinstance(frame, bool) or frame < 1:
        raise InvalidParameter("FrameNumber", frame, "a whole number from 1")
    instance = Instance.objects.shown().filter(sop_instance_uid=str(uid), series__study=study).first()
    if instance is None or frame > max(instance.frames, 1):
        raise NotFound("The study has no such image.")
    label, group = _words(values, "label", LONGEST_LABEL), _words(values, "group", LONGEST_GROUP)
    if not isinstance(stack, str) or not 0 < len(stack) <= 70:
        raise InvalidParameter("stack", stack, "the id of a stack")
    return Drawn(shape, stack, instance.sop_instance_uid, frame, label, _offset(values.get("label_offset")), group)


def _words(values: dict[str, Any], name: str, longest: int) -> str:
    found = values.get(name, "")
    if not isinstance(found, str) or len(found) > longest:
        raise InvalidParameter(name, found, f"text of at most {longest} characters")
    return found.strip()


def _offset(found: Any) -> list[float] | None:
    if found is None:
        return None
    is_pair = isinstance(found, list) and len(found) == 2
    if is_pair and all(isinstance(part, int | float) and math.isfinite(part) and abs(part) < 1e5 for part in found):
        return [float(part) for part in found]
    raise InvalidParameter("label_offset", found, "[x, y] in CSS pixels, or null")


def save_annotation(*, study: Study, annotation_id: UUID, version: int, drawn: Drawn, user: User) -> Annotation:
    """Make a measurement (version 0), or change it or bring it back on top of the version that was seen.

    Sent twice, it is kept once.

    Raises
    ------
    ChangedMeanwhile
        Another version is there.
    NotYourAnnotation
        Somebody else drew it, and the person is no radiologist.
    NotFound
        It belongs to another study, or there is none to change.
    """
    try:
        with transaction.atomic():
            known = _locked(study, annotation_id)
            if known is None:
                return _make(study, annotation_id, version, drawn, user)
            if _is_what_is_there(known, drawn, user):
                return known
            _check(known, version, user)
            _write(known, drawn)
            known.deleted_at = None
            return _changed(known, user)
    except IntegrityError:
        # Two requests made it at the same moment: the first has it.
        raise ChangedMeanwhile(Annotation.objects.get(pk=annotation_id, study=study)) from None


def delete_annotation(*, study: Study, annotation_id: UUID, version: int, user: User) -> Annotation:
    """Take a measurement off; ``save_annotation`` brings it back."""
    with transaction.atomic():
        known = _locked(study, annotation_id)
        if known is None:
            raise NotFound("There is no such measurement.")
        if known.deleted_at is not None:
            return known
        _check(known, version, user)
        known.deleted_at = timezone.now()
        return _changed(known, user)


def may_change(annotation: Annotation, user: User) -> bool:
    """Its author and radiologists, of what they may see."""
    return annotation.author_id == user.pk or has_role(user, Role.RADIOLOGIST)


def _locked(study: Study, annotation_id: UUID) -> Annotation | None:
    known = Annotation.objects.select_for_update(of=("self",)).filter(pk=annotation_id).first()
    if known is not None and known.study_id != study.pk:
        raise NotFound("There is no such measurement.")
    return known


def _make(study: Study, annotation_id: UUID, version: int, drawn: Drawn, user: User) -> Annotation:
    if version:
        raise NotFound("There is no such measurement.")
    if Annotation.objects.filter(study=study, deleted_at=None).count() >= MOST_OF_A_STUDY:
        raise AnnotationRefusal(f"A study holds at most {MOST_OF_A_STUDY} measurements.")
    now = timezone.now()
    made = Annotation(id=annotation_id, study=study, author=user, changed_by=user, created_at=now, changed_at=now)
    _write(made, drawn)
    made.save(force_insert=True)
    _tell_worklist(made)
    return made


def _write(annotation: Annotation, drawn: Drawn) -> None:
    annotation.kind = drawn.shape.kind
    annotation.geometry = geometry_of(drawn.shape)
    annotation.stack = drawn.stack
    annotation.sop_instance_uid = drawn.sop_instance_uid
    annotation.frame_number = drawn.frame_number
    annotation.label = drawn.label
    annotation.label_offset = drawn.label_offset
    annotation.group = drawn.group


def _is_what_is_there(known: Annotation, drawn: Drawn, user: User) -> bool:
    """Whether the answer to the same change got lost on its way."""
    return (
        known.deleted_at is None
        and known.changed_by_id == user.pk
        and known.kind == drawn.shape.kind
        and known.geometry == geometry_of(drawn.shape)
        and (known.sop_instance_uid, known.frame_number) == (drawn.sop_instance_uid, drawn.frame_number)
        and (known.label, known.label_offset, known.group) == (drawn.label, drawn.label_offset, drawn.group)
    )


def _check(known: Annotation, version: int, user: User) -> None:
    if not may_change(known, user):
        raise NotYourAnnotation
    if known.version != version:
        raise ChangedMeanwhile(known)


def _changed(annotation: Annotation, user: User) -> Annotation:
    annotation.version += 1
    annotation.changed_by = user
    annotation.changed_at = timezone.now()
    annotation.save()
    _tell_worklist(annotation)
    return annotation


def _tell_worklist(annotation: Annotation) -> None:
    """Lists say how many key images a study has."""
    if annotation.kind == Kind.KEY_IMAGE:
        worklist_changed()
