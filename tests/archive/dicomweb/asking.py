"""Addresses of data sets below /dicom-web, and what comes from them."""

from __future__ import annotations

from typing import Any

import pydicom

ROOT = "/dicom-web"


def address(ds: pydicom.Dataset, *, series: bool = False, instance: bool = False) -> str:
    path = f"{ROOT}/studies/{ds.StudyInstanceUID}"
    if series or instance:
        path += f"/series/{ds.SeriesInstanceUID}"
    return f"{path}/instances/{ds.SOPInstanceUID}" if instance else path


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content
