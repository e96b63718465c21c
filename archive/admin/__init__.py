"""Django admin of the archive, one noun a module; this page is its table of contents."""

from django.contrib import admin

from archive.admin import (
    access_tokens,
    audit_events,
    emergencies,
    grants,
    groups,
    identifiers,
    instances,
    jobs,
    mending,
    name_mappings,
    patients,
    peers,
    performed_steps,
    quarantined_files,
    routes,
    scheduled_steps,
    series,
    stored_files,
    studies,
    users,
    validity,
)

__all__ = [
    "access_tokens",
    "audit_events",
    "emergencies",
    "grants",
    "groups",
    "identifiers",
    "instances",
    "jobs",
    "mending",
    "name_mappings",
    "patients",
    "peers",
    "performed_steps",
    "quarantined_files",
    "routes",
    "scheduled_steps",
    "series",
    "stored_files",
    "studies",
    "users",
    "validity",
]

admin.site.site_header = "Portal administration"
admin.site.site_title = "Portal administration"
admin.site.index_title = "How the portal is"
admin.site.index_template = "admin/home.html"
"""Its figures come from ``viewer.pages.admin_home``."""
