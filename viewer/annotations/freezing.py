"""Measurements as they are at one moment, for jobs that write them later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from viewer.models import Annotation


def frozen(annotations: Iterable[Annotation]) -> list[dict[str, Any]]:
    """Measurements as values for JSON, as a job carries them."""
    return [
        {
            "id": str(one.pk),
            "version": one.version,
            "kind": one.kind,
            "geometry": one.geometry,
            "stack": one.stack,
            "SOPInstanceUID": one.sop_instance_uid,
            "FrameNumber": one.frame_number,
            "label": one.label,
        }
        for one in annotations
    ]
