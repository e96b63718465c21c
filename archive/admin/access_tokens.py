"""Access tokens of programs: who has which, last used when; revoked here."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.roles import user_of
from archive.access.tokens import revoke
from archive.admin.looks import ReadOnlyAdmin
from archive.models import AccessToken
from pacs_portal.middleware import client_address


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    list_display = ("pk", "user", "scope", "label", "is_good", "created_at", "used_at", "expires_at", "revoked_at")
    list_filter = ("scope", ("revoked_at", admin.EmptyFieldListFilter), "user")
    search_fields = ("user__username", "label")
    list_select_related = ("user",)
    ordering = ("-created_at",)
    exclude = ("digest",)
    actions = ("revoke_tokens",)

    @admin.display(description="good now", boolean=True)
    def is_good(self, token: AccessToken) -> bool:
        return token.revoked_at is None and token.expires_at > timezone.now() and token.user.is_active

    @admin.action(description="Revoke these at once", permissions=("view",))
    def revoke_tokens(self, request: HttpRequest, tokens: QuerySet[AccessToken]) -> None:
        revoked = revoke(list(tokens.select_related("user")), by=user_of(request), address=client_address(request))
        self.message_user(request, f"{revoked} access tokens are revoked.", messages.SUCCESS)
