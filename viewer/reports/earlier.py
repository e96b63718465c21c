"""Earlier texts of a draft: kept when another hand or a later sitting saves over them, for as long as the site says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from archive.models import User
from viewer.models import EarlierDraft, Report, ReportPolicy
from viewer.reports.sections import draft_text

APART = timedelta(minutes=10)
"""Of one hand, texts so far apart are kept."""
MOST_SHOWN = 10


def keep_earlier(report: Report, saver: User, *, always: bool = False) -> EarlierDraft | None:
    """Keep the text that is about to be saved over, where it is another's or the last kept one is older; else None.

    ``always``: an earlier text is put back over it.
    """
    text = draft_text(report)
    if not any(part.strip() for part in text.values()):
        return None
    last = report.earlier_drafts.first()
    is_apart = last is None or report.saved_at - last.saved_at >= APART
    if report.author_id == saver.pk and not is_apart and not always:
        return None
    kept, _ = EarlierDraft.objects.get_or_create(
        report=report,
        number=report.draft_number,
        defaults={"text": text, "author_name": str(report.author or ""), "saved_at": report.saved_at},
    )
    return kept


def in_json(report: Report) -> list[dict[str, Any]]:
    """For the panel, the latest first."""
    return [
        {"number": one.number, "text": one.text, "by": one.author_name, "at": one.saved_at.isoformat()}
        for one in report.earlier_drafts.all()[:MOST_SHOWN]
    ]


def drop_old_drafts() -> int:
    """Remove earlier texts that are older than the site keeps them; returns how many."""
    until = timezone.now() - timedelta(days=ReportPolicy.current().earlier_drafts_kept_days)
    count, _ = EarlierDraft.objects.filter(saved_at__lt=until).delete()
    return count
