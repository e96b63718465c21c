"""Peers as commands name them."""

from __future__ import annotations

from django.core.management.base import CommandError

from archive.models import Peer


def peer_named(ae_title: str) -> Peer:
    """The row of a peer.

    Raises
    ------
    CommandError
        There is none of this AE title; the message says which there are.
    """
    peer = Peer.objects.filter(ae_title=ae_title.strip()).first()
    if peer is None:
        known = ", ".join(Peer.objects.values_list("ae_title", flat=True)) or "none"
        raise CommandError(f"{ae_title} is no known peer. Known: {known}. add_peer adds one.")
    return peer
