"""C-MOVE and C-GET over real associations: to dcmtk's storescp, from movescu and getscu, and to pynetdicom's SCP."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import CTImageStorage, MRImageStorage

from archive.dicom.part10 import read_file_meta
from archive.dimse.destinations import pool
from archive.dimse.peers import PeerRule
from archive.dimse.refusals import Refusal
from archive.dimse.server import DicomServer
from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, StoredFile
from archive.pixels.transcode import ImageFile
from archive.storage import layout
from tests.archive.dimse.conftest import CLOSED, DCMTK, OPEN, StartReceiver, data_set_of
from tests.journeys.sending import send_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_messages", "empty_pool")]

STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
PATIENT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
CT_SMALL = Path(str(get_testdata_file("CT_small.dcm", download=False)))


@pytest.fixture
def empty_pool() -> Iterator[None]:
    yield
    pool.close()


@dataclass
class Destination:
    """A storage SCP of pynetdicom: what it got, under which context, from whom."""

    port: int
    data_sets: dict[str, bytes] = field(default_factory=dict)
    syntaxes: dict[str, str] = field(default_factory=dict)
    originators: set[tuple[str, int]] = field(default_factory=set)
    associations: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    """Statuses by SOP Instance UID, 0000 for all others."""

    def take(self, event: Any) -> int:
        request = event.request
        uid = str(request.AffectedSOPInstanceUID)
        self.data_sets[uid] = request.DataSet.getvalue()
        self.syntaxes[uid] = str(event.context.transfer_syntax)
        self.originators.add((str(request.MoveOriginatorApplicationEntityTitle), request.MoveOriginatorMessageID))
        return self.answers.get(uid, 0x0000)


StartDestination = Callable[..., Destination]


@pytest.fixture
def start_destination() -> Iterator[StartDestination]:
    """Start storage SCPs; ``syntaxes`` is what they take."""
    servers = []

    def start(*syntaxes: str, classes: tuple[str, ...] = (), abort_after: int = 0) -> Destination:
        from archive.dimse.contexts import STORAGE_CLASSES, STORAGE_TRANSFER_SYNTAXES

        ae = AE("DEST")
        ae.maximum_pdu_size = 0
        for uid in classes or [*sorted(STORAGE_CLASSES)[:100], CTImageStorage, MRImageStorage]:
            ae.add_supported_context(uid, list(syntaxes or sorted(STORAGE_TRANSFER_SYNTAXES)))
        destination = Destination(0)

        def take(event: Any) -> int:
            if abort_after and len(destination.data_sets) == abort_after:
                event.assoc.abort()
                return 0xC000
            return destination.take(event)

        handlers: list[Any] = [
            (evt.EVT_C_STORE, take),
            (evt.EVT_ACCEPTED, lambda event: destination.associations.append(str(event.assoc.requestor.ae_title))),
        ]
        server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        servers.append(server)
        destination.port = server.server_address[1]
        return destination

    yield start
    pool.close()
    for server in servers:
        server.shutdown()


def receiver_for(start_receiver: StartReceiver, port: int, **rights: Any) -> DicomServer:
    """A receiver that knows DEST on a port of this machine."""
    return start_receiver([PeerRule("DEST", host="127.0.0.1", port=port, check_address=False, **rights)], OPEN)


def stored(*sources: Path, same_study: bool = True, folder: Path) -> list[Path]:
    """Store copies under new UIDs: study 2.25.1 (or one each), series ``.1``; returns the copies."""
    copies = []
    for number, source in enumerate(sources, start=1):
        ds = pydicom.dcmread(source)
        ds.StudyInstanceUID = "2.25.1" if same_study else f"2.25.{number}"
        ds.SeriesInstanceUID = f"{ds.StudyInstanceUID}.{sum(map(ord, str(ds.SOPClassUID)))}"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.9.{number}"
        ds.PatientID, ds.PatientName, ds.InstanceNumber = "P1", "DOE^JANE", number
        copy = folder / f"copy-{number}.dcm"
        ds.save_as(copy)
        send_file(copy)
        copies.append(copy)
    index_waiting_files()
    assert Instance.objects.count() == len(sources)
    return copies


def move(
    port: int, keys: dict[str, str], *, destination: str = "DEST", model: str = STUDY_MOVE, **options: Any
) -> list[Any]:
    """Ask for a C-MOVE; returns the statuses with their identifiers."""
    ae = AE("WORKSTATION")
    ae.add_requested_context(model)
    assoc = ae.associate("127.0.0.1", port, ae_title="PORTAL")
    assert assoc.is_established
    found = []
    for status, ds in assoc.send_c_move(identifier_of(keys), destination, model, msg_id=17):
        found.append((status, ds))
        if options.get("cancel_after") == len(found):
            assoc.send_c_cancel(17, query_model=model)
    assoc.release()
    return found


def identifier_of(keys: dict[str, str]) -> Dataset:
    identifier = Dataset()
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    return identifier


STUDY = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "2.25.1"}


def counts_of(status: Dataset) -> tuple[Any, ...]:
    names = ("Remaining", "Completed", "Failed", "Warning")
    return tuple(status.get(f"NumberOf{name}Suboperations") for name in names)


@pytest.fixture
def every_syntax(data_dir: Path) -> list[Path]:
    """An image in every transfer syntax there is."""
    folder = data_dir / "syntaxes"
    return sorted(folder.glob("*.dcm")) + sorted((folder / "ctimage").glob("*.dcm"))


def test_every_transfer_syntax_goes_out_byte_for_byte(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination, every_syntax: list[Path]
) -> None:
    copies = stored(*every_syntax, same_study=False, folder=portal_data)
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    uids = "\\".join(f"2.25.{number}" for number in range(1, len(copies) + 1))
    *_, (final, ds) = move(server.port, {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": uids})

    assert (final.Status, ds) == (0x0000, None)
    assert counts_of(final) == (None, len(copies), 0, 0)
    for number, copy in enumerate(copies, start=1):
        uid = f"2.25.9.{number}"
        assert destination.data_sets[uid] == data_set_of(copy), copy.name
        with copy.open("rb") as file:
            assert destination.syntaxes[uid] == read_file_meta(file).transfer_syntax_uid
    assert destination.originators == {("WORKSTATION", 17)}
    assert set(destination.associations) == {"PORTAL"}


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=["implicit", "explicit"])
def test_every_transfer_syntax_goes_out_pixel_for_pixel_to_who_takes_no_compression(
    portal_data: Path,
    start_receiver: StartReceiver,
    start_destination: StartDestination,
    every_syntax: list[Path],
    syntax: str,
) -> None:
    copies = stored(*every_syntax, same_study=False, folder=portal_data)
    destination = start_destination(syntax)
    server = receiver_for(start_receiver, destination.port)

    uids = "\\".join(f"2.25.{number}" for number in range(1, len(copies) + 1))
    *_, (final, _) = move(server.port, {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": uids})

    assert final.Status == 0x0000
    assert set(destination.syntaxes.values()) == {syntax}
    for number, copy in enumerate(copies, start=1):
        same_pixels(copy, destination.data_sets[f"2.25.9.{number}"], syntax, portal_data)


def same_pixels(source: Path, data_set: bytes, syntax: str, folder: Path) -> None:
    """Compare what came with the source: every frame, and every element that is not about pixels' encoding."""
    from archive.dicom.part10 import write_file_meta

    original = pydicom.dcmread(source)
    path = folder / "came.dcm"
    uids = {"sop_class_uid": original.SOPClassUID, "sop_instance_uid": original.SOPInstanceUID}
    path.write_bytes(write_file_meta(transfer_syntax_uid=syntax, **uids) + data_set)
    came = pydicom.dcmread(path)
    assert (
        came.get("LossyImageCompression") == original.get("LossyImageCompression") or came.LossyImageCompression == "01"
    )
    with ImageFile(source) as one, ImageFile(path) as other:
        assert one.description.frames == other.description.frames
        for frame in range(1, one.description.frames + 1):
            first, second = one.frame(frame), other.frame(frame)
            np.testing.assert_array_equal(first.values, second.values)
            assert first.photometric_interpretation == second.photometric_interpretation
    for element in original:
        if element.tag.group != 0x7FE0 and element.keyword not in CHANGED and element.VR not in ("SQ", "UN"):
            assert came[element.tag].value == element.value, element.keyword


