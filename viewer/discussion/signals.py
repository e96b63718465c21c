"""Announcements of the discussion: whoever notifies people listens here."""

from django.dispatch import Signal

attention_wanted = Signal()
"""``person`` was ``mentioned`` or ``consulted`` (``why``) by ``by`` about ``study``, or got an answer in a thread
(``remark``); sent after the commit.

The person may see the study at that moment; no text of a remark is in it.
"""
