"""Waveforms: channels that were sampled together, with what a sample is worth (PS3.3 C.10.9).

A sample times Channel Sensitivity times its correction factor, plus Channel Baseline,
is the value in the channel's units (C.10.9.1.4). Potentials of the heart are in millivolts
here, whichever multiple of a volt the file counts in; those of brain and muscle stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from archive.dicom import values
from viewer.errors import InvalidParameter, NothingToDraw, TooLarge

MOST_CHANNELS = 512
MOST_SAMPLES = 2_000_000
"""Samples of all channels together that are given at once."""
DTYPES = {
    # Waveform Sample Interpretation (5400,1006) and Waveform Bits Allocated (5400,1004), C.10.9.1.5.
    ("SB", 8): "i1",
    ("UB", 8): "u1",
    ("SS", 16): "i2",
    ("US", 16): "u2",
    ("SL", 32): "i4",
    ("UL", 32): "u4",
    ("SV", 64): "i8",
    ("UV", 64): "u8",
}
MILLIVOLTS = {"nV": 1e-6, "uV": 1e-3, "mV": 1.0, "V": 1e3}
NEUROPHYSIOLOGY_PREFIX = "1.2.840.10008.5.1.4.1.1.9.7."
"""Electroencephalograms and their like (PS3.6 A): a hundred times smaller than what the heart gives."""
UNITS = {"uV": "µV", "mm[Hg]": "mmHg", "Cel": "°C", "[degF]": "°F", "1": "", "{H.B.}/min": "/min", "ms": "ms"}
"""UCUM codes as people write them; all others are shown as they stand."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One lead, pressure or other signal."""

    name: str
    unit: str
    """Empty where the file gives none: the numbers are then samples."""
    gain: float
    """Of one step of a sample, in ``unit``."""
    offset: float
    """Value of sample 0, in ``unit``."""
    delay_s: float
    """How much later than the group's its first sample was taken."""
    filters: str
    """In words; empty where the file says nothing of them."""


@dataclass(frozen=True, slots=True)
class Group:
    """Channels with one sampling frequency and one beginning: a multiplex group."""

    label: str
    is_derived: bool
    frequency_hz: float
    samples: int
    """Of each channel."""
    channels: tuple[Channel, ...]
    trigger_s: float | None
    """Where in the group the trigger is, if there is one."""

    @property
    def seconds(self) -> float:
        return self.samples / self.frequency_hz


def waveform_groups(ds: Dataset) -> tuple[Group, ...]:
    """What an object's multiplex groups hold, without their samples.

    Raises
    ------
    NothingToDraw
        It holds no waveform, or one that cannot be understood.
    """
    in_millivolts = not values.text(ds, "SOPClassUID").startswith(NEUROPHYSIOLOGY_PREFIX)
    items = values.items(ds, "WaveformSequence")
    found = tuple(_group(item, in_millivolts=in_millivolts) for item in items)
    if not found:
        raise NothingToDraw("The object holds no waveform.")
    return found


def _group(item: Dataset, *, in_millivolts: bool = True) -> Group:
    frequency, samples = values.number(item, "SamplingFrequency"), values.integer(item, "NumberOfWaveformSamples")
    definitions = values.items(item, "ChannelDefinitionSequence")
    count = values.integer(item, "NumberOfWaveformChannels")
    if not frequency or frequency < 0 or samples < 1 or not 0 < count == len(definitions) <= MOST_CHANNELS:
        raise NothingToDraw("The waveform does not say how often, or how many channels, were sampled.")
    trigger = values.integer(item, "TriggerSamplePosition")
    return Group(
        label=values.text(item, "MultiplexGroupLabel"),
        is_derived=values.text(item, "WaveformOriginality") == "DERIVED",
        frequency_hz=frequency,
        samples=samples,
        channels=tuple(
            _channel(one, number, frequency, in_millivolts=in_millivolts)
            for number, one in enumerate(definitions, start=1)
        ),
        # Samples count from 1 (C.10.9.1.3).
        trigger_s=(trigger - 1) / frequency if trigger > 0 else None,
    )


def _channel(item: Dataset, number: int, frequency_hz: float, *, in_millivolts: bool) -> Channel:
    sensitivity = values.number(item, "ChannelSensitivity")
    code = values.first_item(item, "ChannelSensitivityUnitsSequence")
    ucum = values.text(code, "CodeValue") if code is not None else ""
    millivolts = MILLIVOLTS if in_millivolts else {}
    factor = millivolts.get(ucum, 1.0)
    correction = values.number(item, "ChannelSensitivityCorrectionFactor")
    delay = values.number(item, "ChannelTimeSkew")
    if delay is None:
        delay = (values.number(item, "ChannelSampleSkew") or 0.0) / frequency_hz
    has_scale = sensitivity is not None
    scale = (sensitivity or 0.0) * (1.0 if correction is None else correction)
    return Channel(
        name=_name(item, number),
        unit="" if not has_scale else "mV" if ucum in millivolts else UNITS.get(ucum, ucum),
        gain=scale * factor if has_scale else 1.0,
        offset=(values.number(item, "ChannelBaseline") or 0.0) * factor if has_scale else 0.0,
        delay_s=delay,
        filters=_filters(item),
    )


