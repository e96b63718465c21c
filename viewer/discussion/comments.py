"""Remarks about a study in threads, with people mentioned in them, and requests to look."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Instance, Series, Study, User
from viewer.discussion.signals import attention_wanted
from viewer.errors import InvalidParameter, NotFound, ViewerError
from viewer.models import Comment, Consultation, StudyPresence
from viewer.worklist.changes import worklist_changed

LONGEST_TEXT = 4000
LONGEST_VIEW = 2000
NUL = "\0"
"""No database column holds it."""
FARTHEST = 1_000_000
"""Of a point from an image's corner, in pixels: slides are large."""
LONGEST_QUESTION = 500
MOST_OF_A_STUDY = 2000
GONE_AFTER = timedelta(seconds=45)
MENTION = re.compile(r"(?<![\w@])@([\w.+-]{1,150})")


class CommentRefusal(ViewerError):
    """A remark that cannot be made or changed; the message says why."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where in an image: a rectangle from corner to corner, or an arrow from tail to tip; x and y in its pixels."""

    kind: str
    points: tuple[tuple[float, float], tuple[float, float]]

    @classmethod
    def read(cls, value: object) -> Region:
        """A region as a script sends it: ``{"kind": "arrow", "points": [[x, y], [x, y]]}``.

        Raises
        ------
        InvalidParameter
        """
        accepted = "kind rectangle or arrow, and two points of x and y in pixels of the image"
        if not isinstance(value, dict) or value.get("kind") not in ("rectangle", "arrow"):
            raise InvalidParameter("region", value, accepted)
        points = value.get("points")
        if not isinstance(points, list) or len(points) != 2:
            raise InvalidParameter("region", value, accepted)
        for point in points:
            is_pair = isinstance(point, list) and len(point) == 2
            if not is_pair or not all(type(part) in (int, float) and abs(part) <= FARTHEST for part in point):
                raise InvalidParameter("region", value, accepted)
        (x0, y0), (x1, y1) = ((round(float(x), 1), round(float(y), 1)) for x, y in points)
        return cls(str(value["kind"]), ((x0, y0), (x1, y1)))

    def in_json(self) -> dict[str, object]:
        return {"kind": self.kind, "points": [list(point) for point in self.points]}


@dataclass(frozen=True, slots=True)
class Place:
    """What a remark is about: nothing of it for the whole study."""

    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    frame_number: int | None = None
    region: Region | None = None
    """Of the image."""
    view: str = ""
    """Query of the viewer's address."""


def add_comment(study: Study, text: str, *, by: User, place: Place | None = None, thread: int | None = None) -> Comment:
    """Make a remark, or answer one; who is mentioned and may see the study is told.

    Raises
    ------
    CommentRefusal, InvalidParameter, NotFound
    """
    text, place = text.strip(), place or Place()
    if not text or len(text) > LONGEST_TEXT or NUL in text:
        raise InvalidParameter("text", text, f"1 to {LONGEST_TEXT} characters")
    _check(study, place)
    begun = Comment.objects.filter(pk=thread, study=study, thread=None).first() if thread is not None else None
    if thread is not None and begun is None:
        raise NotFound("There is no such remark.")
    if Comment.objects.filter(study=study).count() >= MOST_OF_A_STUDY:
        raise CommentRefusal(f"A study holds at most {MOST_OF_A_STUDY} remarks.")
    mentioned = people_mentioned(text, study)
    with transaction.atomic():
        comment = Comment.objects.create(
            study=study,
            thread=begun,
            author=by,
            text=text,
            series_instance_uid=place.series_instance_uid,
            sop_instance_uid=place.sop_instance_uid,
            frame_number=place.frame_number,
            region=place.region.in_json() if place.region else None,
            view=place.view,
        )
        comment.mentioned.set(mentioned)
        _record(Event.COMMENTED, study, by, comment=comment.pk, mentioned=len(mentioned))
    _tell(study, [one for one in mentioned if one.pk != by.pk], by, "mentioned")
    if begun is not None:
        told = {by.pk, *(one.pk for one in mentioned)}
        _tell(study, [one for one in people_of(begun) if one.pk not in told], by, "remark")
    return comment


def people_of(begun: Comment) -> list[User]:
    """Who has written in a thread and may still see its study."""
    wrote = Q(pk=begun.author_id) | Q(pk__in=begun.answers.values("author"))
    return [one for one in User.objects.filter(wrote, is_active=True) if may_see(one, begun.study)]


def _check(study: Study, place: Place) -> None:
    """What a remark is about must be of the study."""
    if NUL in f"{place.series_instance_uid}{place.sop_instance_uid}":
        raise NotFound("The study has no such series.")
    if (
        place.series_instance_uid
        and not Series.objects.filter(study=study, series_instance_uid=place.series_instance_uid).exists()
    ):
        raise NotFound("The study has no such series.")
    if place.sop_instance_uid:
        shown = Instance.objects.shown().filter(series__study=study, sop_instance_uid=place.sop_instance_uid)
        instance = shown.first()
        if instance is None or not 1 <= (place.frame_number or 1) <= max(instance.frames, 1):
            raise NotFound("The study has no such image.")
    if place.region is not None and not place.sop_instance_uid:
        raise InvalidParameter("region", place.region.kind, "a place in an image that is named too")
    if len(place.view) > LONGEST_VIEW or urlsplit(place.view).netloc or not place.view.isprintable():
        raise InvalidParameter("view", place.view, "the query of the viewer's address")


