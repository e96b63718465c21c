"""CONTRACT's access table as data: each address, for each role, with the status that it answers.

A new address needs a line here, or ``test_access_table`` fails and says which. Write

    Row("GET", "the/address/as/in/<uid:urls.py>", "302 200 404 200 200 404 404 404 404"),

with one status for each of ROLES, worked out from CONTRACT's access table; parameters of the address
are filled in by name (``VALUES`` in the test). A POST may be a line with the body that it needs, or
without: who may do it then gets 400, or what else its refusal is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

ROLES = (
    "anonymous",
    "own",  # a clinician whom the study was given to
    "foreign",  # another clinician
    "reader",  # has claimed the study
    "reader2",
    "technologist",  # works at the study's modality
    "elsewhere",  # a technologist of another modality
    "admin",
    "outsider",  # an account without a role
)


@dataclass(frozen=True)
class Row:
    """One address and method; ``statuses`` in the order of ROLES."""

    method: str
    route: str
    statuses: str
    query: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    is_json: bool = False
    with_: dict[str, Any] = field(default_factory=dict)
    """Values of parameters that differ from the usual ones."""

    def expected(self) -> dict[str, int]:
        found = [int(status) for status in self.statuses.split()]
        assert len(found) == len(ROLES), f"{self.route}: {len(found)} statuses, {len(ROLES)} roles: {' '.join(ROLES)}"
        return dict(zip(ROLES, found, strict=True))


STUDY = "studies/<uid:study_instance_uid>"
API = "api/studies/<uid:study_instance_uid>"
WEB = "dicom-web/studies/<uid:study_instance_uid>"
SERIES = f"{WEB}/series/<uid:series_instance_uid>"
INSTANCE = f"{SERIES}/instances/<uid:sop_instance_uid>"
FRAMES = f"{INSTANCE}/frames"
FRAMES_ASKED = f"{FRAMES}/<str:frames>"
STACK = "<stack:stack>"
PAGE_SEES = "302 200 404 200 200 200 404 404 404"
DATA_SEES = "401 200 404 200 200 200 404 404 404"
"""Study, tiles, metadata: radiologists all, clinicians their own, technologists of the modality."""
DATA_ASKED = "401 400 404 400 400 400 404 404 404"
"""The same, where the body that is needed is not there."""
DATA_NOBODY = "401 404 404 404 404 404 404 404 404"
DOWNLOADS = "401 403 404 200 200 403 404 404 404"

NOT_OFFERED = (
    "color-palettes",
    "commitment-requests",
    "defined-procedure-protocols",
    "hanging-protocols",
    "implant-templates",
    "workitems",
)

OPENED = (
    "",
    "manifest.json",
    "alive",
    "report/",
    "stacks/<stack:stack>/manifest.json",
    "stacks/<stack:stack>/thumbnail.png",
    "tiles/<stack:stack>/<int:frame>/<int:level>/<int:row>/<int:column>.png",
)
"""Below an opening of a share link."""
NO_OPENING = {"opening_id": UUID(int=0), "level": 0, "row": 0, "column": 0}

ROWS = (
    Row("GET", "", "302 200 200 200 200 200 200 302 403"),
    Row("GET", "worklist/", "302 200 200 200 200 200 200 200 403"),
    Row("POST", "worklist/rows", "302 200 200 200 200 200 200 404 404"),
    Row("POST", "worklist/columns", "302 204 204 204 204 204 204 204 404", body={"column": "reader"}),
    Row("GET", f"{STUDY}/preview", PAGE_SEES),
    # Claimed by ``reader``: another is told so.
    Row("POST", f"{STUDY}/claim", "302 403 404 200 409 403 404 404 404"),
    Row("POST", f"{STUDY}/claim-heartbeat", "302 403 404 200 409 403 404 404 404"),
    Row("POST", f"{STUDY}/release", "302 403 404 200 409 403 404 404 404"),
    Row("POST", f"{STUDY}/read", "302 403 404 200 409 403 404 404 404"),
    Row("POST", f"{STUDY}/unread", "302 403 404 200 409 403 404 404 404"),
    Row("POST", f"{STUDY}/priority", "302 403 404 200 200 200 404 404 404", body={"priority": "STAT"}),
    # What a role has nothing to do with looks like what is not there.
    Row("GET", "arrivals/", "302 404 404 404 404 200 200 404 404"),
    Row("GET", "arrivals/board", "302 404 404 404 404 200 200 404 404"),
    Row("POST", "arrivals/<uid:study_instance_uid>/complete", "302 404 404 404 404 302 404 404 404"),
    Row("POST", "arrivals/<uid:study_instance_uid>/reopen", "302 404 404 404 404 302 404 404 404"),
    Row("GET", "referrals/", "302 200 200 403 403 403 403 403 403"),
    Row("GET", "referrals/<uid:study_instance_uid>/", "302 200 404 403 403 403 403 403 403"),
    # A page that answers with a redirect says there what it did; who may not is told there too.
    Row("POST", "referrals/<uid:study_instance_uid>/ask", "302 302 404 302 302 302 404 404 404", body={"text": "?"}),
    Row("POST", "questions/<int:pk>/answer", "302 302 404 302 302 302 404 404 404", with_={"pk": "question"}),
    Row("POST", "critical/<int:pk>/acknowledge", "302 302 404 302 302 302 404 404 404", with_={"pk": "critical"}),
    Row("GET", "notifications/", "302 200 200 200 200 200 200 200 200"),
    Row("GET", "notifications/count", "302 200 200 200 200 200 200 200 200"),
    Row("POST", "notifications/seen", "302 302 302 302 302 302 302 302 302"),
    # One's own, whatever one's role.
    Row("GET", "notifications/<int:pk>/", "302 302 404 404 404 404 404 404 404", with_={"pk": "notification"}),
    Row("GET", "emergency/", "302 200 200 200 200 403 403 200 403"),
    Row("GET", "search/", "302 200 200 200 200 200 200 200 403"),
    Row("GET", "account/", "302 200 200 200 200 200 200 200 200"),
    Row("POST", "account/notifications", "302 302 302 302 302 302 302 302 302"),
    Row("POST", "account/stand-in", "302 302 302 302 302 302 302 302 302"),
    Row("POST", "account/stand-in/<int:pk>/end", "302 302 404 404 404 404 404 404 404", with_={"pk": "delegation"}),
    Row("GET", "display/", "302 200 200 200 200 200 200 200 200"),
    Row("GET", "display/pattern.png", "302 200 200 200 200 200 200 200 200"),
    Row("GET", "upload/", "302 200 200 200 200 200 200 200 403"),
    Row("PUT", "api/uploads/files", "401 411 411 411 411 411 411 411 403"),
    Row("POST", "api/uploads/outcome", "401 400 400 400 400 400 400 400 403"),
    Row("GET", "jobs/", "302 200 200 200 200 200 200 200 404"),
    Row("GET", "jobs/<int:job>/", "302 200 404 200 200 200 404 200 404"),
    Row("POST", "jobs/<int:job>/<slug:action>", "302 404 404 404 404 404 404 302 404"),
    # Fetching names a peer that is not there.
    Row("GET", "peers/", "302 404 404 200 200 200 200 200 404"),
    Row("POST", "peers/fetch", "302 404 404 404 404 404 404 404 404"),
    Row("GET", "quarantine/", "302 404 404 404 404 200 200 200 404"),
    Row(
        "POST",
        "quarantine/<int:pk>/decide",
        "302 404 404 404 404 200 404 200 404",
        with_={"pk": "quarantined"},
        body={"decision": "drop"},
    ),
    Row("GET", "audit/", "302 404 404 404 404 404 404 200 404"),
    Row("GET", "audit/chain", "302 404 404 404 404 404 404 200 404"),
    Row("GET", f"{STUDY}/send", "302 404 404 200 200 404 404 404 404"),
    Row("GET", f"{STUDY}/rejecting", "302 404 404 200 200 200 404 200 404"),
    Row("POST", f"{STUDY}/reject", "302 404 404 302 302 302 404 302 404"),
    Row("POST", f"{STUDY}/restore", "302 404 404 302 302 302 404 302 404"),
    Row("GET", f"{STUDY}/", PAGE_SEES),
    Row("GET", f"{STUDY}/report/", "302 200 404 200 200 403 404 404 404"),
    Row("GET", f"{STUDY}/report/beside/", "302 404 404 200 200 404 404 404 404"),
    Row("GET", f"{STUDY}/viewer/", PAGE_SEES),
    Row("GET", f"{STUDY}/manifest.json", DATA_SEES),
    Row("GET", f"{STUDY}/priors/<uid:prior_uid>.json", "302 404 404 404 404 404 404 404 404"),
    Row("POST", f"{STUDY}/hanging", "302 404 404 400 400 404 404 404 404"),
    Row("GET", f"stacks/{STACK}/manifest.json", DATA_SEES),
    Row("GET", f"stacks/{STACK}/automatic_window.json", DATA_SEES),
    Row("GET", f"stacks/{STACK}/thumbnail.png", DATA_SEES),
    Row("GET", "tiles/<stack>/<frame>/0/0/0.png", DATA_SEES),
    Row("GET", f"api/stacks/{STACK}/frames/<int:frame>/value", DATA_SEES, query="?row=0&column=0"),
    Row("GET", "api/color-maps.json", "401 200 200 200 200 200 200 200 200"),
    Row("POST", f"api/stacks/{STACK}/frames/<int:frame>/statistics", DATA_ASKED, is_json=True),
    Row("GET", f"{API}/annotations", DATA_SEES),
    Row(
        "DELETE",
        f"{API}/annotations/<uuid:annotation_id>",
        "401 403 404 200 200 403 404 404 404",
        body={"version": 1},
        is_json=True,
    ),
    Row("GET", "api/instances/<uid:sop_instance_uid>/tags", DATA_SEES),
    Row("GET", "api/instances/<uid:sop_instance_uid>/file", "401 404 404 200 200 404 404 404 404"),
    # No report is signed: there is none for whoever does not write it.
    Row("GET", f"{API}/report", "401 200 404 200 200 403 404 404 404"),
    Row("PUT", f"{API}/report", "401 428 404 428 428 428 404 404 404", body={"text": {}}, is_json=True),
    Row("POST", f"{API}/report/sign", "401 403 404 400 400 403 404 404 404", is_json=True),
    Row("POST", f"{API}/report/addendum", "401 403 404 428 428 403 404 404 404", is_json=True),
    Row("GET", f"{API}/report/versions", "401 200 404 200 200 403 404 404 404"),
    Row("GET", f"{API}/report/writing-aids", "401 403 404 200 200 403 404 404 404"),
    Row("GET", r"^api/studies/(?P<study_instance_uid>[0-9.]{1,64})/report\.(?P<suffix>pdf|txt)$", DATA_NOBODY),
    Row("GET", f"{API}/critical", "401 200 404 200 200 403 404 404 404"),
    Row("POST", f"{API}/critical", "401 403 404 400 409 403 404 404 404", body={"patient": "patient"}, is_json=True),
    Row(
        "POST",
        f"{API}/critical/<int:pk>/<slug:action>",
        "401 200 404 403 403 404 404 404 404",
        with_={"pk": "critical", "action": "acknowledge"},
    ),
    Row("POST", f"api/stacks/{STACK}/<slug:kind>", "401 403 404 202 202 403 404 404 404", is_json=True),
    *(Row("GET", f"{resource}/rendered", DATA_SEES) for resource in (WEB, SERIES, INSTANCE, FRAMES_ASKED)),
    *(Row("GET", f"{resource}/thumbnail", DATA_SEES) for resource in (WEB, SERIES, INSTANCE, FRAMES_ASKED)),
    Row("GET", "wado", "401 400 400 400 400 400 400 400 400"),
    # A search answers what one may see, which may be nothing; a store goes to quarantine for a clinician.
    Row("GET", "dicom-web/studies", "401 200 200 200 200 200 200 200 200"),
    Row("POST", "dicom-web/studies", "401 415 415 415 415 415 415 415 403", is_json=True),
    Row("GET", "dicom-web/series", "401 200 200 200 200 200 200 200 200"),
    Row("GET", "dicom-web/instances", "401 200 200 200 200 200 200 200 200"),
    # Whole instances are a download: readers, and clinicians whose grant says so.
    *(Row("GET", resource, DOWNLOADS) for resource in (WEB, SERIES, INSTANCE)),
    Row("GET", f"{WEB}/metadata", DATA_SEES),
    # A search below a study that one may not see answers as below one that is not there: with nothing.
    Row("GET", f"{WEB}/series", "401 200 200 200 200 200 200 200 200"),
    Row("GET", f"{WEB}/instances", "401 200 200 200 200 200 200 200 200"),
    Row("GET", f"{SERIES}/metadata", DATA_SEES),
    Row("GET", f"{SERIES}/instances", "401 200 200 200 200 200 200 200 200"),
    Row("GET", f"{INSTANCE}/metadata", DATA_SEES),
    Row("GET", FRAMES_ASKED, DOWNLOADS),
    Row("GET", f"{INSTANCE}/bulkdata/<path:place>", DOWNLOADS),
    *(
        Row("GET", f"{place}/{kind}", DOWNLOADS)
        for place in (WEB, SERIES, INSTANCE)
        for kind in ("pixeldata", "bulkdata")
    ),
    Row("POST", f"{STUDY}/assign", "302 403 404 200 200 403 404 404 404"),
    Row("POST", f"{STUDY}/hand-over", "302 400 404 400 400 400 404 404 404"),
    Row("GET", "worklist/figures/", "302 404 404 404 404 404 404 200 404"),
    Row("POST", "worklist/filters", "302 302 302 302 302 302 302 404 404"),
    Row("POST", "worklist/filters/<int:pk>/delete", "302 404 404 404 404 404 404 404 404", with_={"pk": 1}),
    Row("POST", "worklist/next", "302 403 403 409 409 403 403 404 404"),
    Row("GET", "network/", "302 404 404 404 404 404 404 200 404"),
    Row("GET", "network/board", "302 404 404 404 404 404 404 200 404"),
    Row("GET", "jobs/<int:job>/file", "302 404 404 404 404 404 404 404 404"),
    Row("GET", f"{STUDY}/objects/<uid:sop_instance_uid>/", "302 404 404 404 404 404 404 404 404"),
    Row("GET", "api/schema/", "401 200 200 200 200 200 200 200 200"),
    Row("GET", "api/instances/<uid:sop_instance_uid>/document.pdf", DATA_NOBODY),
    Row("PUT", "api/preferences/shortcuts", "401 400 400 400 400 400 400 400 403", is_json=True),
    Row("POST", f"api/stacks/{STACK}/frames/<int:frame>/curve", DATA_ASKED, is_json=True),
    Row("POST", f"api/stacks/{STACK}/frames/<int:frame>/profile", DATA_ASKED, is_json=True),
    Row("POST", f"api/stacks/{STACK}/frames/<int:frame>/view", "401 403 404 400 400 403 404 404 404", is_json=True),
    Row("GET", f"api/stacks/{STACK}/frames/<int:frame>/overlays/<uid:sop_instance_uid>", DATA_NOBODY),
    Row("GET", f"api/stacks/{STACK}/overlays/<uid:sop_instance_uid>/statistics", DATA_NOBODY),
    Row("POST", f"{API}/annotations/export", "401 403 404 202 202 403 404 404 404", is_json=True),
    Row("GET", f"{API}/elsewhere", DATA_SEES),
    Row("GET", f"{API}/overlays", DATA_SEES),
    Row("POST", f"{API}/exports", "401 404 404 400 400 404 404 404 404", is_json=True),
    Row("POST", f"{API}/exports/view", "401 404 404 204 204 404 404 404 404", is_json=True),
    Row("GET", "dicom-web/", "401 405 405 405 405 405 405 405 405"),
    *(Row("GET", f"dicom-web/{service}", "401 404 404 404 404 404 404 404 404") for service in NOT_OFFERED),
    *(
        Row("GET", f"dicom-web/{service}/<path:rest>", "401 404 404 404 404 404 404 404 404", with_={"rest": "1"})
        for service in NOT_OFFERED
    ),
    # What a link opens is its own matter: without one, everybody gets the same page.
    Row("GET", "s/<str:secret>/", "404 404 404 404 404 404 404 404 404", with_={"secret": "guessed"}),
    *(
        Row("GET", f"s/view/<uuid:opening_id>/{place}", "404 404 404 404 404 404 404 404 404", with_=NO_OPENING)
        for place in OPENED
    ),
    Row("GET", "send-in/<str:secret>/", "404 404 404 404 404 404 404 404 404", with_={"secret": "guessed"}),
    Row("PUT", "send-in/<str:secret>/files", "404 404 404 404 404 404 404 404 404", with_={"secret": "guessed"}),
    Row("POST", "send-in/<str:secret>/outcome", "404 404 404 404 404 404 404 404 404", with_={"secret": "guessed"}),
    Row("GET", "upload/requests", "302 200 200 200 200 200 200 200 403"),
    Row("POST", "upload/requests/<int:pk>/revoke", "302 404 404 404 404 404 404 404 404", with_={"pk": 1}),
    Row("GET", f"{STUDY}/share", "302 200 404 200 200 404 404 404 404"),
    Row("POST", f"{STUDY}/share/<int:link>/revoke", "302 404 404 404 404 404 404 404 404", with_={"link": 1}),
    Row("GET", f"{STUDY}/masks", "302 200 404 200 200 404 404 404 404"),
    Row("GET", f"{STUDY}/deidentified", "302 404 404 200 200 404 404 404 404"),
    Row("GET", "jobs/<int:job>/copy.zip", "302 404 404 404 404 404 404 404 404"),
    Row("GET", f"{STUDY}/talk/", "302 200 404 200 200 200 404 404 404"),
    Row(
        "POST",
        f"{STUDY}/talk/<int:pk>/<slug:action>",
        "302 404 404 404 404 404 404 404 404",
        with_={"pk": 1, "action": "resolve"},
    ),
    Row("POST", f"{STUDY}/consult", "302 404 404 302 302 404 404 404 404"),
    Row("POST", f"{STUDY}/consult/<int:pk>/looked", "302 404 404 404 404 404 404 404 404", with_={"pk": 1}),
    Row("POST", f"{STUDY}/presence", "302 200 404 200 200 200 404 404 404"),
    Row("GET", "accounts/", "302 302 302 302 302 302 302 302 302"),
    Row("GET", "admin/", "302 302 302 302 302 302 302 200 302"),
    Row("GET", "admin/login/", "302 404 404 404 404 404 404 404 404"),
    Row("GET", "healthz", "200 200 200 200 200 200 200 200 200"),
    # The tests ask from this machine.
    Row("GET", "metrics", "200 200 200 200 200 200 200 200 200"),
    # No worker runs in the tests, and readiness says so.
    Row("GET", "readyz", "503 503 503 503 503 503 503 503 503"),
)