def _name(item: Dataset, number: int) -> str:
    """As the source is called; a standard lead without "Lead" and who it is named for, as on every paper."""
    source = values.first_item(item, "ChannelSourceSequence")
    meaning = values.text(source, "CodeMeaning") if source is not None else ""
    name = meaning or values.text(item, "ChannelLabel") or f"Channel {number}"
    return name.removeprefix("Lead ").removesuffix(" (Einthoven)")


def _filters(item: Dataset) -> str:
    """``0.05 to 300 Hz, notch 50 Hz``; 0 means that there is none (C.10.9.1.4.5)."""
    low, high = values.number(item, "FilterLowFrequency"), values.number(item, "FilterHighFrequency")
    notch = values.number(item, "NotchFilterFrequency")
    if low and high:
        band = f"{low:g} to {high:g} Hz"
    elif low or high:
        band = f"above {low:g} Hz" if low else f"below {high:g} Hz"
    else:
        band = ""
    return ", ".join(part for part in (band, f"notch {notch:g} Hz" if notch else "") if part)


def waveform_samples(ds: Dataset, group_number: int, *, first: int = 0, count: int | None = None) -> NDArray[np.int64]:
    """Samples as stored, (channels, samples); padding stands as ``PADDED``.

    Parameters
    ----------
    group_number
        From 1, in the order of the object.
    first, count
        Which part of the group, in samples; all that is there where ``count`` is None.

    Raises
    ------
    InvalidParameter
        There is no such group, or no such sample.
    NothingToDraw
        The samples are companded sound, or fewer than the group says.
    TooLarge
        More than ``MOST_SAMPLES`` were asked for at once.
    """
    groups = values.items(ds, "WaveformSequence")
    if not 1 <= group_number <= len(groups):
        raise InvalidParameter("group", group_number, f"1 to {len(groups)}")
    item, group = groups[group_number - 1], _group(groups[group_number - 1])
    if not 0 <= first < group.samples:
        raise InvalidParameter("first", first, f"0 to {group.samples - 1}")
    count = min(group.samples - first, group.samples if count is None else count)
    channels = len(group.channels)
    if channels * count > MOST_SAMPLES:
        raise TooLarge(f"{channels} channels of {count} samples are more than {MOST_SAMPLES}; ask for a shorter time.")
    dtype, data = _dtype(ds, item), values.value_of(item, "WaveformData")
    size = dtype.itemsize * channels
    if not isinstance(data, bytes) or len(data) < size * group.samples:
        raise NothingToDraw("The waveform holds fewer samples than it says.")
    found = np.frombuffer(data, dtype, count * channels, offset=first * size).reshape(count, channels).T
    return _without_padding(found, item)


PADDED = np.iinfo(np.int64).min
"""Stands for samples that were never taken."""


def _dtype(ds: Dataset, item: Dataset) -> np.dtype[np.generic]:
    bits, kind = values.integer(item, "WaveformBitsAllocated"), values.text(item, "WaveformSampleInterpretation")
    name = DTYPES.get((kind, bits))
    if name is None:
        raise NothingToDraw(f"Samples of kind {kind or 'unknown'} with {bits} bits are not plotted.")
    is_little = ds.original_encoding[1] is not False
    return np.dtype(name).newbyteorder("<" if is_little else ">")


def _without_padding(found: NDArray[np.generic], item: Dataset) -> NDArray[np.int64]:
    samples = found.astype(np.int64)
    padding = values.value_of(item, "WaveformPaddingValue")
    if isinstance(padding, bytes) and len(padding) >= found.dtype.itemsize:
        samples[found == np.frombuffer(padding, found.dtype, 1)[0]] = PADDED
    return samples


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was measured or said about a waveform (C.10.10)."""

    text: str
    group: int
    """From 1; 0 where it is about none in particular."""
    seconds: float | None
    """Where in the group; None where it is about all of it."""


def waveform_remarks(ds: Dataset, groups: tuple[Group, ...]) -> tuple[Remark, ...]:
    """The Waveform Annotation Sequence in its own order."""
    found = (_remark(item, groups) for item in values.items(ds, "WaveformAnnotationSequence"))
    return tuple(one for one in found if one.text)


def _remark(item: Dataset, groups: tuple[Group, ...]) -> Remark:
    name, said = _meaning(item, "ConceptNameCodeSequence"), values.text(item, "UnformattedTextValue")
    said = said or _meaning(item, "ConceptCodeSequence") or " ".join(values.texts(item, "NumericValue"))
    code = values.first_item(item, "MeasurementUnitsCodeSequence")
    unit = values.text(code, "CodeValue") if code is not None else ""
    value = f"{said} {UNITS.get(unit, unit)}".strip()
    channels = values.numbers(item, "ReferencedWaveformChannels")
    group = int(channels[0]) if channels and 1 <= channels[0] <= len(groups) else 0
    return Remark(": ".join(part for part in (name, value) if part), group, _moment(item, groups, group))


def _meaning(item: Dataset, keyword: str) -> str:
    code = values.first_item(item, keyword)
    return values.text(code, "CodeMeaning") if code is not None else ""


def _moment(item: Dataset, groups: tuple[Group, ...], group: int) -> float | None:
    if positions := values.numbers(item, "ReferencedSamplePositions"):
        return max(0.0, positions[0] - 1) / groups[group - 1].frequency_hz if group else None
    offsets = values.numbers(item, "ReferencedTimeOffsets")
    return offsets[0] / 1000 if offsets and math.isfinite(offsets[0]) else None
