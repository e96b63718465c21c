"""C-ECHO and C-STORE over real associations: what is taken, what is refused, and with which status."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import psutil
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pynetdicom import AE
from pynetdicom._globals import ALL_TRANSFER_SYNTAXES
from pynetdicom.sop_class import CTImageStorage

from archive.dimse.gate import PortTaken
from archive.dimse.peers import PeerRule
from archive.dimse.refusals import Refusal
from archive.dimse.server import DicomServer
from tests.archive.dimse.conftest import (
    CLOSED,
    StartReceiver,
    data_set_of,
    echoscu,
    incoming,
    new_instance,
    quarantined,
    storescu,
)
from tests.archive.dimse.raw import (
    CT_CLASS,
    EXPLICIT,
    IMPLICIT,
    JPEG_2000,
    RELEASE,
    VERIFICATION,
    RawPeer,
    echo_command,
    find_command,
    p_data,
    store_command,
)

PATIENT_STUDY_ONLY_FIND = "1.2.840.10008.5.1.4.1.2.3.1"
"""Retired (PS3.4 C.6.3)."""
UID = "1.2.826.0.1.3680043.8.498.1"


def test_echoscu_is_answered_with_success(receiver: DicomServer) -> None:
    answer = echoscu(receiver.port)

    assert answer.returncode == 0
    assert "Received Echo Response (Success)" in answer.stdout


def test_storescu_stores_the_image(receiver: DicomServer, ct_file: Path) -> None:
    answer = storescu(receiver.port, ct_file)

    assert answer.returncode == 0
    (stored,) = incoming()
    sent = pydicom.dcmread(ct_file)
    del sent.DataSetTrailingPadding  # dcmtk does not send it.
    assert pydicom.dcmread(stored) == sent
    meta = pydicom.dcmread(stored, stop_before_pixels=True).file_meta
    assert meta.TransferSyntaxUID == EXPLICIT
    assert meta.MediaStorageSOPInstanceUID == pydicom.dcmread(ct_file).SOPInstanceUID


def test_the_origin_travels_with_the_file(receiver: DicomServer, ct_file: Path) -> None:
    storescu(receiver.port, ct_file, options=("-R", "-aet", "CT_ROOM_1", "-aec", "ARCHIVE"))

    (stored,) = incoming()
    note = pydicom.dcmread(stored, stop_before_pixels=True).file_meta.PrivateInformation
    assert b'"calling":"CT_ROOM_1"' in note
    assert b'"called":"ARCHIVE"' in note
    assert b'"address":"127.0.0.1"' in note


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("MR_small_implicit.dcm", "-xi"),
        ("MR_small_bigendian.dcm", "-xb"),
        ("MR_small_RLE.dcm", "-xr"),
        ("JPEG-LL.dcm", "-xs"),
        ("MR_small_jpeg_ls_lossless.dcm", "-xt"),
        ("MR_small_jp2klossless.dcm", "-xv"),
        ("image_dfl.dcm", "-xd"),
    ],
)
def test_transfer_syntaxes_are_kept_as_they_are(receiver: DicomServer, name: str, option: str) -> None:
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"{name} is not in pydicom's wheel.")
    source = Path(str(found))
    answer = storescu(receiver.port, source, options=("-R", option))

    assert answer.returncode == 0, answer.stdout
    (stored,) = incoming()
    wanted = pydicom.dcmread(source, stop_before_pixels=True).file_meta.TransferSyntaxUID
    assert pydicom.dcmread(stored, stop_before_pixels=True).file_meta.TransferSyntaxUID == wanted


def test_every_real_syntax_is_accepted_and_comes_back_byte_for_byte(receiver: DicomServer, data_dir: Path) -> None:
    sources = sorted((data_dir / "syntaxes").rglob("*.dcm"))
    ae = AE("SCANNER")
    for path in sources:
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        ae.requested_contexts = []
        ae.add_requested_context(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID)
        assoc = ae.associate("127.0.0.1", receiver.port)
        assert assoc.is_established, path.name
        assert assoc.send_c_store(path).Status in {0x0000, 0xC000}, path.name
        assoc.release()

    kept = {hashlib.sha256(data_set_of(path)).hexdigest() for path in [*incoming(), *quarantined()]}
    assert kept == {hashlib.sha256(data_set_of(path)).hexdigest() for path in sources}


def test_every_transfer_syntax_that_pynetdicom_knows_is_accepted(receiver: DicomServer) -> None:
    ae = AE("SCANNER")
    for syntax in ALL_TRANSFER_SYNTAXES:
        ae.add_requested_context(CTImageStorage, syntax)
    assoc = ae.associate("127.0.0.1", receiver.port)
    accepted = {str(context.transfer_syntax[0]) for context in assoc.accepted_contexts}
    assoc.release()

    assert accepted == set(ALL_TRANSFER_SYNTAXES)


def test_the_senders_first_transfer_syntax_counts(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        answer = peer.associate(contexts=[(1, CT_CLASS, [JPEG_2000, IMPLICIT]), (3, CT_CLASS, [EXPLICIT])])

    assert answer is not None
    assert JPEG_2000.encode() in answer[1]
    assert EXPLICIT.encode() in answer[1]


def test_unsupported_class_and_syntax_are_refused_context_by_context(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        answer = peer.associate(
            contexts=[
                (1, VERIFICATION, [IMPLICIT]),
                (3, PATIENT_STUDY_ONLY_FIND, [IMPLICIT]),
                (5, CT_CLASS, ["1.2.3.4.5"]),
                (7, "1.3.46.670589.5.0.10", [IMPLICIT]),
            ]
        )

    assert answer is not None
    kind, body = answer
    assert kind == 2
    results = {}
    offset = 68
    while offset < len(body):
        length = int.from_bytes(body[offset + 2 : offset + 4], "big")
        if body[offset] == 0x21:
            results[body[offset + 4]] = body[offset + 6]
        offset += 4 + length
    # PS3.8 table 9-18: 3 abstract syntax, 4 transfer syntaxes not supported.
    assert results == {1: 0, 3: 3, 5: 4, 7: 3}


def test_private_classes_are_taken_from_a_peer_that_may(start_receiver: StartReceiver) -> None:
    receiver = start_receiver([PeerRule("PHILIPS", check_address=False, accept_private_sop_classes=True)])
    with RawPeer(receiver.port) as peer:
        answer = peer.associate(calling="PHILIPS", contexts=[(1, "1.3.46.670589.5.0.10", [IMPLICIT])])

    assert answer is not None
    assert answer[1].endswith(b"") and answer[0] == 2
    assert b"\x21\x00\x00\x19\x01\x00\x00\x00" in answer[1]


def test_command_and_data_set_that_disagree_are_refused(receiver: DicomServer, ct_file: Path) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID)) + p_data(3, 2, data_set_of(ct_file)))
        response = peer.response()

    assert response[0x0900] == b"\x00\xa9"
    assert len(response[0x0902]) <= 64
    assert incoming() == []


def test_a_data_set_of_another_class_than_announced_is_refused(receiver: DicomServer, ct_file: Path) -> None:
    uid = str(pydicom.dcmread(ct_file).SOPInstanceUID)
    mr = "1.2.840.10008.5.1.4.1.1.4"
    with RawPeer(receiver.port) as peer:
        peer.associate(contexts=[(1, mr, [EXPLICIT])])
        peer.send(p_data(1, 3, store_command(uid, sop_class_uid=mr)) + p_data(1, 2, data_set_of(ct_file)))
        status = peer.status()

    assert status == 0xA900
    assert incoming() == []


def test_a_command_of_another_class_than_its_context_is_refused(receiver: DicomServer, ct_file: Path) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID, sop_class_uid="1.2.840.10008.5.1.4.1.1.4")))
        peer.send(p_data(3, 2, data_set_of(ct_file)))
        status = peer.status()

    assert status == 0x0122


@pytest.mark.parametrize("uid", ["../../../etc/passwd", "1.2.abc", "1." + "2" * 70, "", "1..2"])
def test_a_uid_that_is_none_is_refused_and_names_nothing(
    receiver: DicomServer, ct_file: Path, portal_data: Path, uid: str
) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 2, data_set_of(ct_file)))
        status = peer.status()
        peer.send(p_data(1, 3, echo_command()))
        assert peer.status() == 0

    assert status == 0x0117
    assert not [path for path in portal_data.rglob("*") if path.is_file() and path.suffix == ".dcm"]


def test_bytes_that_are_no_data_set_are_refused_and_kept_in_quarantine(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID)) + p_data(3, 2, b"GET / HTTP/1.1\r\n" * 100))
        status = peer.status()

    assert 0xC000 <= status <= 0xCFFF
    assert incoming() == []
    assert len(quarantined()) == 1


def test_a_data_set_that_is_cut_short_is_refused(receiver: DicomServer, ct_file: Path) -> None:
    uid = str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 2, data_set_of(ct_file)[:-1000]))
        status = peer.status()

    assert status == 0xC000
    assert incoming() == []


def test_a_store_without_a_data_set_is_refused(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID, data_set=0x0101)))
        status = peer.status()

    assert status == 0xC000


def test_the_association_lives_on_after_a_refusal(receiver: DicomServer, ct_file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.dcm"
    data = ct_file.read_bytes()
    bad.write_bytes(data[:-5000])
    good = new_instance(ct_file, tmp_path / "good.dcm")
    ds = pydicom.dcmread(ct_file, stop_before_pixels=True)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(str(ds.SOPInstanceUID))) + p_data(3, 2, data_set_of(bad)))
        assert peer.status() == 0xC000
        uid = str(pydicom.dcmread(good).SOPInstanceUID)
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 2, data_set_of(good)))
        assert peer.status() == 0
        peer.send(RELEASE)
        assert peer.read_pdu() == (6, bytes(4))

    assert len(incoming()) == 1


def test_the_same_instance_again_is_success(receiver: DicomServer, ct_file: Path) -> None:
    first = storescu(receiver.port, ct_file)
    again = storescu(receiver.port, ct_file)

    assert (first.returncode, again.returncode) == (0, 0)


def test_fragments_of_any_size_make_one_data_set(receiver: DicomServer, ct_file: Path) -> None:
    """Command set and data set in pieces, several values in one PDU, also empty ones (PS3.8 annex E)."""
    data, uid = data_set_of(ct_file), str(pydicom.dcmread(ct_file).SOPInstanceUID)
    command = store_command(uid)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 1, command[:10]) + p_data(3, 1, b"") + p_data(3, 3, command[10:]))
        pieces = [p_data(3, 0, data[start : start + 999])[6:] for start in range(0, len(data), 999)]
        for start in range(0, len(pieces), 7):
            body = b"".join(pieces[start : start + 7])
            peer.send(b"\4\0" + len(body).to_bytes(4, "big") + body)
        peer.send(p_data(3, 2, b""))
        assert peer.status() == 0

    (stored,) = incoming()
    assert data_set_of(stored) == data


def test_requests_sent_ahead_are_all_answered_in_order(receiver: DicomServer, ct_file: Path) -> None:
    data, uid = data_set_of(ct_file), str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        store = p_data(3, 3, store_command(uid, message_id=2)) + p_data(3, 2, data)
        peer.send(store + store)
        first, second = peer.response(), peer.response()

    assert first[0x0900] == second[0x0900] == b"\0\0"
    assert first[0x0120] == second[0x0120] == b"\2\0"


def test_an_association_that_ends_inside_a_data_set_leaves_nothing(
    receiver: DicomServer, ct_file: Path, portal_data: Path
) -> None:
    data, uid = data_set_of(ct_file), str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 0, data[:20000]))
    receiver.stop(timeout=5)

    assert not list(portal_data.rglob("*.dcm"))
    assert not _deleted_descriptors()


def _deleted_descriptors() -> list[str]:
    """Unnamed files that this process still holds."""
    found = []
    for entry in os.scandir("/proc/self/fd"):
        try:
            target = os.readlink(entry.path)
        except OSError:
            continue
        if "/archive/temp/" in target:
            found.append(target)
    return found


def test_a_small_maximum_pdu_length_of_the_peer_is_respected(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate(max_pdu=128)
        peer.send(p_data(3, 3, store_command("1.2.x")) + p_data(3, 2, b"\0" * 10))
        lengths = []
        while True:
            answer = peer.read_pdu()
            assert answer is not None
            lengths.append(len(answer[1]))
            if answer[1][5] & 2:
                break

    assert len(lengths) > 1
    assert max(lengths) <= 128


# --- Peers ---


def test_an_unknown_calling_title_is_rejected_where_the_site_is_closed(
    start_receiver: StartReceiver, refused: list[Refusal]
) -> None:
    receiver = start_receiver(policy=CLOSED)
    answer = echoscu(receiver.port, "-aet", "STRANGER", "-aec", "PORTAL")
    receiver.stop()

    assert "Calling AE Title Not Recognized" in answer.stdout
    assert refused == [Refusal("calling AE title unknown", "STRANGER", "PORTAL", "127.0.0.1")]


def test_another_called_title_is_rejected_where_the_site_checks_it(
    start_receiver: StartReceiver, refused: list[Refusal]
) -> None:
    receiver = start_receiver([PeerRule("CT1", ("127.0.0.1",))], CLOSED)
    answer = echoscu(receiver.port, "-aet", "CT1", "-aec", "SOMEBODY")
    receiver.stop()

    assert "Called AE Title Not Recognized" in answer.stdout
    assert [refusal.reason for refusal in refused] == ["called AE title is not ours"]


def test_a_known_title_from_another_address_is_rejected(start_receiver: StartReceiver, refused: list[Refusal]) -> None:
    receiver = start_receiver([PeerRule("CT1", ("192.0.2.7",))], CLOSED)
    answer = echoscu(receiver.port, "-aet", "CT1", "-aec", "PORTAL")
    receiver.stop()

    assert "Calling AE Title Not Recognized" in answer.stdout
    assert [refusal.reason for refusal in refused] == ["calling AE title from another address"]


def test_a_known_peer_is_let_in_and_stores(start_receiver: StartReceiver, ct_file: Path) -> None:
    receiver = start_receiver([PeerRule("CT1", ("127.0.0.1",))], CLOSED)
    answer = storescu(receiver.port, ct_file, options=("-R", "-aet", "CT1", "-aec", "PORTAL"))

    assert answer.returncode == 0
    assert len(incoming()) == 1


def test_a_peer_that_may_not_store_is_told_0124_and_it_is_audited(
    start_receiver: StartReceiver, ct_file: Path, refused: list[Refusal]
) -> None:
    receiver = start_receiver([PeerRule("RIS", ("127.0.0.1",), may_store=False)], CLOSED)
    uid = str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate(calling="RIS")
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 2, data_set_of(ct_file)))
        status = peer.status()
    receiver.stop()

    assert status == 0x0124
    assert incoming() == []
    assert [refusal.reason for refusal in refused] == ["may not store"]


def test_a_peer_that_may_not_verify_is_told_0124(start_receiver: StartReceiver, refused: list[Refusal]) -> None:
    receiver = start_receiver([PeerRule("CT1", ("127.0.0.1",), may_echo=False)], CLOSED)
    with RawPeer(receiver.port) as peer:
        peer.associate(calling="CT1")
        peer.send(p_data(1, 3, echo_command()))
        status = peer.status()
    receiver.stop()

    assert status == 0x0124
    assert [refusal.reason for refusal in refused] == ["may not verify"]


def test_wrong_protocol_version_and_application_context_are_rejected(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        version = peer.associate(version=2)
    with RawPeer(receiver.port) as peer:
        context = peer.associate(application_context="1.2.3")
    with RawPeer(receiver.port) as peer:
        both = peer.associate(version=3)

    assert version == (3, bytes((0, 1, 2, 2)))
    assert context == (3, bytes((0, 1, 1, 2)))
    # PS3.8 9.3.2: only bit 0 is tested.
    assert both is not None
    assert both[0] == 2


def test_a_calling_title_that_is_none_is_rejected(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        empty = peer.associate(calling="")
    with RawPeer(receiver.port) as peer:
        control = peer.associate(calling="A\x07B")

    assert empty == control == (3, bytes((0, 1, 1, 3)))


# --- The server ---


def test_a_request_that_does_not_belong_to_its_context_ends_that_association_only(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, find_command(CT_CLASS)))
        answer = peer.read_pdu()
    assert answer is not None
    assert answer[0] == 7

    assert echoscu(receiver.port).returncode == 0


def test_a_taken_port_is_one_sentence(receiver: DicomServer) -> None:
    second = DicomServer("127.0.0.1", receiver.port, "PORTAL")

    with pytest.raises(
        PortTaken, match=rf"^The DICOM receiver cannot start: port {receiver.port} on 127.0.0.1 is taken"
    ):
        second.start()


def test_an_ae_title_that_is_none_is_one_sentence() -> None:
    with pytest.raises(PortTaken, match="is no AE title"):
        DicomServer("127.0.0.1", 0, "A title that is too long").start()


def test_open_associations_are_shown(receiver: DicomServer, ct_file: Path) -> None:
    uid = str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        data = data_set_of(ct_file)
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 2, data))
        peer.status()
        (view,) = receiver.associations()

    assert (view.calling_ae_title, view.address, view.stored, view.refused) == ("SCANNER", "127.0.0.1", 1, 0)
    assert view.bytes == len(data)


def test_a_stopped_receiver_has_aborted_idle_associations_and_answers_nobody(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        receiver.stop(timeout=10)
        answer = peer.read_pdu()
        with pytest.raises(ConnectionRefusedError):
            RawPeer(receiver.port)

    assert answer is not None
    assert answer[0] == 7


def test_a_store_under_way_is_finished_before_the_receiver_stops(receiver: DicomServer, ct_file: Path) -> None:
    import threading

    data, uid = data_set_of(ct_file), str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 0, data[:20000]))
        while receiver.associations()[0].idle_s or not receiver.associations()[0].since:
            pass
        stopping = threading.Thread(target=receiver.stop, args=(20,))
        stopping.start()
        peer.send(p_data(3, 2, data[20000:]))
        assert peer.status() == 0
        peer.send(RELEASE)
        assert peer.read_pdu() == (6, bytes(4))
        stopping.join(20)

    assert not stopping.is_alive()
    assert len(incoming()) == 1


def test_nothing_is_left_of_associations_that_are_over(receiver: DicomServer, ct_file: Path) -> None:
    storescu(receiver.port, ct_file)
    process = psutil.Process()
    _wait_until_empty(receiver)
    threads, descriptors = process.num_threads(), process.num_fds()
    for _ in range(20):
        with RawPeer(receiver.port) as peer:
            peer.associate()
            peer.send(RELEASE)
            peer.read_pdu()
    _wait_until_empty(receiver)

    # Of 20 associations, each with two threads and two descriptors; one or two may belong to pytest.
    assert process.num_threads() <= threads + 2
    assert process.num_fds() <= descriptors + 2


def _wait_until_empty(receiver: DicomServer) -> None:
    import time

    end = time.monotonic() + 10
    while receiver.associations():
        assert time.monotonic() < end, "associations do not end"
        time.sleep(0.01)


def test_a_forked_child_closes_what_it_inherited_and_the_parent_goes_on(receiver: DicomServer, ct_file: Path) -> None:
    """As a pool child that replaces a crashed one."""
    data, uid = data_set_of(ct_file), str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 0, data[:20000]))
        while not _deleted_descriptors():
            pass
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            # Nothing of pytest may run here.
            held = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if _exists(name)]
            ours = [name for name in held if "/archive/temp/" in name]
            ports = _ports_of(held)
            os.write(write, f"{len(ours)} {receiver.port in ports}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        report = os.read(read, 100)
        os.close(read)
        os.close(write)
        peer.send(p_data(3, 2, data[20000:]))
        assert peer.status() == 0

    assert report == b"0 False"
    assert echoscu(receiver.port).returncode == 0


def _exists(name: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{name}")


def _ports_of(held: list[str]) -> set[int]:
    """Local ports of the sockets among these descriptors."""
    inodes = {name[8:-1] for name in held if name.startswith("socket:[")}
    ports = set()
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes:
            ports.add(int(fields[1].split(":")[1], 16))
    return ports


def test_dcmsend_and_many_files_over_one_association(receiver: DicomServer, ct_file: Path, tmp_path: Path) -> None:
    files = [new_instance(ct_file, tmp_path / f"{number}.dcm", InstanceNumber=number) for number in range(20)]
    answer = subprocess.run(
        ["/usr/bin/dcmsend", "-v", "127.0.0.1", str(receiver.port), *map(str, files)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert len(incoming()) == 20
