"""C-MOVE over several associations at once: to dcmtk's storescp, to a real Orthanc, to peers that take one, that break."""

# ruff: noqa: F811 - fixtures of other files

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from archive.dimse.destinations import pool
from archive.models import Instance
from archive.storage import layout
from tests.archive.dimse.conftest import DCMTK, StartReceiver, data_set_of
from tests.archive.dimse.test_retrieving import (  # noqa: F401 - fixtures
    STUDY,
    StartDestination,
    counts_of,
    empty_pool,
    move,
    receiver_for,
    start_destination,
    stored,
)
from tests.archive.exchange.conftest import Orthanc, orthanc, storescp  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_messages", "empty_pool")]

CT_SMALL = Path(str(get_testdata_file("CT_small.dcm", download=False)))
COUNT = 64
"""Worth four associations."""
StoreScp = Callable[..., tuple[int, Path]]


def stored_data_sets() -> list[bytes]:
    return sorted(
        data_set_of(layout.path_of(key)) for key in Instance.objects.values_list("stored_file__key", flat=True)
    )


def movescu(port: int) -> str:
    command = ["/usr/bin/movescu", "-v", "-S", "-aem", "DEST"]
    for keyword, value in STUDY.items():
        command += ["-k", f"{keyword}={value}"]
    done = subprocess.run(
        [*command, "127.0.0.1", str(port)], env=DCMTK, text=True, check=True, capture_output=True, timeout=120
    )
    return done.stdout + done.stderr


def test_movescu_has_a_series_sent_over_four_associations_byte_for_byte(
    portal_data: Path, start_receiver: StartReceiver, storescp: StoreScp
) -> None:
    stored(*[CT_SMALL] * COUNT, folder=portal_data)
    port, folder = storescp("+B", "-aet", "DEST", "--fork")
    server = receiver_for(start_receiver, port)

    output = movescu(server.port)

    assert "Received Final Move Response (Success)" in output
    assert sorted(data_set_of(path) for path in folder.iterdir()) == stored_data_sets()


def test_orthanc_gets_all_of_it_and_the_counts_are_right(
    portal_data: Path, start_receiver: StartReceiver, orthanc: Orthanc
) -> None:
    stored(*[CT_SMALL] * COUNT, folder=portal_data)
    server = receiver_for(start_receiver, orthanc.dicom_port)

    *pending, (final, _) = move(server.port, STUDY)

    assert (final.Status, counts_of(final)) == (0, (None, COUNT, 0, 0))
    assert [counts_of(status) for status, _ in pending] == [(COUNT - n, n, 0, 0) for n in range(1, COUNT)]
    assert orthanc.ask("/statistics")["CountInstances"] == COUNT
    pool.close()


def test_four_associations_are_open_at_once_and_no_more(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    """The destination answers no store before four have come over as many associations."""
    stored(*[CT_SMALL] * COUNT, folder=portal_data)
    four = threading.Barrier(4)
    destination = start_destination()
    take, waited = destination.take, []

    def take_four(event: object) -> int:
        if len(waited) < 4:
            waited.append(event)
            four.wait(60)
        return take(event)

    destination.take = take_four  # type: ignore[method-assign]
    server = receiver_for(start_receiver, destination.port)

    *_, (final, _) = move(server.port, STUDY)

    assert (final.Status, counts_of(final)) == (0, (None, COUNT, 0, 0))
    assert destination.associations == ["PORTAL"] * 4


def test_a_destination_that_takes_one_association_at_a_time_gets_everything(
    portal_data: Path, start_receiver: StartReceiver, storescp: StoreScp
) -> None:
    stored(*[CT_SMALL] * COUNT, folder=portal_data)
    port, folder = storescp("+B", "-aet", "DEST", "--single-process")
    server = receiver_for(start_receiver, port)

    assert "Received Final Move Response (Success)" in movescu(server.port)
    assert sorted(data_set_of(path) for path in folder.iterdir()) == stored_data_sets()


def test_associations_that_break_cost_only_what_was_under_way(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(*[CT_SMALL] * COUNT, folder=portal_data)
    destination = start_destination(abort_after=60)
    server = receiver_for(start_receiver, destination.port)

    *_, (final, ds) = move(server.port, STUDY)

    _, completed, failed, _ = counts_of(final)
    assert final.Status == 0xB000
    assert completed + failed == COUNT
    assert set(ds.FailedSOPInstanceUIDList) == set(Instance.objects.values_list("sop_instance_uid", flat=True)) - set(
        destination.data_sets
    )


def test_a_cancel_stops_all_of_them(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(*[CT_SMALL] * COUNT, folder=portal_data)
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    *_, (final, _) = move(server.port, STUDY, cancel_after=1)

    remaining, completed, failed, _ = counts_of(final)
    assert final.Status == 0xFE00
    assert remaining and remaining + completed + failed == COUNT
    assert len(destination.data_sets) == completed


def test_what_is_compressed_goes_out_plain_over_every_association(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    jpeg = Path(str(get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False)))
    stored(*[jpeg] * 32, folder=portal_data)
    destination = start_destination("1.2.840.10008.1.2")
    server = receiver_for(start_receiver, destination.port)

    *_, (final, _) = move(server.port, STUDY)

    plain = pydicom.dcmread(str(get_testdata_file("MR_small.dcm", download=False))).PixelData
    assert (final.Status, counts_of(final)[1]) == (0, 32)
    assert set(destination.syntaxes.values()) == {"1.2.840.10008.1.2"}
    assert all(plain in data for data in destination.data_sets.values())
