"""Kill -9 of worker, receiver or web server while images arrive: nothing acknowledged may be lost.

``python -m tests.faults.kill_nine --rounds 20 --seed 1 --instances 500`` starts a portal, and in each
round sends a study from two senders at once: the second repeats UIDs of the first with other content.
At random moments a process is killed. A sender that loses its association connects again and sends
what was not acknowledged, as a modality does. In the end every acknowledged instance must be stored
with the bytes of the sender that was first, the other content must be in quarantine, no process and
no temporary file may be left, and nobody has touched anything.
"""

from __future__ import annotations

import argparse
import copy
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import psutil
import pydicom
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]

from tests.servers import LivePortal, start_portal, wait_until

PATIENCE_S = 180.0
"""The supervisor waits up to 30 s before it starts again what keeps dying."""
PARTS = {
    "web": "granian",
    "worker": "celery --quiet -A pacs_portal worker",
    "beat": "celery --quiet -A pacs_portal beat",
}
"""A role and what its command line holds; the receiver is part of the worker's main process."""
ROLES = ("web", "worker", "worker", "worker", "beat")
WHICH = (slice(1), slice(-1, None), slice(None))
"""Of the processes of a role: the parent, the youngest child, or all at once."""
KILLS = 3
"""Moments of a round at which something is killed."""


@dataclass
class Sender:
    """Sends a list of data sets until each has been acknowledged, over as many associations as it takes."""

    name: str
    port: int
    images: list[Dataset]
    acknowledged: dict[str, str] = field(default_factory=dict)
    """SOP Instance UID -> digest of the data set that was acknowledged."""

    def run(self) -> None:
        ae = AE(ae_title=self.name)
        ae.add_requested_context(CTImageStorage, pydicom.uid.ExplicitVRLittleEndian)
        ae.network_timeout = ae.acse_timeout = ae.dimse_timeout = 10
        deadline = time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < len(self.images) and time.monotonic() < deadline:
            association = ae.associate("127.0.0.1", self.port, ae_title="PORTAL")
            if not association.is_established:
                time.sleep(0.1)
                continue
            for ds in self.images:
                if str(ds.SOPInstanceUID) in self.acknowledged:
                    continue
                try:
                    status = association.send_c_store(ds)
                except (RuntimeError, ValueError):
                    break
                if status and status.Status == 0x0000:
                    self.acknowledged[str(ds.SOPInstanceUID)] = digest_of(ds)
                elif not association.is_established:
                    break
            association.release() if association.is_established else association.abort()


def digest_of(ds: Dataset) -> str:
    """SHA-256 of the data set as explicit little endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, ds)
    return sha256(buffer.getvalue()).hexdigest()


def images(count: int, round_number: int, comment: str) -> list[Dataset]:
    """Images of one study; the comment alone tells two senders' content apart."""
    template = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    for element in [element for element in template if element.tag.is_private]:
        del template[element.tag]
    found = []
    for number in range(1, count + 1):
        ds = copy.deepcopy(template)
        ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.826.0.1.{round_number}", f"1.2.826.0.1.{round_number}.1"
        ds.SOPInstanceUID = f"1.2.826.0.1.{round_number}.1.{number}"
        ds.InstanceNumber, ds.PatientID, ds.ImageComments = number, f"KILL{round_number}", comment
        found.append(ds)
    return found


def victims(portal: LivePortal) -> dict[str, psutil.Process]:
    """Processes that may be killed: every child of the supervisor and their children."""
    found = {}
    for process in psutil.Process(portal.process.pid).children(recursive=True):
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        role = next((role for role, part in PARTS.items() if part in command), None)
        if role is not None:
            found[f"{role} {process.pid:010d}"] = process
    return found


def kill_now_and_then(
    portal: LivePortal, sender: Sender, moments: list[tuple[int, str, slice]], stop: threading.Event, log: list[str]
) -> None:
    """Kill one process of a role each time the sender has got so many acknowledgements."""
    for count, role, which in sorted(moments, key=lambda moment: moment[0]):
        while len(sender.acknowledged) < count:
            if stop.wait(0.01):
                return
        candidates = [process for name, process in sorted(victims(portal).items()) if name.startswith(role)]
        for process in candidates[which]:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.Error:
                continue
            log.append(f"{role} {process.pid}")


