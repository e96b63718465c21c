"""Fields of a template, such as ``{age}``: what the study and its reader fill in when it is used.

A choice, such as ``[none / mild / severe]``, is the reader's own; the editor offers it as a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from archive.models import Study, User
from viewer.errors import ViewerError
from viewer.reports.identity import identity_of

FIELDS: Final = {
    "age": "age at the examination",
    "sex": "sex, as recorded",
    "examination": "name of the examination",
    "date": "date and time of the examination",
    "accession": "accession number",
    "referrer": "who referred",
    "institution": "where the images were made",
    "reader": "who writes",
}
"""Name -> what it says. The patient's name and ID stand above every report and are no fields."""
FIELD: Final = re.compile(r"\{([^{}\n]{0,40})\}")


class UnknownField(ViewerError):
    """A template names a field that nothing fills in."""


def require_known_fields(text: str) -> None:
    """Refuse a template's text with a field that is none.

    Raises
    ------
    UnknownField
    """
    unknown = [name for name in FIELD.findall(text) if name not in FIELDS]
    if unknown:
        raise UnknownField(
            f"'{{{unknown[0]}}}' is no field. Accepted: {', '.join(f'{{{name}}}' for name in FIELDS)}; "
            "a choice is written [one / other]."
        )


def values_for(study: Study, reader: User) -> dict[str, str]:
    """What each field says about a study, for its reader."""
    identity = identity_of(study)
    return {name: str(reader) if name == "reader" else identity[name] for name in FIELDS}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields; one that is empty is left as a gap to be filled in.

    >>> filled("{age} old, {sex}, {referrer}", {"age": "54Y", "sex": "F", "referrer": ""})
    '54Y old, F, [referrer]'
    """
    return FIELD.sub(lambda found: values.get(found[1]) or f"[{found[1]}]", text)
