"""A visit to make objects for, and an independent checker of data sets."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from viewer.demo.headers import REFERRER_IDENTIFIER, DemoPatient, DemoVisit
from viewer.demo.objects import DemoObject

DCIODVFY = "/usr/bin/dciodvfy"


@pytest.fixture(scope="session")
def visit() -> DemoVisit:
    """Somebody's study at ten in the morning."""
    return DemoVisit(
        key="test",
        patient=DemoPatient("T-1", "Kim^Minseo=金^民瑞=김^민서", date(1961, 4, 17), "F", ("", "ISO 2022 IR 149"), 70.0),
        description="Phantom",
        begun=datetime.fromisoformat("2026-11-24T10:00:00"),
        accession_number="A1",
        referrer_identifier=REFERRER_IDENTIFIER,
        body_part="CHEST",
    )


@pytest.fixture
def errors_of(tmp_path: Path) -> Callable[[DemoObject], list[str]]:
    """Return what dicom3tools' validator finds wrong with an object (warnings are not errors).

    It knows no HTJ2K: such a data set is shown to it with empty native pixel data of the right size.
    """
    if shutil.which(DCIODVFY) is None:
        pytest.skip(f"{DCIODVFY} is not installed: apt-get install dicom3tools.")

    def check(made: DemoObject) -> list[str]:
        ds = made.ds
        if made.transfer_syntax_uid.startswith("1.2.840.10008.1.2.4.2"):
            ds.PixelData = bytes(2 * ds.Rows * ds.Columns)
            ds["PixelData"].VR = "OW"
            ds["PixelData"].is_undefined_length = False
            made = DemoObject(ds, ExplicitVRLittleEndian)
        path = tmp_path / "object.dcm"
        path.write_bytes(made.to_bytes())
        found = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, check=False, errors="replace")
        lines = (found.stdout + found.stderr).splitlines()
        assert lines, "the validator said nothing, not even the name of the IOD"
        return [line for line in lines if line.startswith(("Error", "Abort"))]

    return check