def one_round(portal: LivePortal, *, number: int, chance: random.Random, instances: int) -> Iterator[str]:
    """Send while killing; yields what is wrong, nothing where all is well."""
    first = Sender("ONE", portal.dicom_port, images(instances, number, "first"))
    repeated = images(instances, number, "other content")[:: max(1, instances // 20)]
    second = Sender("TWO", portal.dicom_port, repeated)
    stop, killed = threading.Event(), list[str]()
    roles = [chance.choice(ROLES) for _ in range(KILLS)]
    moments = [(chance.randrange(instances), role, chance.choice(WHICH)) for role in roles]
    killer = threading.Thread(target=kill_now_and_then, args=(portal, first, moments, stop, killed))
    senders = [threading.Thread(target=sender.run) for sender in (first, second)]
    for thread in (*senders, killer):
        thread.start()
    for thread in senders:
        thread.join()
    stop.set()
    killer.join()
    print(
        f"round {number}: {len(first.acknowledged)} + {len(second.acknowledged)} acknowledged, killed {len(killed)}",
        flush=True,
    )
    if len(first.acknowledged) < instances or len(second.acknowledged) < len(repeated):
        yield f"round {number}: not everything was acknowledged within {PATIENCE_S:g} s"
    yield from what_is_missing(portal, number, first, second)


def what_is_missing(portal: LivePortal, number: int, first: Sender, second: Sender) -> Iterator[str]:
    """Compare what was acknowledged with what the portal's database and disk hold, once it has come to rest."""
    try:
        wait_until(lambda: not waiting_files(portal), patience_s=PATIENCE_S, what="incoming/ does not empty by itself")
    except AssertionError as error:
        yield f"round {number}: {error}"
        return
    stored, held = rows_of(portal, number)
    sent = {
        uid: {sender.acknowledged[uid] for sender in (first, second) if uid in sender.acknowledged}
        for uid in {*first.acknowledged, *second.acknowledged}
    }
    for uid, digests in sorted(sent.items()):
        kept = {stored[uid]} if uid in stored else set()
        kept |= held.get(uid, set())
        if uid not in stored:
            yield f"round {number}: {uid} was acknowledged and is not stored"
        if digests - kept:
            yield f"round {number}: content of {uid} that was acknowledged is neither stored nor in quarantine"


def waiting_files(portal: LivePortal) -> list[Path]:
    folder = portal.data / "archive"
    found = []
    for part in ("incoming", "claims", "refused"):
        try:
            found += [path for path in (folder / part).rglob("*") if path.is_file()]
        except FileNotFoundError:
            continue  # A claim ended while it was listed.
    return found


QUERY = """
import json
from archive.models import Instance, QuarantinedFile
from archive.storage.integrity import damage_of
prefix = "1.2.826.0.1.{number}.1."
stored = {{}}
for row in Instance.objects.filter(sop_instance_uid__startswith=prefix).select_related("stored_file"):
    stored[row.sop_instance_uid] = row.data_set_digest if not damage_of(row.stored_file) else "damaged"
held = {{}}
for row in QuarantinedFile.objects.filter(sop_instance_uid__startswith=prefix):
    held.setdefault(row.sop_instance_uid, []).append(row.digest)
print("FOUND" + json.dumps([stored, held]))
"""


def rows_of(portal: LivePortal, number: int) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Digests of stored and of quarantined instances of a round; a damaged file counts as none."""
    import json

    done = portal.manage("shell", "--no-imports", "-c", QUERY.format(number=number))
    line = next((line for line in done.stdout.splitlines() if line.startswith("FOUND")), None)
    if line is None:
        raise AssertionError(done.stderr[-2000:])
    stored, held = json.loads(line.removeprefix("FOUND"))
    return stored, {uid: set(digests) for uid, digests in held.items()}


def run(folder: Path, *, rounds: int, seed: int, instances: int) -> list[str]:
    """All rounds on one portal; returns what went wrong."""
    chance = random.Random(seed)
    portal = start_portal(folder)
    wrong: list[str] = []
    try:
        for number in range(1, rounds + 1):
            for fault in one_round(portal, number=number, chance=chance, instances=instances):
                print(fault, file=sys.stderr, flush=True)
                wrong.append(fault)
        tree = psutil.Process(portal.process.pid).children(recursive=True)
    finally:
        portal.stop()
    left = [process.pid for process in tree if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    if left:
        wrong.append(f"{len(left)} processes outlived the portal")
    temporary = [path for path in (portal.data / "archive" / "temp").rglob("*") if path.is_file()]
    if temporary:
        wrong.append(f"{len(temporary)} temporary files were left")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--instances", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-faults-") as folder:
        wrong = run(Path(folder), rounds=options.rounds, seed=options.seed, instances=options.instances)
    print(f"{options.rounds} rounds, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
