"""Which presentation contexts we accept (PS3.8 9.3.2.2, PS3.7 annex D.3).

Verification, query and retrieve, worklist and procedure steps, storage commitment in
little endian, and every storage SOP class in every transfer syntax that pynetdicom
knows. What cannot be drawn is still stored, found and retrieved, so
nothing is refused for being unusual. Among the transfer syntaxes of a context
the sender's first one counts: it is usually the one its files are in.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.uid import UID, UID_dictionary
from pynetdicom._globals import ALL_TRANSFER_SYNTAXES
from pynetdicom.presentation import AllStoragePresentationContexts, PresentationContext
from pynetdicom.sop_class import _STORAGE_CLASSES, Verification

from archive.dicom.transfer_syntaxes import TRANSFER_SYNTAXES
from archive.dimse.identifiers import MODELS
from archive.dimse.operations import STORAGE_COMMITMENT, WORKFLOW_CLASSES

VERIFICATION = str(Verification)

RETIRED_STORAGE_CLASSES = frozenset(
    uid
    for uid, (name, kind, _info, retired, _keyword) in UID_dictionary.items()
    if retired and kind == "SOP Class" and "Storage" in name and uid.startswith("1.2.840.10008.5.1.4.1.1.")
)
"""Storage SOP classes of PS3.6 annex A that are retired: old archives hold images of them."""

STORAGE_CLASSES = (
    frozenset(map(str, _STORAGE_CLASSES.values()))
    | frozenset(str(context.abstract_syntax) for context in AllStoragePresentationContexts)
    | RETIRED_STORAGE_CLASSES
)

STORAGE_TRANSFER_SYNTAXES = frozenset(ALL_TRANSFER_SYNTAXES) | frozenset(TRANSFER_SYNTAXES)
"""Those of pynetdicom, and the retired ones that the archive can at least read the structure of."""

PLAIN_TRANSFER_SYNTAXES = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
"""For a service without data sets."""

LITTLE_ENDIAN = PLAIN_TRANSFER_SYNTAXES - {"1.2.840.10008.1.2.2"}
"""For services whose answers we write: big endian is retired, and nobody needs to offer it alone (PS3.5 10.1)."""

DICOM_ROOT = "1.2.840.10008."
"""Registered by the standard; anything else is private (PS3.5 9.2)."""


def is_storage(abstract_syntax: str, *, accept_private: bool = False) -> bool:
    """Say whether C-STORE is the service of this abstract syntax."""
    return abstract_syntax in STORAGE_CLASSES or (accept_private and not abstract_syntax.startswith(DICOM_ROOT))


def transfer_syntaxes_of(abstract_syntax: str, *, accept_private: bool = False) -> frozenset[str]:
    """Return what may be proposed for an abstract syntax; empty where it is not supported."""
    if is_storage(abstract_syntax, accept_private=accept_private):
        return STORAGE_TRANSFER_SYNTAXES
    if abstract_syntax == VERIFICATION:
        return PLAIN_TRANSFER_SYNTAXES
    if abstract_syntax in MODELS or abstract_syntax in WORKFLOW_CLASSES:
        return LITTLE_ENDIAN
    return frozenset()


def supported_contexts(
    proposed: Iterable[PresentationContext], *, accept_private: bool = False
) -> list[PresentationContext]:
    """Build the contexts that pynetdicom's negotiation is to compare a proposal with.

    Only what was proposed is built, in the proposal's own order of transfer
    syntaxes. An abstract syntax that is not supported is left out (result 3);
    one with no common transfer syntax is there without it (result 4). Where one
    SOP class is proposed in several contexts, the order of the first counts.
    """
    wanted: dict[str, list[str]] = {}
    for context in proposed:
        abstract_syntax = str(context.abstract_syntax)
        legal = transfer_syntaxes_of(abstract_syntax, accept_private=accept_private)
        if legal:
            order = wanted.setdefault(abstract_syntax, [])
            order.extend(uid for uid in map(str, context.transfer_syntax) if uid in legal and uid not in order)
    return [
        _context(uid, order, is_storage=is_storage(uid, accept_private=accept_private)) for uid, order in wanted.items()
    ]


def _context(abstract_syntax: str, transfer_syntaxes: list[str], *, is_storage: bool) -> PresentationContext:
    context = PresentationContext()
    if is_storage or abstract_syntax == STORAGE_COMMITMENT:
        # A peer that retrieves with C-GET, or reports on a commitment, proposes to be the SCP (PS3.7 D.3.3.4).
        context.scu_role = context.scp_role = True
    context.abstract_syntax = UID(abstract_syntax)
    context.transfer_syntax = [UID(uid) for uid in transfer_syntaxes]
    return context
