"""``/studies/<uid>/send``: the whole study or some of its series to a peer, as a job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from archive.access.roles import user_of
from archive.access.rules import may_download
from archive.errors import ArchiveError
from archive.exchange.committing import commitment_of
from archive.exchange.sending import enqueue_send, sendable_peers
from archive.jobs.kinds import SEND
from archive.models import Job, Study
from viewer.pages.study import patient_facts, study_facts, visible_study

SENT_SHOWN: Final = 5


@require_http_methods(["GET", "HEAD", "POST"])
def sending(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The page; by POST the job is queued and the page of jobs shows it."""
    study = visible_study(request, study_instance_uid)
    if not may_download(user_of(request), study):
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            return _queue(request, study)
        except ArchiveError as error:
            problem = str(error)
    return render(request, "sending/page.html", context_of(request, study, problem), status=400 if problem else 200)


def _queue(request: HttpRequest, study: Study) -> HttpResponse:
    peer = sendable_peers().filter(ae_title=request.POST.get("peer", "")).first()
    if peer is None:
        raise NothingChosen("Choose where the images are to go.")
    chosen = request.POST.getlist("series")
    if not chosen:
        raise NothingChosen("Choose at least one series.")
    shown = study.series.filter(instance_count__gt=0)
    known = set(shown.values_list("series_instance_uid", flat=True))
    wanted = [] if known <= set(chosen) else sorted(known & set(chosen))
    job = enqueue_send(study, peer, by=user_of(request), series_uids=wanted)
    messages.success(request, f"{job.total_steps} images wait to be sent to {peer.ae_title}.")
    return redirect("job", job.pk)


class NothingChosen(ArchiveError):
    """The form names no peer or no series."""


@dataclass(frozen=True, slots=True)
class SentBefore:
    """An earlier sending of the study."""

    job: Job
    commitment: str
    """What its peer has said about keeping the images; empty where it was not asked."""


def sent_before(study: Study) -> list[SentBefore]:
    """The last sendings of a study, the newest first."""
    jobs = Job.objects.filter(kind=SEND, study=study).order_by("-pk")[:SENT_SHOWN]
    return [SentBefore(job, in_words_of(Counter(commitment_of(job).values()))) for job in jobs]


def in_words_of(counts: Counter[str]) -> str:
    """
    >>> in_words_of(Counter({"committed": 12, "asked": 1}))
    '12 committed, 1 asked'
    """
    return ", ".join(f"{count} {words}" for words, count in counts.most_common())


def context_of(request: HttpRequest, study: Study, problem: str) -> dict[str, Any]:
    chosen = set(request.POST.getlist("series"))
    series = study.series.filter(instance_count__gt=0)
    return {
        "study_row": study,
        "study": study_facts(study),
        "patient": patient_facts(study),
        "peers": sendable_peers(),
        "peer": request.POST.get("peer", ""),
        # What the portal derived is not sent unless it is asked for.
        "series": [
            (one, one.series_instance_uid in chosen if request.method == "POST" else not one.is_derived)
            for one in series
        ],
        "problem": problem,
        "before": sent_before(study),
    }
