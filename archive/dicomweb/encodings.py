"""In which transfer syntax an instance or a frame goes out (PS3.18 8.7.3.5): as stored, or decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Final

from archive.dicom.accept import MediaRange
from archive.dicom.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    Codec,
    transfer_syntax,
)
from archive.dicomweb.errors import NotAcceptable
from archive.dicomweb.responses import Part
from archive.mending.coercion import coerced_file, facts_of
from archive.models import Instance
from archive.pixels.native import NATIVE_TARGETS, native_frame, write_native
from archive.pixels.transcode import ImageFile
from archive.storage import layout
from archive.storage.outgoing import open_outgoing
from archive.storage.temporary import temporary_file

AS_STORED: Final = "*"
BLOCK: Final = 1 << 18
OCTETS: Final = "application/octet-stream"
MEDIA_TYPES: Final[dict[Codec, str]] = {
    # PS3.18 tables 8.7.3-3 and 8.7.3-5: the media type of each code stream.
    Codec.NONE: OCTETS,
    Codec.RLE: "image/dicom-rle",
    Codec.JPEG: "image/jpeg",
    Codec.JPEG_LOSSLESS: "image/jpeg",
    Codec.JPEG_LS: "image/jls",
    Codec.JPEG_2000: "image/jp2",
    Codec.HTJ2K: "image/jphc",
    Codec.JPEG_XL: "image/jxl",
}
_UNCOMPRESSED: Final = frozenset({EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN})


@dataclass(frozen=True, slots=True)
class Way:
    """How one instance goes out."""

    instance: Instance
    transfer_syntax_uid: str
    is_stored_so: bool

    @property
    def content_type(self) -> str:
        return f"application/dicom; transfer-syntax={self.transfer_syntax_uid}"

    def blocks(self) -> Iterator[bytes]:
        """A DICOM file, a block at a time; decoded ones pass through an unnamed file."""
        if self.is_stored_so:
            yield from open_outgoing(self.instance).blocks()
            return
        with temporary_file() as file:
            path = layout.path_of(self.instance.stored_file.key)
            write_native(path, file, transfer_syntax_uid=self.transfer_syntax_uid)
            with coerced_file(file, facts_of(self.instance.series.study)) as outgoing:
                outgoing.seek(0)
                yield from blocks_of(outgoing)


def way_of(instance: Instance, wanted: str) -> Way:
    """Choose a transfer syntax.

    Parameters
    ----------
    wanted
        A UID; ``*`` for whatever is stored; empty for the standard's default, Explicit VR Little Endian
        (PS3.18 8.7.3.5.2), or as stored where that cannot be: video, unknown codecs.

    Raises
    ------
    NotAcceptable
        The instance is not to be had in this transfer syntax.
    """
    stored = instance.stored_file.transfer_syntax_uid
    if wanted in (AS_STORED, stored) or (not wanted and stored in _UNCOMPRESSED):
        return Way(instance, stored, is_stored_so=True)
    target = wanted or EXPLICIT_VR_LITTLE_ENDIAN
    if target in NATIVE_TARGETS and can_decode(instance):
        return Way(instance, target, is_stored_so=False)
    if not wanted:
        return Way(instance, stored, is_stored_so=True)
    raise NotAcceptable(
        f"An instance stored in {transfer_syntax(stored).name} is given so, or in "
        f"{' or '.join(sorted(NATIVE_TARGETS))} where it can be decoded."
    )


def can_decode(instance: Instance) -> bool:
    """Whether an instance can be given without compression."""
    return not (instance.undrawable_reason or instance.stored_file.damage) or not instance.frames


def blocks_of(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


@dataclass(frozen=True, slots=True)
class Kind:
    """A form in which frames can be had."""

    media_type: str
    transfer_syntax_uid: str
    is_decoded: bool

    def __str__(self) -> str:
        return f"{self.media_type}; transfer-syntax={self.transfer_syntax_uid}"


class EncodedFrames:
    """Some frames of one instance, counted from 1."""

    def __init__(self, instance: Instance, numbers: Sequence[int]) -> None:
        self._instance = instance
        self.numbers = numbers
        self._stored = instance.stored_file.transfer_syntax_uid
        if instance.undrawable_reason and not instance.frames:
            raise NotAcceptable(instance.undrawable_reason)

    @cached_property
    def _kinds(self) -> tuple[Kind, ...]:
        decoded = Kind(OCTETS, EXPLICIT_VR_LITTLE_ENDIAN, is_decoded=True)
        codec = transfer_syntax(self._stored).codec
        media_type = MEDIA_TYPES.get(codec)
        if codec is Codec.NONE or media_type is None:
            return (decoded,)
        return decoded, Kind(media_type, self._stored, is_decoded=False)

    def offers(self) -> list[str]:
        return [str(kind) for kind in self._kinds]

    def kind_for(self, wanted: MediaRange) -> Kind | None:
        """The form that suits a media range: ``transfer-syntax=*`` means as stored, none means the default of its type."""
        syntax = wanted.transfer_syntax
        stored = self._kinds[-1]
        if syntax == AS_STORED:
            # Whatever the type says: clients ask for octet-stream and take what is stored.
            return stored if wanted.specificity(stored.media_type) or wanted.specificity(OCTETS) else None
        for kind in self._kinds:
            if wanted.specificity(kind.media_type) and syntax in ("", kind.transfer_syntax_uid):
                return kind
        return None

    def parts(self, kind: Kind) -> Iterable[Part]:
        """One part a frame.

        Raises
        ------
        FrameMissing
            There is no such frame.
        """
        path = layout.path_of(self._instance.stored_file.key)
        with ImageFile(path) as image:
            for number in self.numbers:
                image.index.place(number)
        return self._read(kind)

    def _read(self, kind: Kind) -> Iterator[Part]:
        with ImageFile(layout.path_of(self._instance.stored_file.key)) as image:
            # What lies there uncompressed goes out as it lies, planes and shared chroma too, as metadata says of it.
            # Single bits do not begin at a byte, so they are read.
            is_kept = self._stored in _UNCOMPRESSED and image.description.bits_allocated % 8 == 0
            for number in self.numbers:
                is_read = kind.is_decoded and not is_kept
                yield str(kind), {}, [native_frame(image, number) if is_read else image.encoded_frame(number)]
