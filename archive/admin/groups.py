"""Groups: the four roles, and the wards, teams and on-call groups of the site."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from archive.access.roles import Role
from archive.admin.reasons import AuditedChanges

ROLES = frozenset(role.value for role in Role)

admin.site.unregister(Group)


@admin.register(Group)
class PortalGroupAdmin(AuditedChanges, GroupAdmin):
    list_display = ("name", "is_role", "members", "grants_")
    search_fields = ("name",)
    deletion_warning = "What was granted to the group is no longer granted to its members."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        active = Count("user", filter=Q(user__is_active=True), distinct=True)
        return super().get_queryset(request).annotate(member_count=active, grant_count=Count("grants", distinct=True))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Rights of Django's own are for those who have all of them."""
        return ("name", "permissions") if request.user.is_superuser else ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name",) if obj is not None and obj.name in ROLES else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.name not in ROLES)

    def deletion(self, request: HttpRequest) -> Any:
        question = super().deletion(request)

        def act(rows: QuerySet[Group], answer: Any) -> str:
            done = question.act(rows.exclude(name__in=ROLES), answer)
            return f"{done} Roles stay." if rows.filter(name__in=ROLES).exists() else done

        return replace(question, act=act)

    def facts(self, obj: Group) -> dict[str, Any]:
        return {"group": obj.name}

    @admin.display(description="role", boolean=True)
    def is_role(self, group: Group) -> bool:
        return group.name in ROLES

    @admin.display(description="active members", ordering="member_count")
    def members(self, group: Group) -> int:
        return int(getattr(group, "member_count", 0))

    @admin.display(description="grants", ordering="grant_count")
    def grants_(self, group: Group) -> int:
        return int(getattr(group, "grant_count", 0))