def people_mentioned(text: str, study: Study) -> list[User]:
    """Those behind ``@name`` who may see the study; others are not told and not named."""
    names = {name.rstrip(".") for name in MENTION.findall(text)}
    people = User.objects.filter(username__in=names, is_active=True)
    return [one for one in people if may_see(one, study)]


def may_see(who: User, study: Study) -> bool:
    return Study.objects.visible_to(who).filter(pk=study.pk).exists()


def threads_of(study: Study) -> list[Comment]:
    """Remarks that begin a thread, with their answers, the oldest first."""
    begun = Comment.objects.filter(study=study, thread=None).select_related("author", "resolved_by")
    return list(begun.prefetch_related("answers__author"))


def unresolved(study: Study) -> int:
    """How many threads wait for somebody."""
    return Comment.objects.filter(study=study, thread=None, resolved_at=None, deleted_at=None).count()


def resolve(comment: Comment, *, by: User, is_resolved: bool = True) -> None:
    """Mark a thread as done with, or take that back; everybody who may write here may."""
    if comment.thread_id is not None:
        raise CommentRefusal("A thread is resolved as a whole.")
    Comment.objects.filter(pk=comment.pk).update(
        resolved_at=timezone.now() if is_resolved else None, resolved_by=by if is_resolved else None
    )
    _record(Event.COMMENTED, comment.study, by, comment=comment.pk, resolved=is_resolved)


def remove(comment: Comment, *, by: User, is_removed: bool = True) -> None:
    """Take a remark of one's own away, or bring it back; what others answered stays."""
    if comment.author_id != by.pk:
        raise CommentRefusal("Only its author takes a remark away.")
    Comment.objects.filter(pk=comment.pk).update(deleted_at=timezone.now() if is_removed else None)
    _record(Event.COMMENTED, comment.study, by, comment=comment.pk, removed=is_removed)


ACTIONS: dict[str, Callable[..., None]] = {
    "resolve": resolve,
    "reopen": partial(resolve, is_resolved=False),
    "remove": remove,
    "restore": partial(remove, is_removed=False),
}
"""What can be done with a remark, by the word in its address."""


# --- Please look ------------------------------------------------------------------------------------------------------


def consult(study: Study, username: str, question: str, *, by: User) -> Consultation:
    """Ask another reader to look; asked twice it is one request.

    Raises
    ------
    CommentRefusal
    """
    if NUL in f"{username}{question}":
        raise CommentRefusal("Choose another reader who may see this study.")
    asked = User.objects.filter(username=username, is_active=True).exclude(pk=by.pk).first()
    if asked is None or not has_role(asked, Role.RADIOLOGIST) or not may_see(asked, study):
        raise CommentRefusal("Choose another reader who may see this study.")
    if len(question) > LONGEST_QUESTION:
        raise CommentRefusal(f"A question has at most {LONGEST_QUESTION} characters.")
    with transaction.atomic():
        wanted, is_new = Consultation.objects.get_or_create(
            study=study, asked_by=by, asked=asked, done_at=None, defaults={"question": question.strip()}
        )
        if is_new:
            _record(Event.CONSULTED, study, by, consultation=wanted.pk, asked=asked.get_username())
            worklist_changed()
    if is_new:
        _tell(study, [asked], by, "consulted")
    return wanted


def end_consultation(wanted: Consultation, *, by: User) -> None:
    """The one who was asked has looked, or the one who asked needs it no more."""
    if by.pk not in (wanted.asked_id, wanted.asked_by_id):
        raise CommentRefusal("Only who asked and who was asked end this.")
    if Consultation.objects.filter(pk=wanted.pk, done_at=None).update(done_at=timezone.now()):
        _record(Event.CONSULTED, wanted.study, by, consultation=wanted.pk, done=True)
        worklist_changed()


def open_consultations(who: User) -> list[Consultation]:
    """What others ask a person to look at, as far as they may see it now; the oldest first."""
    found = Consultation.objects.filter(asked=who, done_at=None).select_related("study__patient", "asked_by")
    return list(found.filter(study__in=Study.objects.visible_to(who)))


# --- Who else has it open ---------------------------------------------------------------------------------------------


def sign_of_life(study: Study, who: User) -> list[User]:
    """Note that a person has a study open; returns who else has."""
    now = timezone.now()
    StudyPresence.objects.update_or_create(study=study, user=who, defaults={"seen_at": now})
    others = StudyPresence.objects.filter(study=study, seen_at__gt=now - GONE_AFTER).exclude(user=who)
    return [one.user for one in others.select_related("user")]


def _tell(study: Study, people: list[User], by: User, why: str) -> None:
    for person in people:
        transaction.on_commit(
            lambda person=person: attention_wanted.send_robust(  # type: ignore[misc]
                sender=Comment, person=person, study=study, by=by, why=why
            ),
            robust=True,
        )


def _record(event: Event, study: Study, by: User, **details: object) -> None:
    record_event(event, user=by, study_instance_uid=study.study_instance_uid, details=details)
