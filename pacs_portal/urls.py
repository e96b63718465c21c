"""The whole address map."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from archive import uid_converter  # noqa: F401 - registers ``uid``
from archive.dicomweb.doors import resource
from pacs_portal import accounts, health  # noqa: F401 - accounts listens to sign-ins
from viewer import stack_converter  # noqa: F401 - registers ``stack``
from viewer.api import color_maps, instances, measurements, processing, reports, values
from viewer.api.schema import SchemaView
from viewer.pages import (
    account,
    admin_home,
    arrivals,
    audit,
    display,
    emergency,
    home,
    jobs,
    peers,
    priors,
    quarantine,
    referrals,
    rejecting,
    report,
    search,
    sending,
    study,
    upload,
    worklist,
)
from viewer.stacks import views as stacks
from viewer.tiles import wado_rendered, wado_uri

STUDY = "dicom-web/studies/<uid:study_instance_uid>"
SERIES = f"{STUDY}/series/<uid:series_instance_uid>"
INSTANCE = f"{SERIES}/instances/<uid:sop_instance_uid>"
FRAMES = f"{INSTANCE}/frames/<str:frames>"

urlpatterns = [
    path("", home.home, name="home"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/rows", worklist.rows, name="worklist-rows"),
    path("worklist/columns", worklist.columns, name="worklist-columns"),
    path("studies/<uid:study_instance_uid>/preview", worklist.preview, name="study-preview"),
    path("studies/<uid:study_instance_uid>/claim", worklist.claim, name="study-claim"),
    path("studies/<uid:study_instance_uid>/claim-heartbeat", worklist.claim_heartbeat, name="study-claim-heartbeat"),
    path("studies/<uid:study_instance_uid>/release", worklist.release, name="study-release"),
    path("studies/<uid:study_instance_uid>/read", worklist.read, name="study-read"),
    path("studies/<uid:study_instance_uid>/unread", worklist.unread, name="study-unread"),
    path("studies/<uid:study_instance_uid>/priority", worklist.priority, name="study-priority"),
    path("arrivals/", arrivals.arrivals, name="arrivals"),
    path("arrivals/board", arrivals.board, name="arrivals-board"),
    path("arrivals/<uid:study_instance_uid>/complete", arrivals.complete, name="arrivals-complete"),
    path("arrivals/<uid:study_instance_uid>/reopen", arrivals.reopen, name="arrivals-reopen"),
    path("referrals/", referrals.referrals, name="referrals"),
    path("emergency/", emergency.emergency, name="emergency"),
    path("search/", search.search, name="search"),
    path("account/", account.account, name="account"),
    path("display/", display.display, name="display"),
    path("display/pattern.png", display.pattern, name="display-pattern"),
    path("upload/", upload.upload_page, name="upload"),
    path("api/uploads/files", upload.upload_file, name="upload-file"),
    path("api/uploads/outcome", upload.outcome, name="upload-outcome"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<int:job>/", jobs.job, name="job"),
    path("jobs/<int:job>/<slug:action>", jobs.act, name="job-act"),
    path("peers/", peers.peers, name="peers"),
    path("peers/fetch", peers.fetch, name="peers-fetch"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("quarantine/<int:pk>/decide", quarantine.decide_about, name="quarantine-decide"),
    path("audit/", audit.audit, name="audit"),
    path("audit/chain", audit.chain, name="audit-chain"),
    path("studies/<uid:study_instance_uid>/send", sending.sending, name="sending"),
    path("studies/<uid:study_instance_uid>/rejecting", rejecting.rejecting, name="rejecting"),
    path("studies/<uid:study_instance_uid>/reject", rejecting.reject, name="reject"),
    path("studies/<uid:study_instance_uid>/restore", rejecting.restore, name="restore"),
    path("studies/<uid:study_instance_uid>/", study.study_page, name="study"),
    path("studies/<uid:study_instance_uid>/report/", report.report_page, name="report"),
    path("studies/<uid:study_instance_uid>/viewer/", study.viewer_page, name="viewer"),
    path("studies/<uid:study_instance_uid>/manifest.json", stacks.study_manifest, name="study-manifest"),
    path("studies/<uid:study_instance_uid>/priors/<uid:prior_uid>.json", priors.prior, name="prior"),
    path("studies/<uid:study_instance_uid>/hanging", priors.hang_like_this, name="hang-like-this"),
    path("stacks/<stack:stack>/manifest.json", stacks.stack_manifest, name="stack-manifest"),
    path("stacks/<stack:stack>/automatic_window.json", stacks.automatic_window, name="automatic-window"),
    path("stacks/<stack:stack>/thumbnail.png", stacks.thumbnail, name="stack-thumbnail"),
    path("api/stacks/<stack:stack>/frames/<int:frame>/value", values.value, name="value"),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/color-maps.json", color_maps.color_maps, name="color-maps"),
    path("api/stacks/<stack:stack>/frames/<int:frame>/statistics", measurements.stack_statistics, name="statistics"),
    path("api/studies/<uid:study_instance_uid>/annotations", measurements.study_annotations, name="annotations"),
    path(
        "api/studies/<uid:study_instance_uid>/annotations/<uuid:annotation_id>",
        measurements.annotation,
        name="annotation",
    ),
    path("api/instances/<uid:sop_instance_uid>/tags", instances.tags, name="tags"),
    path("api/instances/<uid:sop_instance_uid>/file", instances.file, name="file"),
    path("api/studies/<uid:study_instance_uid>/report", reports.report, name="report-draft"),
    path("api/studies/<uid:study_instance_uid>/report/sign", reports.sign_report, name="report-sign"),
    path("api/studies/<uid:study_instance_uid>/report/addendum", reports.sign_addendum, name="report-addendum"),
    path("api/studies/<uid:study_instance_uid>/report/versions", reports.versions, name="report-versions"),
    path("api/studies/<uid:study_instance_uid>/report/writing-aids", reports.writing_aids, name="report-aids"),
    re_path(
        r"^api/studies/(?P<study_instance_uid>[0-9.]{1,64})/report\.(?P<suffix>pdf|txt)$",
        reports.printed,
        name="report-printed",
    ),
    path("api/stacks/<stack:stack>/<slug:kind>", processing.process, name="process"),
    *(resource(f"{one}/rendered", GET=wado_rendered.rendered) for one in (STUDY, SERIES, INSTANCE, FRAMES)),
    *(resource(f"{one}/thumbnail", GET=wado_rendered.thumbnail) for one in (STUDY, SERIES, INSTANCE, FRAMES)),
    path("wado", wado_uri.wado, name="wado"),
    path("dicom-web/", include("archive.dicomweb.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/login/", admin_home.sign_in),
    path("admin/", admin_home.admin_home),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
