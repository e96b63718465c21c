"""Rejecting and restoring from the lists of studies, series and instances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpResponse

from archive.admin.reasons import Answer, Question, with_reason
from archive.indexing.rejecting import codes_of, reject_instances, restore_instances
from archive.models import Instance, User
from archive.models.instance import InstanceQuerySet

Below = Callable[[QuerySet[Any]], InstanceQuerySet]
"""The instances that belong to the chosen rows."""


def rejecting_actions(below: Below) -> Sequence[Callable[..., HttpResponse | None]]:
    """The two actions of a list."""

    def touches(rows: QuerySet[Any]) -> list[str]:
        totals = below(rows).aggregate(
            image_count=Count("pk"),
            series_count=Count("series", distinct=True),
            study_count=Count("series__study", distinct=True),
        )
        hidden = below(rows).exclude(rejection="").count()
        return [
            f"{totals['image_count']} images of {totals['series_count']} series in {totals['study_count']} studies",
            f"{hidden} of them are rejected now",
        ]

    def reject(rows: QuerySet[Any], answer: Answer) -> str:
        changed = reject_instances(
            below(rows), code=answer.choice, reason=answer.reason, by=answer.by, address=answer.address
        )
        return f"{changed.instances} images of {len(changed.revisions)} studies are rejected; they can be restored."

    def restore(rows: QuerySet[Any], answer: Answer) -> str:
        changed = restore_instances(below(rows), reason=answer.reason, by=answer.by, address=answer.address)
        return f"{changed.instances} images of {len(changed.revisions)} studies are shown again."

    return (
        with_reason(
            "reject",
            Question(
                "Reject images",
                "They disappear at once from every list, picture and query. Their bytes are kept; they can be restored.",
                reject,
                touches=touches,
                choices=_codes,
                choice_label="Why they are rejected",
                is_destructive=True,
            ),
        ),
        with_reason(
            "restore",
            Question(
                "Restore rejected images",
                "They are shown again in every list, picture and query.",
                restore,
                touches=touches,
            ),
        ),
    )


def _codes(who: User) -> list[tuple[str, str]]:
    return [(code.value, code.label) for code in codes_of(who)]


def instances_of(lookup: str) -> Below:
    """Instances whose relation named by ``lookup`` is among the rows."""

    def below(rows: QuerySet[Any]) -> InstanceQuerySet:
        return Instance.objects.filter(**{f"{lookup}__in": rows.values("pk")})

    return below
