"""The codec child: it may die, hang or ask for all memory; the process that asked goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from archive.errors import CannotDecode
from archive.pixels import child
from archive.pixels.child import ChildEnded, Children, CodecRefused, Request, decode_in_child
from pacs_portal.processes import is_running
from tests.archive.pixels.test_decode_hostile import mutate

ROOT = Path(__file__).resolve().parents[3]
PLANAR = {"planar": False}
LARGE = 2048
"""Rows and columns of a JPEG 2000 image that takes some tenths of a second to decode."""


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """Children of this test's own, and nothing remembered."""
    own = Children()
    monkeypatch.setattr(child, "children", own)
    monkeypatch.setattr(child, "refused_frames", child.RefusedFrames())
    yield own
    own.end_all()
    assert own.process_ids == []


def noise(rows: int, columns: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4096, (rows, columns)).astype(np.uint16)


def jpeg_2000(values: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(values, level=0, codecformat="J2K"))


def request_for(values: np.ndarray, codec: str = "jpeg2k_decode") -> Request:
    return Request(codec, values.shape, values.dtype.str, values.nbytes, PLANAR)


def wait_for(condition: Callable[[], Any], patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_busy(pid: int) -> bool:
    """Whether a process has taken more processor time than its start does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]) > 30


# --- What comes back --------------------------------------------------------------------------------------------------


def test_the_samples_are_those_that_were_encoded(children: Children) -> None:
    values = noise(40, 30)

    assert np.array_equal(decode_in_child(request_for(values), jpeg_2000(values)), values)


def test_many_threads_get_each_its_own_image_from_a_few_children(children: Children) -> None:
    images = [noise(64, 48, seed) for seed in range(40)]

    with ThreadPoolExecutor(16) as threads:
        decoded = list(threads.map(lambda one: decode_in_child(request_for(one), jpeg_2000(one)), images))

    assert all(np.array_equal(one, other) for one, other in zip(decoded, images, strict=True))
    assert 1 <= len(children.process_ids) <= child.MAXIMUM_CHILDREN


def test_a_damaged_stream_is_refused_and_the_child_goes_on(children: Children) -> None:
    values = noise(40, 30)
    decode_in_child(request_for(values), jpeg_2000(values))
    before = children.process_ids

    with pytest.raises(CodecRefused):
        decode_in_child(request_for(values), jpeg_2000(values)[:200])

    assert children.process_ids == before


def test_a_child_of_a_process_with_much_memory_goes_on(children: Children) -> None:
    held = np.ones(300 << 20, np.uint8)
    values = noise(40, 30)
    decode_in_child(request_for(values), jpeg_2000(values))
    before = children.process_ids
    decode_in_child(request_for(values), jpeg_2000(values))

    assert children.process_ids == before
    assert held.all()


def test_samples_of_another_size_than_was_asked_for_are_refused(children: Children) -> None:
    values = noise(40, 30)

    with pytest.raises(CodecRefused):
        decode_in_child(request_for(noise(30, 40)), jpeg_2000(values))
    with pytest.raises(CodecRefused):
        # The codec decides about the numbers, and they are larger than the data set allows.
        data = bytes(imagecodecs.jpegxl_encode(values, lossless=True))
        decode_in_child(Request("jpegxl_decode", values.shape, None, values.size, {"index": 0}), data)


# --- Ends -------------------------------------------------------------------------------------------------------------


def test_a_child_that_was_killed_while_idle_is_replaced(children: Children) -> None:
    values = noise(40, 30)
    decode_in_child(request_for(values), jpeg_2000(values))
    (pid,) = children.process_ids

    os.kill(pid, signal.SIGKILL)

    assert np.array_equal(decode_in_child(request_for(values), jpeg_2000(values)), values)
    assert pid not in children.process_ids


def decode_and_kill(children: Children, values: np.ndarray, number: signal.Signals, times: int) -> Any:
    """Decode in a thread, and send a signal to the child that works on it, a number of times."""
    result: list[Any] = []

    def decode() -> None:
        try:
            result.append(decode_in_child(request_for(values), jpeg_2000(values)))
        except CannotDecode as error:
            result.append(error)

    thread = threading.Thread(target=decode)
    thread.start()
    killed: set[int] = set()
    for _ in range(times):
        wait_for(lambda: any(is_busy(pid) for pid in children.process_ids if pid not in killed))
        for pid in children.process_ids:
            if pid not in killed and is_busy(pid):
                killed.add(pid)
                os.kill(pid, number)
    thread.join(60)
    return result[0]


def test_a_frame_whose_child_was_killed_in_the_middle_is_decoded_by_the_next(children: Children) -> None:
    values = noise(LARGE, LARGE)

    assert np.array_equal(decode_and_kill(children, values, signal.SIGKILL, 1), values)


def test_a_crash_in_the_middle_is_an_answer_and_the_next_frame_is_right(children: Children) -> None:
    values, other = noise(LARGE, LARGE), noise(40, 30)

    error = decode_and_kill(children, values, signal.SIGSEGV, 1)

    assert isinstance(error, ChildEnded)
    assert str(error) == "The frame cannot be decoded: its code stream is damaged and ended the decoder."
    assert np.array_equal(decode_in_child(request_for(other), jpeg_2000(other)), other)


def test_streams_that_end_openjph_are_answers(children: Children) -> None:
    values = noise(64, 64).astype(np.uint8)
    data = bytes(imagecodecs.htj2k_encode(values, reversible=False, level=0.001))
    ended = 0
    for seed in range(300):
        try:
            decoded = decode_in_child(request_for(values, "htj2k_decode"), mutate(data, random.Random(seed)))
            assert decoded.shape == values.shape
        except ChildEnded:
            ended += 1
        except CodecRefused:
            continue

    assert ended > 0


def test_a_frame_that_takes_too_much_processor_time_is_ended(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "CPU_S", 0.02)
    monkeypatch.setattr(child, "CPU_S_A_MEGASAMPLE", 0.0)
    values = noise(LARGE, LARGE)

    with pytest.raises(ChildEnded, match=r"takes more than 0\.0 s of processor time"):
        decode_in_child(request_for(values), jpeg_2000(values))


def test_a_child_that_stands_still_is_ended(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "CLOCK_S", 0.3)
    monkeypatch.setattr(child, "CLOCK_A_CPU_S", 0)
    monkeypatch.setattr(child, "STARTING_S", 0.0)
    monkeypatch.setattr(child, "_OWN_TIME_S", 0.2)
    values = noise(40, 30)
    children.start_ahead()
    (pid,) = children.process_ids
    os.kill(pid, signal.SIGSTOP)

    with pytest.raises(ChildEnded, match="takes longer than"):
        decode_in_child(request_for(values), jpeg_2000(values))

    assert not is_running(pid)


def test_a_codec_that_asks_for_more_memory_than_allowed_is_refused(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MEMORY_BYTES", 1 << 20)
    monkeypatch.setattr(child, "MEMORY_BYTES_A_SAMPLE", 0)
    values = np.zeros((LARGE, LARGE), np.uint16)

    with pytest.raises((CannotDecode, CodecRefused)):
        decode_in_child(request_for(values), jpeg_2000(values))


# --- What is remembered -----------------------------------------------------------------------------------------------


def test_a_frame_that_ended_a_child_is_not_given_to_the_next(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise(LARGE, LARGE)
    data = jpeg_2000(values)
    with monkeypatch.context() as impatient, pytest.raises(ChildEnded) as first:
        impatient.setattr(child, "CPU_S", 0.02)
        impatient.setattr(child, "CPU_S_A_MEGASAMPLE", 0.0)
        decode_in_child(request_for(values), data)
    before = children.process_ids

    # Now there would be time enough.
    with pytest.raises(ChildEnded) as second:
        decode_in_child(request_for(values), data)

    assert str(second.value) == str(first.value)
    assert children.process_ids == before


def test_a_refused_frame_is_tried_again_after_a_while(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    values = noise(40, 30)
    data = jpeg_2000(values)
    monkeypatch.setattr(child, "REMEMBERED_S", 0.0)
    child.refused_frames.add(request_for(values), data, ChildEnded("It was a bad day."))

    assert np.array_equal(decode_in_child(request_for(values), data), values)


def test_another_frame_of_the_same_length_is_not_taken_for_the_refused_one(children: Children) -> None:
    values = noise(40, 30)
    data = jpeg_2000(values)
    child.refused_frames.add(request_for(values), bytes(len(data)), ChildEnded("It was another."))

    assert np.array_equal(decode_in_child(request_for(values), data), values)


def test_the_oldest_refused_frame_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MOST_REMEMBERED", 2)
    refused, request = child.RefusedFrames(), request_for(noise(4, 4))
    for data in (b"1", b"2", b"3"):
        refused.add(request, data, ChildEnded("No."))

    assert [refused.reason(request, data) is None for data in (b"1", b"2", b"3")] == [True, False, False]


# --- The process and its children -------------------------------------------------------------------------------------

PROGRAM = """
import os, sys, threading
import imagecodecs, numpy as np
from archive.pixels.child import Request, children, decode_in_child
values = np.random.default_rng(1).integers(0, 4096, (2048, 2048)).astype(np.uint16)
data = bytes(imagecodecs.jpeg2k_encode(values, level=0, codecformat="J2K"))
request = Request("jpeg2k_decode", values.shape, values.dtype.str, values.nbytes, {"planar": False})
children.start_ahead()
print(*children.process_ids, flush=True)
for _ in range(1000):
    decode_in_child(request, data)
"""


def test_children_end_when_their_process_is_killed_while_they_work() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        wait_for(lambda: is_busy(pid))
        program.kill()
        program.wait()

        wait_for(lambda: not is_running(pid))


def test_a_forked_process_has_children_of_its_own(children: Children) -> None:
    values = noise(40, 30)
    data = jpeg_2000(values)
    decode_in_child(request_for(values), data)
    before = children.process_ids

    forked = os.fork()
    if forked == 0:
        is_right = np.array_equal(decode_in_child(request_for(values), data), values)
        os._exit(0 if is_right and not set(before) & set(children.process_ids) else 1)
    _, status = os.waitpid(forked, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert np.array_equal(decode_in_child(request_for(values), data), values)
    assert children.process_ids == before


def test_a_child_knows_nothing_of_the_environment_and_dumps_no_core(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_SECRET_KEY", "not for codecs")
    values = noise(40, 30)
    decode_in_child(request_for(values), jpeg_2000(values))
    (pid,) = children.process_ids

    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()

    assert {part.partition(b"=")[0].decode() for part in environment if part} == set(child.ENVIRONMENT)
    assert next(line.split()[4:6] for line in limits if line.startswith("Max core file size")) == ["0", "0"]


def test_a_child_has_no_other_open_files_than_its_socket(children: Children, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        values = noise(40, 30)
        decode_in_child(request_for(values), jpeg_2000(values))
    (pid,) = children.process_ids

    found = sorted(os.readlink(path).partition(":")[0] for path in Path(f"/proc/{pid}/fd").iterdir())

    assert found == ["/dev/null", "/dev/null", "/dev/null", "socket"]
