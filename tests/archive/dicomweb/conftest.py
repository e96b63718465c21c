"""Studies that the tests of this folder ask for."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from archive.indexing.writer import index_waiting_files
from tests.archive.receiving.sending import store
from tests.phantoms import ct_series, mr_image


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def series(portal_data: Path, no_messages: None) -> list[pydicom.Dataset]:
    """Three CT slices of one study, and an MR of somebody else."""
    slices = list(ct_series(3, PatientName="Müller^Jörg", PatientID="W-1", AccessionNumber="A-7"))
    for ds in slices:
        ds.SpecificCharacterSet = "ISO_IR 192"
        store(ds)
    ids = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    store(mr_image(PatientName="Other^One", PatientID="W-2", **ids))
    index_waiting_files()
    return slices
