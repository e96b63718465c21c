"""Queries among many studies: C-FIND by every indexed key, the search page, and Orthanc beside it.

    python -m bench.query [--studies 1000000] [--rounds 9] [--folder DIR] [--no-orthanc] [--small 1000]

C-FIND goes over a real association to a receiver in a process of its own; a time is from the request to the
first answer, to a page of 50 answers (the association then cancels), or to the end where there are fewer.
QIDO-RS (``limit=50``) and the search page go through Django's test client, signed in as a radiologist. Orthanc
and the portal are compared on the same ``--small`` studies, all answers read. With ``DATABASE_URL`` the studies are
in PostgreSQL.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.dsutils import encode

from bench.ingest import ORTHANC, STORESCU, free_port, running
from bench.worklist import FAMILIES, GIVEN, set_up

if TYPE_CHECKING:
    from django.test import Client

STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"
ROOT = Path(__file__).resolve().parent.parent
BATCH = 10_000
GOAL_MS = 50.0
PAGE = 50
SYLLABLES = tuple(
    "an ber ca do el fi gu ha is ja ko lu ma ni os pa qui ro sa tu ul vi wa xe yo zu".split()  # noqa: SIM905
)
EXAMINATIONS = (("CT", "CT chest"), ("CT", "CT head"), ("MR", "MR knee"), ("US", "US abdomen"), ("CR", "Chest PA"))


@dataclass(frozen=True, slots=True)
class Case:
    """One question."""

    name: str
    keys: dict[str, str] = field(default_factory=dict)
    words: str = ""
    """Asked of the search page instead."""


def family(chance: random.Random) -> str:
    """One of some ten thousand family names, the first of which are frequent."""
    if chance.random() < 0.2:
        return chance.choice(FAMILIES)
    return "".join(chance.choices(SYLLABLES, k=3)).upper()


def fill(studies: int) -> None:
    """Make rows of studies in bulk: three a patient, one series each, over ten years."""
    from django.db import transaction
    from django.utils import timezone

    from archive.models import Patient, Series, Study

    chance = random.Random(1)
    now = timezone.now()
    for start in range(0, studies, BATCH):
        numbers = range(start, min(start + BATCH, studies))
        patients = [make_patient(number, chance) for number in numbers[::3]]
        with transaction.atomic():
            Patient.objects.bulk_create(patients)
            rows = [make_study(number, studies, chance.choice(patients), chance, now) for number in numbers]
            Study.objects.bulk_create(rows)
            Series.objects.bulk_create(
                Series(
                    study=study,
                    series_instance_uid=f"{study.study_instance_uid}.1",
                    modality=study.modalities if number % 1000 else "PT",
                    series_number=1,
                    instance_count=100,
                    last_received_at=now,
                )
                for number, study in enumerate(rows, start=start)
            )


def make_patient(number: int, chance: random.Random) -> Any:
    """A patient's row, unsaved."""
    from archive.models import Patient

    name = f"{family(chance)}^{chance.choice(GIVEN)}"
    return Patient(
        identity_key=f"id P{number:07d}\\",
        patient_id=f"P{number:07d}",
        patient_name=name,
        name_key=name.casefold(),
        patient_birth_date=f"{chance.randrange(1930, 2010)}{chance.randrange(1, 13):02d}{chance.randrange(1, 28):02d}",
        patient_sex=chance.choice("FM"),
    )


def make_study(number: int, studies: int, patient: Any, chance: random.Random, now: datetime) -> Any:
    """A study's row, unsaved; ``studies`` of them are spread over ten years."""
    from archive.indexing.search_text import set_search_keys
    from archive.models import Study

    modality, description = chance.choice(EXAMINATIONS)
    study = Study(
        study_instance_uid=f"2.25.{number + 1}",
        patient=patient,
        patient_name=patient.patient_name,
        patient_birth_date=patient.patient_birth_date,
        patient_sex=patient.patient_sex,
        study_date=f"{date(2016, 1, 1) + timedelta(days=number * 3650 // studies):%Y%m%d}",
        study_time=f"{chance.randrange(24):02d}{chance.randrange(60):02d}00",
        study_id=f"S{number % 5000}",
        study_description=description,
        accession_number=f"A{number:08d}",
        referring_physician_name=f"{family(chance)}^{chance.choice(GIVEN)}",
        institution_name=f"Ward {chance.randrange(20)}",
        modalities=modality,
        series_count=1,
        instance_count=100,
        first_received_at=now,
        last_received_at=now,
        ready_at=now,
        revision=1,
    )
    set_search_keys(study)
    return study


