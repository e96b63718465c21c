"""Send signed reports to the systems that want them: one job a receiver, tried again until it is acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.uids import uid_from
from archive.hl7.sending import Acknowledgement, NoAnswer, send_message
from archive.jobs.queue import enqueue
from archive.jobs.run import JobRefused, TryLater
from archive.models import Job, Study, User
from viewer.models import ReportVersion, ResultReceiver
from viewer.reports.document import compose
from viewer.results.message import Result, oru_message

if TYPE_CHECKING:
    from archive.jobs.run import Progress

RESULT = "result"
MOST_ATTEMPTS_KEPT = 50


def queue_results(version: ReportVersion, *, by: User) -> int:
    """Owe each receiver that wants it a signed version, in the transaction that signs; returns how many."""
    receivers = ResultReceiver.objects.filter(enabled=True)
    if version.kind == ReportVersion.Kind.PRELIMINARY:
        receivers = receivers.filter(wants_preliminary=True)
    for receiver in receivers:
        parameters = {"version": version.pk, "receiver": receiver.pk, "name": receiver.name}
        enqueue(RESULT, study=version.report.study, parameters=parameters, created_by=by)
    return len(receivers)


def send_result(job: Job, progress: Progress) -> str:
    """Parameters: ``version``, ``receiver``. Every try is kept in the job's details."""
    receiver = ResultReceiver.objects.filter(pk=job.parameters.get("receiver"), enabled=True).first()
    if receiver is None:
        raise JobRefused("The receiver of results is no longer there, or is switched off.")
    found = ReportVersion.objects.select_related("report__study__patient").filter(pk=job.parameters.get("version"))
    version = found.first()
    if version is None:
        raise JobRefused("The signed report is no longer there.")
    progress.start(1, f"Sending to {receiver.name}")
    control_id = uid_from("HL7 result", str(job.pk), version.sha256)[-20:]
    data = oru_message(result_of(version), receiver, control_id=control_id, at=timezone.now())
    try:
        answer = send_message(receiver.host, receiver.port, data, control_id=control_id)
    except NoAnswer as error:
        _keep(job, progress, str(error))
        raise TryLater(str(error)) from error
    _keep(job, progress, f"{answer.code} {answer.words}".strip())
    _require_accepted(answer, receiver)
    record_event(
        Event.RESULT_SENT,
        actor="worker",
        study_instance_uid=version.report.study.study_instance_uid,
        subject=f"receiver of results {receiver.pk}",
        details={"version": version.number, "control_id": control_id},
    )
    return f"{receiver.name} has acknowledged the {version.kind} report."


def result_of(version: ReportVersion) -> Result:
    """The report as it stood with a version."""
    versions = list(
        ReportVersion.objects.filter(report=version.report, number__lte=version.number)
        .select_related("author")
        .order_by("number")
    )
    document = compose(versions)
    if document is None:
        raise JobRefused("The signed report is no longer there.")
    return Result(document, version.report.study, {one.number: one.author for one in versions}, _facility())


def _facility() -> str:
    from viewer.pages.context import SITE_NAME

    return str(getattr(settings, "PORTAL_SITE_NAME", "") or SITE_NAME)


def _require_accepted(answer: Acknowledgement, receiver: ResultReceiver) -> None:
    said = f": {answer.words}" if answer.words else ""
    if answer.is_refused:
        raise JobRefused(f"{receiver.name} refuses the message ({answer.code}){said}")
    if not answer.is_accepted:
        raise TryLater(f"{receiver.name} could not take the message ({answer.code}){said}.")


def _keep(job: Job, progress: Progress, words: str) -> None:
    tried = [*job.details.get("attempts", []), {"at": timezone.now().isoformat(timespec="seconds"), "words": words}]
    progress.keep({**job.details, "attempts": tried[-MOST_ATTEMPTS_KEPT:]})


def sent_of(study: Study) -> list[dict[str, Any]]:
    """To whom the study's reports were sent, and how it stands, the latest first: one line a receiver."""
    lines: dict[Any, dict[str, Any]] = {}
    for job in Job.objects.filter(study=study, kind=RESULT).order_by("-pk")[:100]:
        name = str(job.parameters.get("name", ""))
        lines.setdefault(name, {"name": name, "state": job.get_state_display(), "words": job.message, "job": job.pk})
    return list(lines.values())
