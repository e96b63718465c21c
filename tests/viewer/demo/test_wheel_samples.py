"""The samples of pydicom's wheel that are sent: they are there, and no two are the same instance."""

from __future__ import annotations

import io

import pydicom
import pytest

from viewer.demo.wheel_samples import WHEEL_SAMPLES, sample_bytes


def test_every_sample_is_in_the_wheel_and_an_instance_of_its_own() -> None:
    uids = [pydicom.dcmread(io.BytesIO(sample_bytes(name)), force=True).SOPInstanceUID for name in WHEEL_SAMPLES]

    assert len(set(uids)) == len(WHEEL_SAMPLES) == len(set(WHEEL_SAMPLES))


def test_a_sample_that_the_wheel_lacks_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"not_there\.dcm"):
        sample_bytes("not_there.dcm")
