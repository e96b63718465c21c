"""Which instances of a series make a slide: one large picture at several resolutions (PS3.3 C.8.12).

Images of flavour VOLUME that show the same area belong together, the parts of a
concatenation and the instances of each resolution. Each optical path at each focal
plane is a stack of its own, with one frame: the total pixel matrix of the finest
resolution. LABEL, OVERVIEW and THUMBNAIL are images of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from archive.pixels.describe import from_json, to_json
from archive.pixels.description import ImageDescription, Tiling
from archive.pixels.tiling import WHOLE_SLIDE_MICROSCOPY, TilePlaces, tile_places
from viewer.rendering.tiles import Region
from viewer.stacks.facts import FrameFacts, InstanceFacts, SlideInstance, frames_of

SHAPE_TOLERANCE = 0.02
"""How far the proportions of a lower resolution may be from those of the finest."""

SINGLE_FLAVOURS = frozenset({"LABEL", "OVERVIEW", "THUMBNAIL"})


class SlidePart:
    """One instance of a slide: which of its frames show a layer, and where they lie."""

    def __init__(self, instance: InstanceFacts, description: ImageDescription, tiling: Tiling) -> None:
        self.instance = instance
        self.description = description
        self.tiling = tiling

    @cached_property
    def places(self) -> TilePlaces:
        return tile_places(self.tiling, self.description.rows, self.description.columns, self.description.frames)

    def path_at(self, index: int) -> str:
        """Name of an optical path by its index; the index itself where the file does not name it."""
        paths = self.tiling.optical_paths
        return paths[index] if index < len(paths) and paths[index] else str(index + 1)

    def depth_at(self, index: int) -> float:
        """Depth of a focal plane by its index, micrometres; the index itself where the file does not say it."""
        depths = self.tiling.depths
        return depths[index] if index < len(depths) and len(depths) >= self.tiling.focal_planes else float(index)

    @cached_property
    def layers(self) -> dict[tuple[str, float], list[tuple[int, int]]]:
        """Optical path and depth of every layer, each with its indices."""
        found: dict[tuple[str, float], list[tuple[int, int]]] = defaultdict(list)
        pairs = np.unique(np.column_stack([self.places.path, self.places.plane]), axis=0)
        for path, plane in pairs.tolist():
            found[self.path_at(path), self.depth_at(plane)].append((path, plane))
        return found


class Layer:
    """The frames of one instance at one optical path and focal plane, found by where they lie."""

    def __init__(self, part: SlidePart, indices: Iterable[tuple[int, int]]) -> None:
        self.instance = part.instance
        self.rows, self.columns = part.description.rows, part.description.columns
        places = part.places
        chosen = np.zeros(len(places.row), bool)
        for path, plane in indices:
            chosen |= (places.path == path) & (places.plane == plane)
        frames = np.nonzero(chosen)[0]
        frames = frames[np.argsort(places.row[frames], kind="stable")]
        self._row, self._column, self._frame = places.row[frames], places.column[frames], frames + 1

    @property
    def frames(self) -> int:
        """How many frames the layer has here."""
        return len(self._frame)

    def touching(self, region: Region) -> list[tuple[int, int, int]]:
        """Frames that a region touches, in their order: first row, first column, frame number."""
        first = np.searchsorted(self._row, region.row - self.rows, side="right")
        last = np.searchsorted(self._row, region.row + region.rows, side="left")
        column: NDArray[np.int64] = self._column[first:last]
        inside = (column > region.column - self.columns) & (column < region.column + region.columns)
        found = zip(self._row[first:last][inside], column[inside], self._frame[first:last][inside], strict=True)
        return sorted(((int(row), int(column), int(frame)) for row, column, frame in found), key=lambda one: one[2])


@dataclass(frozen=True)
class Resolution:
    """One resolution of a layer: an instance, or the parts of a concatenation."""

    rows: int
    """Of the total pixel matrix."""
    columns: int
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Slide(SlideInstance):
    """One optical path at one focal plane, at every resolution there is, the finest first."""

    resolutions: tuple[Resolution, ...]
    absent_lab: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class SlideStack:
    """A slide as a stack of one frame."""

    frame: FrameFacts
    label: str
    notes: tuple[str, ...] = ()


def is_slide_volume(instance: InstanceFacts) -> bool:
    """Whether an instance is part of a slide; labels, overviews and thumbnails are pictures of their own."""
    if instance.sop_class_uid != WHOLE_SLIDE_MICROSCOPY:
        return False
    is_tiled = "tiling" in json.loads(instance.description)
    return is_tiled and (instance.frames > 1 or not slide_flavour(instance))


def slide_flavour(instance: InstanceFacts) -> str:
    """ "label", "overview" or "thumbnail" (PS3.3 C.8.12.4.1.1); empty for everything else."""
    if instance.sop_class_uid != WHOLE_SLIDE_MICROSCOPY:
        return ""
    kind = str((json.loads(instance.description).get("tiling") or {}).get("kind", ""))
    return kind.lower() if kind in SINGLE_FLAVOURS else ""


def slide_stacks(instances: Iterable[InstanceFacts]) -> list[list[SlideStack]]:
    """Return the stacks of every slide of a series: for each area its optical paths and focal planes."""
    parts = [part for instance in instances if (part := _part(instance)) is not None]
    return [_stacks_of(area) for area in _areas(parts)]


def _part(instance: InstanceFacts) -> SlidePart | None:
    description = from_json(json.loads(instance.description))
    return SlidePart(instance, description, description.tiling) if description.tiling else None


def _areas(parts: list[SlidePart]) -> list[list[SlidePart]]:
    """Parts that show the same area: of one flavour, pyramid and proportions."""
    areas: list[list[SlidePart]] = []
    for part in sorted(parts, key=lambda one: (-one.tiling.total_rows * one.tiling.total_columns, _number(one))):
        for area in areas:
            if _same_area(area[0], part) and not any(_is_rival(one, part) for one in area):
                area.append(part)
                break
        else:
            areas.append([part])
    return sorted(areas, key=lambda area: min(map(_number, area)))


def _same_area(one: SlidePart, other: SlidePart) -> bool:
    first, second = one.tiling, other.tiling
    if (first.kind, first.pyramid) != (second.kind, second.pyramid):
        return False
    if one.description.samples_per_pixel != other.description.samples_per_pixel:
        return False
    shapes = [(tiling.total_rows, tiling.total_columns) for tiling in (first, second)]
    scales = [big / small for big, small in zip(*shapes, strict=True)]
    rounding = 1 / min(shapes[1])
    return abs(scales[0] / scales[1] - 1) <= SHAPE_TOLERANCE + rounding


def _is_rival(one: SlidePart, other: SlidePart) -> bool:
    """Whether two instances show the same layer at the same size without being parts of one concatenation.

    An Optical Path Identifier names a path within its instance only (PS3.3 C.8.12.5.1.1): these may be two stains.
    """
    sizes = [(part.tiling.total_rows, part.tiling.total_columns) for part in (one, other)]
    is_one = one.tiling.concatenation and one.tiling.concatenation == other.tiling.concatenation
    return sizes[0] == sizes[1] and not is_one and not one.layers.keys().isdisjoint(other.layers)


def _number(part: SlidePart) -> tuple[int, str]:
    number = part.instance.instance_number
    return (1 << 31 if number is None else number, part.instance.sop_instance_uid)


def _stacks_of(area: list[SlidePart]) -> list[SlideStack]:
    by_size: dict[tuple[int, int], list[SlidePart]] = defaultdict(list)
    for part in area:
        by_size[part.tiling.total_rows, part.tiling.total_columns].append(part)
    sizes = sorted(by_size, key=lambda size: -size[0] * size[1])
    names = _path_names(area)
    finest_of: dict[str, dict[float, None]] = {}
    for size in sizes:
        depths: dict[str, dict[float, None]] = defaultdict(dict)
        for path, depth in chain.from_iterable(part.layers for part in by_size[size]):
            depths[path][depth] = None
        finest_of = {**depths, **finest_of}
    wanted = [(path, depth) for path in names if path in finest_of for depth in sorted(finest_of[path])]
    stacks = []
    for path, depth in wanted:
        is_flat = len(finest_of[path]) == 1
        resolutions = [(size, _layers(by_size[size], path, None if is_flat else depth)) for size in sizes]
        label = ", ".join([names[path]] * (len(finest_of) > 1) + [_depth_name(area, depth)] * (not is_flat))
        stacks.append(_stack([(size, layers) for size, layers in resolutions if layers], path, depth, label))
    return stacks


def _path_names(area: list[SlidePart]) -> dict[str, str]:
    """Optical paths in the order of the files, each with what it is called."""
    names: dict[str, str] = {}
    for part in area:
        for index in range(max(len(part.tiling.optical_paths), int(part.places.path.max(initial=0)) + 1)):
            described = part.tiling.optical_path_names
            name = described[index] if index < len(described) else ""
            names.setdefault(part.path_at(index), name or f"optical path {part.path_at(index)}")
    return names


def _depth_name(area: list[SlidePart], depth: float) -> str:
    """A focal plane in words: its depth, or its number where the file does not say how deep it lies."""
    is_known = any(depth in part.tiling.depths for part in area if part.tiling.places)
    return f"{depth:g} µm" if is_known else f"focal plane {int(depth) + 1}"


Source = tuple[SlidePart, list[tuple[int, int]]]


def _layers(parts: list[SlidePart], path: str, depth: float | None) -> list[Source]:
    """Parts of one resolution with the indices of a layer; of a flat path, whatever depth the file gives."""
    found = []
    for part in sorted(parts, key=lambda one: (one.tiling.first_frame, _number(one))):
        layers = part.layers.items()
        indices = [pair for (name, at), pairs in layers if name == path and depth in (None, at) for pair in pairs]
        if indices:
            found.append((part, indices))
    return found


def _stack(resolutions: list[tuple[tuple[int, int], list[Source]]], path: str, depth: float, label: str) -> SlideStack:
    """A slide with one frame; coarser resolutions that cannot be drawn whole are left out."""
    (size, sources), *coarser = resolutions
    usable = [one for one in coarser if not any(_harm(part) for part, _ in one[1]) and not _missing_tiles(one[1])]
    base = sources[0][0]
    slide = Slide(
        resolutions=tuple(
            Resolution(*one, tuple(Layer(part, indices) for part, indices in layers))
            for one, layers in [(size, sources), *usable]
        ),
        absent_lab=base.tiling.absent_lab,
    )
    description = replace(base.description, rows=size[0], columns=size[1], frames=1, tiling=None)
    keys = [part.instance.key for _, layers in [(size, sources), *usable] for part, _ in layers]
    digest = hashlib.sha256("\n".join([path, repr(depth), *keys]).encode()).hexdigest()
    instance = replace(
        base.instance,
        rows=size[0],
        columns=size[1],
        frames=1,
        description=json.dumps(to_json(description), separators=(",", ":")),
        key=f"{base.instance.key} slide {digest}",
        frame_index=b"",
        damage=next((part.instance.damage for part, _ in sources if part.instance.damage), ""),
        undrawable_reason=next((part.instance.undrawable_reason for part, _ in sources if _harm(part)), ""),
        slide=slide,
    )
    missing = _missing_tiles(sources)
    note = f"{missing} of the slide's tiles are missing: there is background in their place."
    return SlideStack(next(iter(frames_of(instance))), label, (note,) if missing else ())


def _missing_tiles(sources: list[Source]) -> int:
    """Tiles of a TILED_FULL layer that no instance holds: a part of its concatenation is missing."""
    base = sources[0][0]
    if base.tiling.places:
        return 0
    across = -(-base.tiling.total_columns // base.description.columns)
    down = -(-base.tiling.total_rows // base.description.rows)
    return max(across * down - sum(Layer(part, indices).frames for part, indices in sources), 0)


def _harm(part: SlidePart) -> bool:
    return bool(part.instance.damage or part.instance.undrawable_reason)