def cases(studies: int) -> list[Case]:
    from archive.models import Study

    middle = studies // 2
    patient = Study.objects.select_related("patient").get(study_instance_uid=f"2.25.{middle}").patient
    day = date(2016, 1, 1) + timedelta(days=1825)
    old = date(2016, 1, 1) + timedelta(days=200)
    return [
        Case("no key at all", {}),
        Case("patient ID", {"PatientID": patient.patient_id}),
        Case("patient ID, P0012*", {"PatientID": "P0012*"}),
        Case("patient ID, *1233", {"PatientID": "*1233"}),
        Case("accession number", {"AccessionNumber": f"A{middle:08d}"}),
        Case("accession number, *4321", {"AccessionNumber": "*4321"}),
        Case("accession number that nobody has", {"AccessionNumber": "NONE"}),
        Case("study ID", {"StudyID": "S77"}),
        Case("name, frequent: DOE^*", {"PatientName": "DOE^*"}),
        Case("name, rare: BERCADO*", {"PatientName": "bercado*"}),
        Case("name, middle: *erca*", {"PatientName": "*ERCA*"}),
        Case("name, two letters: DO*", {"PatientName": "DO*"}),
        Case("name, ?ERCADO^J*", {"PatientName": "?ERCADO^J*"}),
        Case("name that nobody has", {"PatientName": "*ZZZZ*"}),
        Case("referring physician", {"ReferringPhysicianName": "bercado*"}),
        Case("one date", {"StudyDate": f"{day:%Y%m%d}"}),
        Case("a year", {"StudyDate": f"{day:%Y%m%d}-{day + timedelta(days=365):%Y%m%d}"}),
        Case("the first 200 days", {"StudyDate": f"-{old:%Y%m%d}"}),
        Case("birth date", {"PatientBirthDate": "19720301"}),
        Case("modality, frequent", {"ModalitiesInStudy": "CT"}),
        Case("modality, rare", {"ModalitiesInStudy": "PT"}),
        Case("description, *knee*", {"StudyDescription": "*knee*"}),
        Case("DOE^* in one year", {"PatientName": "DOE^*", "StudyDate": f"{day:%Y}0101-{day:%Y}1231"}),
        Case("CT of one day", {"ModalitiesInStudy": "CT", "StudyDate": f"{day:%Y%m%d}"}),
        Case("study UID", {"StudyInstanceUID": f"2.25.{middle}"}),
        Case("page: a frequent name", words="doe"),
        Case("page: a rare name", words="bercado"),
        Case("page: accession number", words=f"a{middle:08d}"),
        Case("page: two words", words="doe knee"),
        Case("page: nobody", words="zzzz"),
    ]


