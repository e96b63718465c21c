"""Ask the radiologist: a question to whoever signed, or reads the study now, and its answer beside the report."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.access.rules import may_read_reports
from archive.audit.events import Event
from archive.models import Study, User
from viewer.models import Notification, Question, ReadingTask, ReportVersion
from viewer.notifying.telling import mark_seen_of, tell
from viewer.reports.errors import AlreadySigned, InvalidText, NotForYou
from viewer.worklist.claiming import Change, may_read

LONGEST_QUESTION = 1000
LONGEST_ANSWER = 2000
MOST_OPEN = 20
"""Questions of one study that wait for an answer."""


def reader_to_ask(study: Study) -> User | None:
    """Who signed last, or reads the study now; None where nobody has anything to do with it yet."""
    last = ReportVersion.objects.filter(report__study=study, author__is_active=True).order_by("number").last()
    if last is not None:
        return last.author
    task = ReadingTask.objects.filter(study=study, claimed_by__is_active=True).select_related("claimed_by").first()
    return task.claimed_by if task else None


def may_ask(who: User, study: Study) -> bool:
    """Clinicians ask about what they may read."""
    return has_role(who, Role.CLINICIAN) and may_read_reports(who, study)


@transaction.atomic
def ask(change: Change, text: str) -> Question:
    """Ask about a study.

    Raises
    ------
    NotForYou, InvalidText
    """
    if not may_ask(change.user, change.study):
        raise NotForYou("Clinicians ask about the patients they treat.")
    reader = reader_to_ask(change.study)
    if reader is None:
        raise InvalidText("Nobody reads this study yet: there is nobody to ask. Try again once it is being read.")
    if Question.objects.filter(study=change.study, answered_at__isnull=True).count() >= MOST_OPEN:
        raise InvalidText(f"{MOST_OPEN} questions about this study wait for an answer already.")
    question = Question.objects.create(
        study=change.study,
        text=_clean(text, LONGEST_QUESTION),
        asked_by=change.user,
        asked_at=timezone.now(),
        asked_of=reader,
    )
    change.record(Event.QUESTION_ASKED, question=question.pk, of=reader.get_username())
    tell([reader], Notification.Kind.QUESTION, occasion=f"question {question.pk}", study=change.study)
    return question


@transaction.atomic
def answer(change: Change, question: Question, text: str) -> Question:
    """Answer once; any radiologist may.

    Raises
    ------
    NotForYou, InvalidText, AlreadySigned
    """
    if not may_read(change.user):
        raise NotForYou("Radiologists answer questions about reports.")
    cleaned = _clean(text, LONGEST_ANSWER)
    answered = Question.objects.filter(pk=question.pk, answered_at__isnull=True).update(
        answer=cleaned, answered_by=change.user, answered_at=timezone.now()
    )
    question.refresh_from_db()
    if not answered:
        raise AlreadySigned(f"{question.answered_by} has answered this already.")
    change.record(Event.QUESTION_ANSWERED, question=question.pk)
    mark_seen_of(f"question {question.pk}")
    tell([question.asked_by], Notification.Kind.ANSWER, occasion=f"answer {question.pk}", study=question.study)
    return question


def questions_of(study: Study) -> list[Question]:
    """The oldest first."""
    return list(Question.objects.filter(study=study).select_related("asked_by", "answered_by"))


def _clean(text: str, longest: int) -> str:
    cleaned = "".join(c for c in text.replace("\r\n", "\n").strip() if c.isprintable() or c == "\n")
    if not cleaned or len(cleaned) > longest:
        raise InvalidText(f"Please write 1 to {longest} characters.")
    return cleaned
