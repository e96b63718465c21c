"""Images made to do harm: a picture or words, at once, and in little memory."""

from __future__ import annotations

import io
import re
import time

import numpy as np
import psutil
import pytest

from archive.dicom.header import scan_header
from archive.dicom.part10 import read_dataset_from, read_file_meta
from archive.errors import ArchiveError
from archive.pixels.decode import DecodedFrame, decode_frame
from archive.pixels.describe import describe
from archive.pixels.frames import index_frames
from tests.abuse import ABUSES, Abuse, progressive
from tests.phantoms import to_part10_bytes

DEADLINE_S = 10.0
"""Far above what any case takes (bench/RESULTS.md), on a machine that does much else."""
GROWTH_BYTES = 96 << 20


def draw(abuse: Abuse) -> tuple[DecodedFrame, tuple[int, int]]:
    """Index and decode the frame that is asked for, as the archive does; also rows and columns of the data set."""
    file = io.BytesIO(to_part10_bytes(abuse.data_set(), abuse.transfer_syntax_uid))
    meta = read_file_meta(file)
    header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    description = describe(read_dataset_from(file))
    index = index_frames(file, header, description, meta.transfer_syntax_uid)
    place = index.place(abuse.frame)
    data = b"".join(file.getvalue()[offset : offset + length] for offset, length in place.pieces)
    decoded = decode_frame(
        data,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        description=description,
        frame_number=abuse.frame,
    )
    return decoded, (description.rows, description.columns)


@pytest.mark.parametrize("abuse", ABUSES, ids=lambda abuse: abuse.name)
def test_the_answer_comes_soon_and_takes_little_memory(abuse: Abuse) -> None:
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    try:
        decoded, plane = draw(abuse)
        assert not abuse.answer
        assert decoded.values.shape[:2] == plane
    except ArchiveError as error:
        assert abuse.answer, error
        assert re.search(re.escape(abuse.answer), str(error)), error

    assert time.monotonic() - started < DEADLINE_S
    assert psutil.Process().memory_info().rss - before < GROWTH_BYTES


def test_frames_before_the_one_that_is_cut_are_whole() -> None:
    for abuse in ABUSES:
        if abuse.name.startswith("last"):
            whole = [draw(Abuse(abuse.name, abuse.make, abuse.transfer_syntax_uid, frame))[0] for frame in (1, 2)]
            assert all(np.ptp(frame.values[-8:]) > 0 or "native" in abuse.name for frame in whole)


def test_the_scans_of_the_abusive_jpeg_are_as_many_as_it_says() -> None:
    assert progressive(64, 64, 40).count(b"\xff\xda") == 40
