"""WSGI entry: ``granian --interface wsgi pacs_portal.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application

from pacs_portal.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pacs_portal.settings")
die_with_parent()
application = get_wsgi_application()

from pacs_portal.warm_up import warm_up  # noqa: E402 - it needs the application

warm_up()
