"""Descriptions as JSON: compact, since one stands beside every instance, and quick to read back for every tile.

Fields at their default are left out. Bytes are base64, deflated before where
that halves them. A frame of ``per_frame`` has all its geometry and states of its
own; grey-level fields that equal the shared ones are left out and named nowhere.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import MISSING, Field, fields
from typing import Any, Final

from archive.pixels.description import (
    FrameAttributes,
    ImageDescription,
    LookupTable,
    MaskOperation,
    OverlayPlane,
    Palette,
    RealWorldMapping,
    Shutter,
    Tiling,
    UltrasoundRegion,
    VoiFunction,
    Window,
)

DEFLATE_FROM_BYTES: Final = 1 << 10

_INHERITED: Final = (
    "rescale_slope",
    "rescale_intercept",
    "rescale_type",
    "modality_lut",
    "windows",
    "voi_luts",
    "shutter",
    "laterality",
    "patient_orientation",
    "units",
    "grey_only",
    "mask_shifts",
    "real_world",
)
"""Fields that a packed frame takes from the shared attributes where it has none of its own."""


def to_json(description: ImageDescription) -> dict[str, Any]:
    """Return the description as JSON values."""
    packed = _packed(description, _IMAGE_FIELDS, {"shared", "per_frame"})
    shared = _frame_to_json(description.shared)
    if shared:
        packed["shared"] = shared
    if description.per_frame:
        packed["per_frame"] = [_own_to_json(frame, description.shared) for frame in description.per_frame]
    return packed


def from_json(values: dict[str, Any]) -> ImageDescription:
    """Return the description that ``to_json`` packed."""
    arguments = dict(values)
    shared_values = arguments.get("shared") or {}
    arguments["shared"] = shared = _frame_from_json(shared_values)
    if "per_frame" in arguments:
        inherited = {name: getattr(shared, name) for name in _INHERITED}
        arguments["per_frame"] = tuple(_frame_from_json(own, inherited) for own in arguments["per_frame"])
    for name, convert in _IMAGE_READERS.items():
        if name in arguments:
            arguments[name] = convert(arguments[name])
    return ImageDescription(**arguments)


def _defaults(kind: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    entry: Field[Any]
    for entry in fields(kind):
        found[entry.name] = MISSING if entry.default is MISSING else entry.default
    return found


_IMAGE_FIELDS: Final = _defaults(ImageDescription)
_FRAME_FIELDS: Final = _defaults(FrameAttributes)
_OTHER_FIELDS: Final = {
    kind: _defaults(kind)
    for kind in (
        LookupTable,
        MaskOperation,
        OverlayPlane,
        Palette,
        RealWorldMapping,
        Shutter,
        Tiling,
        UltrasoundRegion,
        Window,
    )
}


def _packed(instance: object, defaults: dict[str, Any], without: set[str] | None = None) -> dict[str, Any]:
    packed = {}
    for name, default in defaults.items():
        if without and name in without:
            continue
        value = getattr(instance, name)
        if default is MISSING or value != default:
            packed[name] = _plain(value)
    return packed


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _bytes_to_text(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    defaults = _OTHER_FIELDS.get(type(value))
    return value if defaults is None else _packed(value, defaults)


def _frame_to_json(frame: FrameAttributes) -> dict[str, Any]:
    return _packed(frame, _FRAME_FIELDS)


def _own_to_json(frame: FrameAttributes, shared: FrameAttributes) -> dict[str, Any]:
    packed = _frame_to_json(frame)
    for name in _INHERITED:
        value = getattr(frame, name)
        if value == getattr(shared, name):
            packed.pop(name, None)
        else:
            packed[name] = _plain(value)
    return packed


def _frame_from_json(values: dict[str, Any], inherited: dict[str, Any] | None = None) -> FrameAttributes:
    arguments = {**inherited, **values} if inherited else dict(values)
    for name, value in values.items():
        convert = _FRAME_READERS.get(name)
        if convert is not None and value is not None:
            arguments[name] = convert(value)
    return FrameAttributes(**arguments)


def _bytes_to_text(value: bytes) -> str:
    if len(value) >= DEFLATE_FROM_BYTES:
        deflated = zlib.compress(value, 6)
        if len(deflated) * 2 <= len(value):
            return "z" + base64.b64encode(deflated).decode("ascii")
    return "b" + base64.b64encode(value).decode("ascii")


def _bytes_from_text(value: str) -> bytes:
    raw = base64.b64decode(value[1:])
    return zlib.decompress(raw) if value[0] == "z" else raw


def _window(values: dict[str, Any]) -> Window:
    return Window(
        values["center"],
        values["width"],
        VoiFunction(values["function"]) if "function" in values else VoiFunction.LINEAR,
        values.get("explanation", ""),
    )


def _table(values: dict[str, Any]) -> LookupTable:
    return LookupTable(**{**values, "entries": _bytes_from_text(values["entries"])})


def _palette(values: dict[str, Any]) -> Palette:
    return Palette(red=_table(values["red"]), green=_table(values["green"]), blue=_table(values["blue"]))


def _overlay(values: dict[str, Any]) -> OverlayPlane:
    bits = values["bits"]
    return OverlayPlane(**{**values, "bits": None if bits is None else _bytes_from_text(bits)})


def _shutter(values: dict[str, Any]) -> Shutter:
    read: dict[str, Any] = {"rectangle": tuple, "circle": tuple, "color": tuple, "polygon": _vertices}
    return Shutter(**{name: read[name](value) if name in read else value for name, value in values.items()})


def _vertices(values: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((row, column) for row, column in values)


def _region(values: dict[str, Any]) -> UltrasoundRegion:
    return UltrasoundRegion(**values)


def _tiling(values: dict[str, Any]) -> Tiling:
    arguments: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    if "places" in arguments:
        arguments["places"] = _bytes_from_text(arguments["places"])
    return Tiling(**arguments)


def _real_world(values: dict[str, Any]) -> RealWorldMapping:
    return RealWorldMapping(**{**values, "table": _bytes_from_text(values["table"]) if "table" in values else b""})


def _mask(values: dict[str, Any]) -> MaskOperation:
    ranges, masks, shift = (values.get(name) for name in ("ranges", "mask_frames", "shift"))
    own = {"ranges": _pairs(ranges or []), "mask_frames": tuple(masks or ()), "shift": tuple(shift or (0.0, 0.0))}
    return MaskOperation(**{**values, **own})


def _pairs(values: list[list[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(map(tuple, values))


_FRAME_READERS: Final[dict[str, Any]] = {
    "modality_lut": _table,
    "windows": lambda values: tuple(map(_window, values)),
    "voi_luts": lambda values: tuple(map(_table, values)),
    "shutter": _shutter,
    "image_position_patient": tuple,
    "image_orientation_patient": tuple,
    "pixel_spacing": tuple,
    "image_type": tuple,
    "patient_orientation": tuple,
    "mask_shifts": _pairs,
    "real_world": lambda values: tuple(map(_real_world, values)),
}
_IMAGE_READERS: Final[dict[str, Any]] = {
    "padding": tuple,
    "presentation_lut": _table,
    "pixel_aspect_ratio": tuple,
    "imager_pixel_spacing": tuple,
    "nominal_scanned_pixel_spacing": tuple,
    "palette": _palette,
    "icc_profile": _bytes_from_text,
    "overlays": lambda values: tuple(map(_overlay, values)),
    "ultrasound_regions": lambda values: tuple(map(_region, values)),
    "tiling": _tiling,
    "masks": lambda values: tuple(map(_mask, values)),
    "frame_times_ms": tuple,
}