def ask(assoc: Association, keys: dict[str, str], *, most: int | None = PAGE) -> tuple[int, float, float]:
    """Ask one question; how many answers were read, ms to the first one, and ms to the last one that is wanted."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    for keyword in ("PatientName", "PatientID", "StudyDate", "AccessionNumber", "StudyInstanceUID", "StudyDescription"):
        setattr(identifier, keyword, "")
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    request = C_FIND()
    request.MessageID, request.AffectedSOPClassUID, request.Priority = 1, STUDY_ROOT, 2
    request.Identifier = io.BytesIO(encode(identifier, True, True) or b"")
    (context,) = assoc.accepted_contexts
    begun, first, last, count = time.perf_counter(), 0.0, 0.0, 0
    assoc.dimse.send_msg(request, context.context_id)
    while True:
        # Identifiers are not decoded: pydicom would take longer than either archive.
        _, response = assoc.dimse.get_msg(block=True)
        now = (time.perf_counter() - begun) * 1000
        is_wanted = most is None or count < most
        last = now if is_wanted else last
        if response is None or response.Status not in (0xFF00, 0xFF01):
            break
        first = first or now
        count += is_wanted
        if is_wanted and count == most:
            assoc.send_c_cancel(1, query_model=STUDY_ROOT)
    return count, first or last, last


@contextmanager
def association(port: int, called: str) -> Iterator[Association]:
    from archive.dimse.channel import channel_to

    ae = AE("BENCH")
    ae.dimse_timeout = 600
    ae.add_requested_context(STUDY_ROOT, ImplicitVRLittleEndian)
    assoc = ae.associate("127.0.0.1", port, ae_title=called)
    if not assoc.is_established:
        sys.exit("No association.")
    # pynetdicom looks at its socket a thousand times a second; here that would be what is measured.
    assoc.dul._run_loop_delay = 0.0001
    channel = channel_to(assoc)
    channel.hold()
    yield assoc
    channel.let_go()
    assoc.release()


def signed_in() -> Client:
    """A radiologist's client, without a server."""
    from django.test import Client

    from archive.models import User

    User.objects.filter(username="bench").delete()
    reader = User.objects.create_user("bench", password="only for the bench")
    reader.groups.add(reader.groups.model.objects.get(name="radiologist"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    return client


def qido_asker(client: Client) -> Callable[[dict[str, str]], int]:
    def studies(keys: dict[str, str]) -> int:
        response = client.get("/dicom-web/studies", keys | {"limit": str(PAGE)})
        if response.status_code != 200:
            sys.exit(f"QIDO-RS answered {response.status_code}.")
        return len(response.json())

    return studies


def page_asker(client: Client) -> Callable[[str], int]:
    from django.urls import reverse

    address = reverse("search")

    def page(words: str) -> int:
        response = client.post(address, {"text": words}, headers={"HX-Request": "true"})
        if response.status_code != 200:
            sys.exit(f"The search page answered {response.status_code}.")
        return response.content.count(b"<tr")

    return page


def measure_qido(studies: int, rounds: int) -> list[str]:
    """Every question of the network as a search of DICOMweb; the names of those that took too long."""
    ask_qido, missed = qido_asker(signed_in()), []
    print(f"\n{'QIDO-RS, a page':36}{'answers':>8}{'fastest':>10}{'median':>10}{'CPU':>11}")
    for case in cases(studies):
        if case.words:
            continue
        count, taken = ask_qido(case.keys), []
        before_cpu = time.process_time()
        for _ in range(rounds):
            begun = time.perf_counter()
            ask_qido(case.keys)
            taken.append((time.perf_counter() - begun) * 1000)
        cpu_ms = (time.process_time() - before_cpu) * 1000 / rounds
        median = statistics.median(taken)
        missed += [f"QIDO-RS {case.name}"] if median > GOAL_MS else []
        print(f"{case.name:36}{count:8}{min(taken):8.1f} ms{median:8.1f} ms{cpu_ms:8.1f} ms", flush=True)
    return missed


def measure(port: int, studies: int, rounds: int, receiver: psutil.Process) -> None:
    page = page_asker(signed_in())
    print(f"{'':36}{'answers':>8}{'first':>10}{'page':>10}{'slowest':>10}{'CPU':>11}")
    missed = []
    with association(port, "PORTAL") as assoc:
        for case in cases(studies):
            # The first one is not counted.
            _ = timed_page(page, case.words) if case.words else ask(assoc, case.keys)
            cpu = psutil.Process() if case.words else receiver
            before_cpu = sum(cpu.cpu_times()[:2])
            figures = [timed_page(page, case.words) if case.words else ask(assoc, case.keys) for _ in range(rounds)]
            cpu_ms = (sum(cpu.cpu_times()[:2]) - before_cpu) * 1000 / rounds
            first = statistics.median(figure[1] for figure in figures)
            last = statistics.median(figure[2] for figure in figures)
            slowest = max(figure[2] for figure in figures)
            missed += [case.name] if last > GOAL_MS else []
            print(
                f"{case.name:36}{figures[0][0]:8}{first:8.1f} ms{last:8.1f} ms{slowest:8.1f} ms{cpu_ms:8.1f} ms",
                flush=True,
            )
        before = receiver.memory_info().rss
        begun = time.perf_counter()
        count, _, _ = ask(assoc, {}, most=None)
        seconds = time.perf_counter() - begun
    after = receiver.memory_info().rss
    print(
        f"{count} answers in a row: {count / seconds:.0f} a second; receiver {before / 2**20:.0f} to {after / 2**20:.0f} MiB"
    )
    missed += measure_qido(studies, rounds)
    print("Above the goal: " + (", ".join(missed) or "none"))


def timed_page(page: Callable[[str], int], words: str) -> tuple[int, float, float]:
    begun = time.perf_counter()
    count = page(words)
    taken = (time.perf_counter() - begun) * 1000
    return count, taken, taken


@contextmanager
def receiver(folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    """Our receiver over the data folder that was filled."""
    port = free_port()
    environment = os.environ | {"PORTAL_QUERY_RESULTS": "100000"}
    command = [sys.executable, "-m", "django", "dicom_receiver", "--port", str(port), "--skip-checks"]
    with running(command, port, environment, folder / "receiver.log") as process:
        yield process, port


def compare_with_orthanc(folder: Path, studies: int, rounds: int) -> None:
    """The same studies in Orthanc, one small instance each; all answers are read."""
    import json

    from archive.models import Study

    port = free_port()
    home = folder / "orthanc"
    home.mkdir(exist_ok=True)
    settings = {
        "StorageDirectory": str(home),
        "IndexDirectory": str(home),
        "DicomPort": port,
        "HttpServerEnabled": False,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True,
        "DicomCheckCalledAet": False,
        "LimitFindResults": 0,
        "Plugins": [],
    }
    (home / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    rows = list(Study.objects.select_related("patient").order_by("pk")[:studies])
    with running(
        [ORTHANC, str(home / "orthanc.json")], port, os.environ | {"TCP_NODELAY": "1"}, folder / "orthanc.log"
    ):
        send_studies(port, rows, folder / "files")
        print(
            f"\n{'the same ' + str(len(rows)) + ' studies, all answers':36}{'answers':>8}{'portal':>10}{'Orthanc':>10}{'ratio':>7}"
        )
        with receiver(folder) as (_, ours), association(ours, "PORTAL") as one, association(port, "ORTHANC") as other:
            for case in [case for case in cases(studies) if not case.words]:
                mine = [ask(one, case.keys, most=None) for _ in range(rounds + 1)][1:]
                theirs = [ask(other, case.keys, most=None) for _ in range(rounds + 1)][1:]
                ours_ms = statistics.median(figure[2] for figure in mine)
                theirs_ms = statistics.median(figure[2] for figure in theirs)
                counts = f"{mine[0][0]}" if mine[0][0] == theirs[0][0] else f"{mine[0][0]}/{theirs[0][0]}"
                print(f"{case.name:36}{counts:>8}{ours_ms:8.1f} ms{theirs_ms:8.1f} ms{theirs_ms / ours_ms:6.1f}x")


def send_studies(port: int, rows: list[Any], folder: Path) -> None:
    """Store one instance of each study with storescu."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    folder.mkdir(exist_ok=True)
    for row in rows:
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID = SecondaryCaptureImageStorage
        ds.PatientName, ds.PatientID = row.patient_name, row.patient.patient_id
        ds.PatientBirthDate, ds.PatientSex = row.patient_birth_date, row.patient_sex
        ds.StudyInstanceUID, ds.StudyDate, ds.StudyTime = row.study_instance_uid, row.study_date, row.study_time
        ds.StudyID, ds.StudyDescription = row.study_id, row.study_description
        ds.AccessionNumber, ds.ReferringPhysicianName = row.accession_number, row.referring_physician_name
        ds.SeriesInstanceUID = f"{row.study_instance_uid}.1"
        ds.SOPInstanceUID = f"{row.study_instance_uid}.1.1"
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = row.series.get().modality, 1, 1
        ds.save_as(folder / f"{row.pk}.dcm", enforce_file_format=True)
    environment = os.environ | {"TCP_NODELAY": "1"}
    subprocess.run([STORESCU, "+sd", "127.0.0.1", str(port), str(folder)], env=environment, check=True)


def prepare(folder: Path, studies: int) -> None:
    from django.db import connection

    from archive.models import Study

    if not Study.objects.exists():
        begun = time.perf_counter()
        fill(studies)
        print(f"{studies:,} studies made in {time.perf_counter() - begun:.0f} s")
    connection.close()
    size = sum(path.stat().st_size for path in folder.glob("db.sqlite3*"))
    print(f"{Study.objects.count():,} studies in {connection.vendor}{f', {size / 2**20:.0f} MiB' if size else ''}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=1_000, help="studies that Orthanc is compared on")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=None, help="keep the databases here, and use them again")
    parser.add_argument("--no-orthanc", action="store_true")
    parser.add_argument("--orthanc-only", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as temporary:
        folder = (options.folder or Path(temporary)) / ("small" if options.orthanc_only else "large")
        folder.mkdir(parents=True, exist_ok=True)
        set_up(folder)
        prepare(folder, options.small if options.orthanc_only else options.studies)
        if options.orthanc_only:
            compare_with_orthanc(folder, options.small, options.rounds)
            return
        with receiver(folder) as (process, port):
            measure(port, options.studies, options.rounds, process)
        if not options.no_orthanc and Path(ORTHANC).exists():
            command = [sys.executable, "-m", "bench.query", "--orthanc-only", "--small", str(options.small)]
            # A process of its own, as Django's settings name one database.
            subprocess.run([*command, "--folder", str(folder.parent)], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
