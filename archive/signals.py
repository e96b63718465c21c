"""Announcements of the archive; whoever listens, the archive's own work is done by then."""

from django.dispatch import Signal

studies_changed = Signal()
"""``study_ids``, ``received_at``: images were added, hidden or shown again. Sent inside the transaction that did it."""

study_quiet = Signal()
"""``study_id``: nothing has come for the site's quiet time; the study is announced as ready."""

orders_changed = Signal()
"""``study_ids``: an order of these studies came or was changed. Sent inside the transaction that did it."""

study_facts_changed = Signal()
"""``study_instance_uid``: what lists say beside the images changed: complete or not, how many are expected, held back."""
