"""The report's own page: beside no image, for writing on a second screen, for reading and for printing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from archive.access.roles import user_of
from archive.access.rules import may_read_reports
from archive.models import Study, User
from viewer.api.reports import record_view, visible_study
from viewer.critical.words import results_for
from viewer.reports.access import readable_versions
from viewer.reports.document import ReportDocument, compose
from viewer.reports.html import as_html
from viewer.reports.identity import identity_of
from viewer.reports.outside import newest_prior_report, outside_reports
from viewer.reports.questions import questions_of
from viewer.worklist.claiming import may_read


@require_safe
def report_page(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Readers write here; who refers reads the final report; other roles are told that it is not for them."""
    study = visible_study(request, study_instance_uid)
    who = user_of(request)
    if not (may_read(who) or may_read_reports(who, study)):
        return render(request, "report/not_for_role.html", {"study": study}, status=403)
    document = readable_report(who, study)
    if document is not None:
        record_view(request, study)
    return render(
        request,
        "report/page.html",
        {
            "study": study,
            "identity": identity_of(study),
            "may_read": may_read(who),
            "results": results_for(who, study),
            "questions": questions_of(study),
            "may_answer": may_read(who),
            "outside": outside_reports(study),
            "report_html": as_html(document, study=study) if document else "",
            "report_data": report_data(study) | {"sign_in": resolve_url(settings.LOGIN_URL)} if may_read(who) else None,
        },
    )


@require_safe
def beside(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """For the panel: reports of the study from elsewhere, and the newest report of its priors, ready to be opened."""
    study = visible_study(request, study_instance_uid)
    who = user_of(request)
    if not may_read(who):
        raise Http404("There is nothing here.")
    outside, prior = outside_reports(study), newest_prior_report(study, who)
    for shown in (study if outside else None, prior.prior.study if prior else None):
        if shown is not None:
            record_view(request, shown)
    document = prior.document if prior else None
    html = as_html(document, study=prior.prior.study) if prior and document else ""
    return render(request, "report/beside.html", {"outside": outside, "prior": prior, "prior_html": html})


def readable_report(who: User, study: Study) -> ReportDocument | None:
    """The signed report that stands, as far as this person may read it."""
    return compose(readable_versions(who, study))


def report_data(study: Study) -> dict[str, Any]:
    """What the scripts of the panel and of the page begin with."""
    from viewer.stacks.manifest import study_manifest

    return {
        "study": study.study_instance_uid,
        "patient": study.patient_id,
        "patient_name": identity_of(study)["patient"],
        "manifest": study_manifest(study),
    }
