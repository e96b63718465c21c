"""Words as people type them into a search field: a study's search text contains each of them, in whatever order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q

from archive.indexing.search_text import fold
from archive.querying.conditions import Condition
from archive.querying.finders import by_trigrams
from archive.querying.keys import Owner

if TYPE_CHECKING:
    from archive.models.study import StudyQuerySet

LONGEST_TEXT: Final = 120
MOST_WORDS: Final = 8


def words_of(text: str) -> list[str]:
    """What is typed as the words that a study's search text must each contain."""
    return [word for part in fold(text[:LONGEST_TEXT]).split()[:MOST_WORDS] if (word := part.strip(",;"))]


def words_condition(text: str) -> Condition | None:
    """The condition of all words together; None where nothing is typed."""
    words = words_of(text)
    if not words:
        return None
    finder = by_trigrams("search_text", words)

    def where(path: str) -> Q:
        met = Q()
        for word in words:
            met &= Q(**{f"{path}search_text__contains": word})
        return met

    return Condition(Owner.STUDY, where, (finder,) if finder else ())


def containing(studies: StudyQuerySet, text: str) -> StudyQuerySet:
    """Studies that contain each word of a text, by the index where it names few."""
    from archive.querying.search import FEW_TO_SORT, few_studies

    condition = words_condition(text)
    if condition is None:
        return studies
    few = few_studies([condition], FEW_TO_SORT)
    met = studies.filter(condition.where(""))
    return met if few is None else met.filter(pk__in=few)
