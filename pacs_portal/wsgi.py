"""WSGI entry: ``granian --interface wsgi pacs_portal.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from archive.pixels.child import children
from pacs_portal.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pacs_portal.settings")
die_with_parent()
application = get_wsgi_application()
# The first reader of a new process should not wait for imports: the whole address map, and with it every page.
get_resolver().url_patterns  # noqa: B018 - a cached property that loads
# ... nor for a decoder.
children.start_ahead()
