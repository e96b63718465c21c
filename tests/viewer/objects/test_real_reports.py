"""Every public report and selection of the corpus shows what it holds: numbers against its own content items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom import Dataset

from archive.indexing.writer import index_waiting_files
from tests.journeys.sending import forget_what_was_drawn, send_file

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
ClientOf = Callable[..., "Client"]


def numbers_of(item: Dataset) -> Iterator[float]:
    """Every measured value below an item, in order."""
    for one in item.get("ContentSequence", []):
        if one.ValueType == "NUM" and one.get("MeasuredValueSequence"):
            yield float(one.MeasuredValueSequence[0].NumericValue)
        yield from numbers_of(one)


def groups_of(item: Dataset) -> Iterator[Dataset]:
    """Measurement groups (TID 1410, 1501) of a report."""
    for one in item.get("ContentSequence", []):
        name = one.ConceptNameCodeSequence[0].CodeValue if one.get("ConceptNameCodeSequence") else ""
        if name == "125007":
            yield one
        else:
            yield from groups_of(one)


def test_every_report_is_shown_with_its_own_numbers(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    squares = sorted((data_dir / "sr/dwv_tid1500").glob("*.dcm"))
    others = [data_dir / "sr" / name for name in ("reportki.dcm", "sample-sr.dcm", "dcmqi_petseg/sr.dcm")]
    for path in (*squares, *others):
        send_file(path)
    index_waiting_files()
    forget_what_was_drawn()
    client = client_of(cast.reader)
    study = pydicom.dcmread(squares[0]).StudyInstanceUID
    findings = client.get(f"/api/studies/{study}/elsewhere").json()["findings"]
    reports = {ds.SOPInstanceUID: ds for ds in map(pydicom.dcmread, squares) if ds.Modality == "SR"}
    assert len(reports) == 7 and {one["report"] for one in findings} == set(reports)
    for uid, ds in reports.items():
        said = [one["values"] for one in findings if one["report"] == uid]
        stored = [list(numbers_of(group)) for group in groups_of(ds)]
        assert len(said) == len(stored) == 3
        for texts, numbers in zip(said, stored, strict=True):
            shown = [float(re.findall(r"-?[\d.]+", text)[-1]) for text in texts]
            # Four digits that count.
            assert shown == pytest.approx(numbers, rel=5e-4), texts
    for path in others:
        ds = pydicom.dcmread(path)
        html = client.get(f"/studies/{ds.StudyInstanceUID}/objects/{ds.SOPInstanceUID}/").content.decode()
        missing = [value for value in numbers_of(ds) if f"{value:g}"[:5] not in html]
        assert not missing and ds.ConceptNameCodeSequence[0].CodeMeaning in html, path.name
