"""Announcements of the reading side; what they tell of is written already."""

from django.dispatch import Signal

study_overdue = Signal()
"""``study_id``, ``user_ids``: nobody has read a study within the site's limit; those people are to be told. Sent once."""

study_assigned = Signal()
"""``study_id``, ``user_ids``, ``because``: a study was assigned or handed over to these people; why, in words."""
