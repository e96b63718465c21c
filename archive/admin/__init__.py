"""Django admin of the archive, one noun a module; this page is its table of contents."""

from django.contrib import admin

from archive.admin import access, audit, network, people, studies, work

__all__ = ["access", "audit", "network", "people", "studies", "work"]

admin.site.site_header = "Portal administration"
admin.site.site_title = "Portal administration"
admin.site.index_title = "How the portal is"
admin.site.index_template = "admin/home.html"
