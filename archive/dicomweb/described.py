"""What an address can be asked, said once: the capabilities of DICOMweb (WADL) and the OpenAPI schema are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Schema = Mapping[str, Any]
"""JSON Schema of a value."""

ERROR: Final = "application/json"
TEXT: Final[Schema] = {"type": "string"}
BINARY: Final[Schema] = {"type": "string", "format": "binary"}
JSON_OBJECT: Final[Schema] = {"type": "object"}
JSON_ARRAY: Final[Schema] = {"type": "array", "items": {"type": "object"}}
WHOLE: Final[Schema] = {"type": "integer", "minimum": 0}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter, or a header field of the request."""

    name: str
    summary: str
    schema: Schema = field(default_factory=lambda: TEXT)
    style: str = "query"
    """``query`` or ``header``."""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    """From the root of the site, with the names of its parts in braces: ``/dicom-web/studies/{study_instance_uid}``."""
    name: str
    """Unique, as the standard names the transaction where it does."""
    summary: str
    gives: Mapping[str, Schema]
    """Media types of a good answer; none where it has no body."""
    statuses: tuple[int, ...] = (200,)
    """Of good answers."""
    refusals: tuple[int, ...] = ()
    """Beside those that every address has: 401, and 403 for the scope of a token."""
    parameters: tuple[Parameter, ...] = ()
    takes: Mapping[str, Schema] = field(default_factory=dict)
    """Media types of the request's body."""
    refusal_types: tuple[str, ...] = (ERROR,)
    """Media types of refusals."""
