"""Waveforms as values: what files of others hold, worked out from their bytes, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence

from viewer.errors import InvalidParameter, NothingToDraw, TooLarge
from viewer.rendering import waveforms
from viewer.rendering.waveforms import PADDED, waveform_groups, waveform_remarks, waveform_samples

LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


def ecg() -> Dataset:
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    assert isinstance(path, str)
    return dcmread(path)


def coded(value: str, meaning: str = "") -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "UCUM", meaning or value
    return Sequence([item])


def made(samples: list[list[int]], *, kind: str = "SS", bits: int = 16, **channel: object) -> Dataset:
    """One group at 100 Hz; ``samples`` of each channel."""
    group = Dataset()
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = len(samples), len(samples[0])
    group.SamplingFrequency = "100"
    definitions = []
    for _ in samples:
        one = Dataset()
        for keyword, value in channel.items():
            setattr(one, keyword, value)
        definitions.append(one)
    group.ChannelDefinitionSequence = Sequence(definitions)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = bits, kind
    letter = {("SS", 16): "h", ("UB", 8): "B", ("SL", 32): "i"}.get((kind, bits), "b")
    group.WaveformData = b"".join(struct.pack(f"<{len(samples)}{letter}", *row) for row in zip(*samples, strict=True))
    ds = Dataset()
    ds.WaveformSequence = Sequence([group])
    return ds


def test_an_ecg_has_its_leads_by_name_with_their_scale_and_filters() -> None:
    rhythm, beat = waveform_groups(ecg())
    assert [one.name for one in rhythm.channels] == LEADS
    # 1.25 µV a step, correction 1, baseline 0; 0.05 to 300 Hz, notch 0: there is none.
    assert {(one.unit, one.gain, one.offset, one.filters) for one in rhythm.channels} == {
        ("mV", 0.00125, 0.0, "0.05 to 300 Hz")
    }
    assert (rhythm.label, rhythm.frequency_hz, rhythm.seconds, rhythm.is_derived) == ("RHYTHM", 1000.0, 10.0, False)
    # Trigger Sample Position 501 of 1000 a second, counted from 1.
    assert (beat.label, beat.seconds, beat.is_derived, beat.trigger_s) == ("MEDIAN BEAT", 1.2, True, 0.5)


def test_samples_are_those_of_the_file_channel_by_channel() -> None:
    ds = ecg()
    stored = np.frombuffer(ds.WaveformSequence[0].WaveformData, "<i2").reshape(10_000, 12)
    assert np.array_equal(waveform_samples(ds, 1), stored.T)
    assert np.array_equal(waveform_samples(ds, 1, first=9_990, count=500), stored[9_990:].T)


def test_a_hemodynamic_recording_in_a_deflated_file_is_read(data_dir: Path) -> None:
    ds = dcmread(data_dir / "waveform_pdf/wave_deflated.dcm")
    (group,) = waveform_groups(ds)
    # dcmdump: 0.00122 mV a step, the first samples 00BA 0030 FF76.
    assert [one.name for one in group.channels] == LEADS
    assert (group.channels[0].gain, group.seconds, group.channels[0].filters) == (0.00122, 10.0, "0.05 to 100 Hz")
    assert waveform_samples(ds, 1, count=1)[:, 0].tolist()[:3] == [0x00BA, 0x0030, 0xFF76 - 0x10000]
    assert [one.text for one in waveform_remarks(ds, (group,))] == ["Heart rate: 69 /min"]


def test_sensitivity_correction_and_baseline_make_the_value() -> None:
    ds = made(
        [[0, 1000]],
        ChannelSensitivity="2.5",
        ChannelSensitivityUnitsSequence=coded("uV"),
        ChannelSensitivityCorrectionFactor="1.1",
        ChannelBaseline="500",
        ChannelSampleSkew="3",
        FilterLowFrequency="0.5",
        NotchFilterFrequency="50",
    )
    (channel,) = waveform_groups(ds)[0].channels
    low, high = (channel.offset + channel.gain * stored for stored in waveform_samples(ds, 1)[0].tolist())
    # 1000 steps of 2.5 µV times 1.1 are 2.75 mV, above a baseline of 0.5 mV; three samples of 10 ms late.
    assert (low, high) == (pytest.approx(0.5), pytest.approx(3.25))
    assert (channel.unit, channel.delay_s, channel.filters) == ("mV", pytest.approx(0.03), "above 0.5 Hz, notch 50 Hz")


def test_pressures_keep_their_unit_and_what_has_none_is_counted_in_steps() -> None:
    pressure = made([[1]], ChannelSensitivity="0.2", ChannelSensitivityUnitsSequence=coded("mm[Hg]"))
    assert waveform_groups(pressure)[0].channels[0].unit == "mmHg"
    brain = made([[1]], ChannelSensitivity="0.5", ChannelSensitivityUnitsSequence=coded("uV"))
    brain.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.7.1"
    assert (waveform_groups(brain)[0].channels[0].unit, waveform_groups(brain)[0].channels[0].gain) == ("µV", 0.5)
    unscaled = waveform_groups(made([[7]]))[0].channels[0]
    assert (unscaled.name, unscaled.unit, unscaled.gain, unscaled.offset) == ("Channel 1", "", 1.0, 0.0)


def test_padding_is_no_sample() -> None:
    ds = made([[5, -32768, 6]])
    ds.WaveformSequence[0].WaveformPaddingValue = struct.pack("<h", -32768)
    assert waveform_samples(ds, 1)[0].tolist() == [5, PADDED, 6]


@pytest.mark.parametrize(("kind", "bits"), [("UB", 8), ("SL", 32)])
def test_bytes_and_long_samples_are_read(kind: str, bits: int) -> None:
    assert waveform_samples(made([[1, 200], [3, 4]], kind=kind, bits=bits), 1).tolist() == [[1, 200], [3, 4]]


def test_remarks_say_where_they_are() -> None:
    ds = ecg()
    remarks = waveform_remarks(ds, waveform_groups(ds))
    assert [one.text for one in remarks[:3]] == ["RITMO SINUSALE", "ECG NORMALE", "RR Interval: 982 ms"]
    # Positions count from 1: 299 is 298 ms after the beginning of a group at 1000 Hz.
    assert next((one.seconds, one.group) for one in remarks if one.text == "P Onset") == (0.298, 1)


def test_what_cannot_be_plotted_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NothingToDraw, match="no waveform"):
        waveform_groups(Dataset())
    with pytest.raises(NothingToDraw, match="MB with 8 bits"):
        waveform_samples(made([[1]], kind="MB", bits=8), 1)
    short = made([[1, 2, 3]])
    short.WaveformSequence[0].WaveformData = b"\1\0"
    with pytest.raises(NothingToDraw, match="fewer samples"):
        waveform_samples(short, 1)
    silent = made([[1]])
    silent.WaveformSequence[0].SamplingFrequency = "0"
    with pytest.raises(NothingToDraw, match="how often"):
        waveform_groups(silent)
    for group, first in ((0, 0), (2, 0), (1, 3), (1, -1)):
        with pytest.raises(InvalidParameter):
            waveform_samples(made([[1, 2, 3]]), group, first=first)
    monkeypatch.setattr(waveforms, "MOST_SAMPLES", 2)
    with pytest.raises(TooLarge, match="shorter"):
        waveform_samples(made([[1, 2, 3]]), 1)
