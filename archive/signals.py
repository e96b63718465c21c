"""Announcements of the archive; whoever listens, the archive's own work is done by then."""

from django.dispatch import Signal

studies_changed = Signal()
"""``study_ids``, ``received_at``: images were added, hidden or shown again. Sent inside the transaction that did it."""

study_quiet = Signal()
"""``study_id``: nothing has come for the site's quiet time; the study is announced as ready."""
