"""Assign a study, hand it over, and take the next one."""

from __future__ import annotations

from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from archive.access.roles import Role, roles_of, user_of
from archive.models import Study
from pacs_portal.middleware import client_address
from viewer.pages.worklist import STATUSES, answer, in_json
from viewer.worklist import assigning
from viewer.worklist.assigning import NoReader, assignee_of
from viewer.worklist.claiming import WorklistRefusal
from viewer.worklist.filters import WorklistFilter
from viewer.worklist.next_study import claim_next

LONGEST_UID = 64


@require_POST
def assign(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    """Assign to ``to``: a reader, a group, or nobody where it is empty."""
    to = request.POST.get("to", "")
    return answer(request, study_instance_uid, lambda change: assigning.assign(change, assignee_of(to)))


@require_POST
def hand_over(request: HttpRequest, study_instance_uid: str) -> JsonResponse:
    """Hand one's claim over to the colleague named by ``to``."""
    to = request.POST.get("to", "")

    def act(change: assigning.Change) -> assigning.ReadingTask:
        user = assignee_of(to).user
        if user is None:
            raise NoReader("A study is handed over to a colleague by name.")
        return assigning.hand_over(change, user)

    return answer(request, study_instance_uid, act)


@require_POST
def take_next(request: HttpRequest) -> JsonResponse:
    """Claim the next study of the list that the filter's values describe; 409 where nothing waits."""
    who = user_of(request)
    if not roles_of(who) - {Role.ADMINISTRATOR}:
        raise Http404
    chosen = WorklistFilter(request.POST, Study.objects.visible_to(who), user=who)
    narrowing = chosen.is_narrowed
    try:
        study, task = claim_next(
            who,
            address=client_address(request),
            among=chosen.qs if narrowing else None,
            after=request.POST.get("open", "")[:LONGEST_UID],
        )
    except WorklistRefusal as refusal:
        return JsonResponse({"error": str(refusal)}, status=STATUSES.get(type(refusal), 409))
    viewer = reverse("viewer", args=[study.study_instance_uid])
    return JsonResponse(in_json(task) | {"study": study.study_instance_uid, "viewer": viewer})