CHANGED = {"PhotometricInterpretation", "PlanarConfiguration", "LossyImageCompression"}


def test_dcmtk_moves_to_dcmtk(portal_data: Path, start_receiver: StartReceiver, storescp: Storescp) -> None:
    (copy,) = stored(CT_SMALL, folder=portal_data)
    server = receiver_for(start_receiver, storescp.port)

    done = dcmtk("movescu", server.port, "-S", "-aem", "DEST", keys=STUDY)

    assert done.returncode == 0, done.stdout
    assert "Received Final Move Response (Success)" in done.stdout
    (came,) = storescp.folder.iterdir()
    assert data_set_of(came) == data_set_of(copy)


@dataclass
class Storescp:
    port: int
    folder: Path


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[Storescp]:
    """dcmtk's storescp, which writes what comes as it comes."""
    folder = tmp_path / "storescp"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["/usr/bin/storescp", "+B", "+xa", "-aet", "DEST", "-od", str(folder), str(port)]
    process = subprocess.Popen(command, env=DCMTK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield Storescp(port, folder)
    pool.close()
    process.terminate()
    process.wait(10)


def dcmtk(tool: str, port: int, *options: str, keys: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [f"/usr/bin/{tool}", "-v", *options]
    for keyword, value in keys.items():
        command += ["-k", f"{keyword}={value}"]
    return subprocess.run(
        [*command, "127.0.0.1", str(port)],
        env=DCMTK,
        text=True,
        timeout=60,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_getscu_gets_a_series_over_its_own_association(
    portal_data: Path, receiver: DicomServer, tmp_path: Path
) -> None:
    first, second = stored(CT_SMALL, CT_SMALL, folder=portal_data)
    series = pydicom.dcmread(first).SeriesInstanceUID
    folder = tmp_path / "got"
    folder.mkdir()
    keys = {"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": "2.25.1", "SeriesInstanceUID": series}

    done = dcmtk("getscu", receiver.port, "-S", "+B", "-od", str(folder), keys=keys)

    assert done.returncode == 0, done.stdout
    assert sorted(map(data_set_of, folder.iterdir())) == sorted(map(data_set_of, (first, second)))


@pytest.mark.parametrize(
    ("model", "keys", "expected"),
    [
        (PATIENT_MOVE, {"QueryRetrieveLevel": "PATIENT", "PatientID": "P1"}, [1, 2, 3]),
        (STUDY_MOVE, STUDY, [1, 2, 3]),
        (STUDY_MOVE, STUDY | {"StudyInstanceUID": "2.25.1\\2.25.77"}, [1, 2, 3]),
        (
            STUDY_MOVE,
            {"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": "2.25.1", "SeriesInstanceUID": "MR"},
            [3],
        ),
        (
            STUDY_MOVE,
            {
                "QueryRetrieveLevel": "IMAGE",
                "StudyInstanceUID": "2.25.1",
                "SeriesInstanceUID": "CT",
                "SOPInstanceUID": "2.25.9.2",
            },
            [2],
        ),
        (STUDY_MOVE, STUDY | {"StudyInstanceUID": "2.25.77"}, []),
    ],
)
def test_every_level_is_moved(
    portal_data: Path,
    start_receiver: StartReceiver,
    start_destination: StartDestination,
    model: str,
    keys: dict[str, str],
    expected: list[int],
) -> None:
    stored(CT_SMALL, CT_SMALL, Path(str(get_testdata_file("MR_small.dcm", download=False))), folder=portal_data)
    names = {"CT": CTImageStorage, "MR": MRImageStorage}
    by_class = dict(Instance.objects.values_list("sop_class_uid", "series__series_instance_uid"))
    asked = {k: by_class[names[v]] if v in names else v for k, v in keys.items()}
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    *pending, (final, _) = move(server.port, asked, model=model)

    assert sorted(destination.data_sets) == [f"2.25.9.{number}" for number in expected]
    assert (final.Status, counts_of(final)) == (0x0000, (None, len(expected), 0, 0))
    assert [counts_of(status)[:2] for status, _ in pending] == [
        (len(expected) - done, done) for done in range(1, len(expected))
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "No level"),
        ({"QueryRetrieveLevel": "PATIENT", "PatientID": "P1"}, "Level is 'PATIENT'"),
        ({"QueryRetrieveLevel": "STUDY"}, "StudyInstanceUID is missing"),
        ({"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "*"}, "StudyInstanceUID must be one value"),
        ({"QueryRetrieveLevel": "SERIES", "SeriesInstanceUID": "2.25.1.1"}, "StudyInstanceUID is missing"),
        ({"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "x"}, "StudyInstanceUID is no UID"),
    ],
)
def test_an_identifier_that_does_not_fit_is_refused(receiver: DicomServer, keys: dict[str, str], words: str) -> None:
    ((final, _),) = move(receiver.port, {"PatientName": "", **keys})

    assert final.Status == 0xA900
    assert words in final.ErrorComment


def test_an_unknown_destination_is_refused_without_a_connection(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination, refused: list[Refusal]
) -> None:
    stored(CT_SMALL, folder=portal_data)
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port, may_receive=False)

    ((unknown, _),) = move(server.port, STUDY, destination="NOBODY")
    ((without_right, _),) = move(server.port, STUDY)

    assert (unknown.Status, unknown.ErrorComment) == (0xA801, "'NOBODY' is no move destination here.")
    assert without_right.Status == 0xA801
    assert destination.associations == []
    server.stop()
    assert "move destination unknown" in {refusal.reason for refusal in refused}


@pytest.mark.parametrize("may_retrieve", [True, False])
def test_a_peer_retrieves_with_the_right_and_not_without(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination, may_retrieve: bool
) -> None:
    stored(CT_SMALL, folder=portal_data)
    destination = start_destination()
    rules = [
        PeerRule("WORKSTATION", addresses=("127.0.0.1",), may_query=False, may_retrieve=may_retrieve),
        PeerRule("DEST", host="127.0.0.1", port=destination.port),
    ]

    *_, (final, _) = move(start_receiver(rules, CLOSED).port, STUDY)

    assert final.Status == (0x0000 if may_retrieve else 0x0124)
    assert len(destination.data_sets) == may_retrieve
    assert list(get(start_receiver(rules, CLOSED).port, STUDY, ExplicitVRLittleEndian)[0]) == (
        ["2.25.9.1"] if may_retrieve else []
    )


def get(port: int, keys: dict[str, str], *syntaxes: str, **options: Any) -> tuple[dict[str, bytes], list[Any]]:
    """Ask for a C-GET; returns what came and the statuses."""
    ae = AE("WORKSTATION")
    ae.add_requested_context(STUDY_GET)
    for uid in (CTImageStorage, MRImageStorage):
        for syntax in syntaxes:
            ae.add_requested_context(uid, syntax)
    came: dict[str, bytes] = {}

    def take(event: Any) -> int:
        came[str(event.request.AffectedSOPInstanceUID)] = event.request.DataSet.getvalue()
        return int(options.get("answer", 0x0000))

    roles = [build_role(uid, scp_role=True) for uid in (CTImageStorage, MRImageStorage)]
    assoc = ae.associate("127.0.0.1", port, ae_title="PORTAL", ext_neg=roles, evt_handlers=[(evt.EVT_C_STORE, take)])
    assert assoc.is_established
    statuses = []
    for status, ds in assoc.send_c_get(identifier_of(keys), STUDY_GET, msg_id=5):
        statuses.append((status, ds))
        if options.get("cancel_after") == len(statuses):
            assoc.send_c_cancel(5, query_model=STUDY_GET)
    assoc.release()
    return came, statuses


def test_a_get_uses_the_context_that_the_file_is_in(portal_data: Path, receiver: DicomServer, data_dir: Path) -> None:
    folder = data_dir / "syntaxes" / "ctimage"
    sources = [next(folder.glob(f"{name}_*")) for name in ("JPEGLSLossless", "LittleEndianExplicit", "RLELossless")]
    copies = stored(*sources, folder=portal_data)

    came, statuses = get(receiver.port, STUDY, "1.2.840.10008.1.2.4.80", ExplicitVRLittleEndian)

    assert statuses[-1][0].Status == 0x0000
    assert came["2.25.9.1"] == data_set_of(copies[0])
    assert came["2.25.9.2"] == data_set_of(copies[1])
    same_pixels(copies[2], came["2.25.9.3"], ExplicitVRLittleEndian, portal_data)


@pytest.mark.parametrize("service", ["move", "get"])
def test_what_the_destination_says_is_counted_and_listed(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination, service: str
) -> None:
    stored(CT_SMALL, CT_SMALL, CT_SMALL, folder=portal_data)
    destination = start_destination()
    destination.answers = {"2.25.9.1": 0xA700, "2.25.9.2": 0xB000}
    server = receiver_for(start_receiver, destination.port)

    if service == "move":
        *_, (final, ds) = move(server.port, STUDY)
        assert (final.Status, counts_of(final)) == (0xB000, (None, 1, 1, 1))
        assert ds.FailedSOPInstanceUIDList == "2.25.9.1"
    else:
        *_, (final, ds) = get(server.port, STUDY, ExplicitVRLittleEndian, answer=0xA700)[1]
        assert (final.Status, counts_of(final)) == (0xA702, (None, 0, 3, 0))
        assert list(ds.FailedSOPInstanceUIDList) == ["2.25.9.1", "2.25.9.2", "2.25.9.3"]


def test_a_class_that_the_destination_does_not_take_fails_and_the_others_come(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(CT_SMALL, Path(str(get_testdata_file("MR_small.dcm", download=False))), folder=portal_data)
    destination = start_destination(classes=(CTImageStorage,))
    server = receiver_for(start_receiver, destination.port)

    *_, (final, ds) = move(server.port, STUDY)

    assert (final.Status, counts_of(final)) == (0xB000, (None, 1, 1, 0))
    assert ds.FailedSOPInstanceUIDList == "2.25.9.2"


def test_a_damaged_or_missing_file_is_not_sent_as_if_whole(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(CT_SMALL, CT_SMALL, CT_SMALL, folder=portal_data)
    files = StoredFile.objects.order_by("instance__instance_number")
    layout.path_of(files[0].key).unlink()
    StoredFile.objects.filter(pk=files[1].pk).update(damage="Its digest is not that of what came.")
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    *_, (final, _) = move(server.port, STUDY)

    assert (final.Status, counts_of(final)) == (0xB000, (None, 1, 2, 0))
    assert list(destination.data_sets) == ["2.25.9.3"]


def test_rejected_images_are_not_sent(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(CT_SMALL, CT_SMALL, folder=portal_data)
    Instance.objects.filter(sop_instance_uid="2.25.9.1").update(rejection=Instance.Rejection.QUALITY)
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    move(server.port, STUDY)

    assert list(destination.data_sets) == ["2.25.9.2"]


def test_a_destination_that_is_not_there_fails_all(portal_data: Path, start_receiver: StartReceiver) -> None:
    stored(CT_SMALL, CT_SMALL, folder=portal_data)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        server = receiver_for(start_receiver, closed.getsockname()[1])

        ((final, ds),) = move(server.port, STUDY)

    assert (final.Status, counts_of(final)) == (0xA702, (None, 0, 2, 0))
    assert list(ds.FailedSOPInstanceUIDList) == ["2.25.9.1", "2.25.9.2"]
    assert "does not answer" in final.ErrorComment


def test_a_destination_that_breaks_off_is_tried_again(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(*[CT_SMALL] * 4, folder=portal_data)
    destination = start_destination(abort_after=2)
    server = receiver_for(start_receiver, destination.port)

    *_, (final, _) = move(server.port, STUDY)

    assert final.Status == 0xB000
    assert counts_of(final)[1] == 2
    assert len(destination.associations) >= 2


@pytest.mark.parametrize("service", ["move", "get"])
def test_a_cancel_ends_a_retrieval(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination, service: str
) -> None:
    stored(*[CT_SMALL] * 30, folder=portal_data)
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    moved = move(server.port, STUDY, cancel_after=1) if service == "move" else []
    found = moved or get(server.port, STUDY, ExplicitVRLittleEndian, cancel_after=1)[1]

    final, _ = found[-1]
    remaining, completed, failed, _ = counts_of(final)
    assert final.Status == 0xFE00
    assert remaining and completed and remaining + completed + failed == 30


def test_retrievals_one_after_the_other_share_an_association(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(CT_SMALL, CT_SMALL, folder=portal_data)
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    for _ in range(3):
        move(server.port, STUDY)

    assert destination.associations == ["PORTAL"]


def test_a_retrieval_is_audited(
    portal_data: Path, start_receiver: StartReceiver, start_destination: StartDestination
) -> None:
    stored(CT_SMALL, CT_SMALL, folder=portal_data)
    destination = start_destination()
    server = receiver_for(start_receiver, destination.port)

    move(server.port, STUDY)

    begun = AuditEvent.objects.get(event="transfer-begun")
    assert (begun.actor, begun.study_instance_uid) == ("WORKSTATION", "2.25.1")
    assert (begun.details["destination"], begun.details["instances"]) == ("DEST", 2)
    sent = AuditEvent.objects.get(event="instances-sent")
    assert (sent.outcome, sent.details["sent"], sent.details["failed"]) == ("success", 2, 0)
