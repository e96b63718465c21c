"""What the administrators' group may do in Django admin; made again after every migration."""

from __future__ import annotations

from typing import Any

from archive.access.roles import Role

CHANGEABLE = {
    "archive": (
        "user",
        "peer",
        "route",
        "grant",
        "personidentifier",
        "namemapping",
        "wardmapping",
        "duty",
        "patient",
        "scheduledstep",
    ),
    "auth": ("group",),
    "viewer": (
        "windowpreset",
        "hangingprotocol",
        "reporttemplate",
        "macro",
        "assignmentrule",
        "timelimit",
        "savedfilter",
        "criticalcategory",
        "sharepolicy",
        "reportpolicy",
        "resultreceiver",
    ),
}
VISIBLE = {
    "archive": (
        "study",
        "series",
        "instance",
        "quarantinedfile",
        "job",
        "auditevent",
        "breakglass",
        "delegation",
        "storedfile",
        "correction",
        "performedstep",
        "performedseries",
        "commitment",
    ),
    "viewer": ("readingtask", "criticalresult", "delivery", "sharelink", "uploadrequest", "comment", "outsidereport"),
    "axes": ("accessattempt", "accesslog", "accessfailurelog"),
}


def give_administrators_their_permissions(**_details: Any) -> None:
    """Idempotent; a receiver of ``post_migrate``."""
    from django.contrib.auth.models import Group, Permission

    group = Group.objects.filter(name=Role.ADMINISTRATOR.value).first()
    if group is None:
        return
    wanted: list[Permission] = []
    for app, models in CHANGEABLE.items():
        wanted += Permission.objects.filter(content_type__app_label=app, content_type__model__in=models)
    for app, models in VISIBLE.items():
        wanted += Permission.objects.filter(
            content_type__app_label=app, content_type__model__in=models, codename__startswith="view_"
        )
    group.permissions.add(*wanted)
