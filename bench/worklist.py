"""The reading worklist with 100,000 studies: first page, filters, text search, deep paging, poll.

    python -m bench.worklist [--studies 100000] [--unread 100000] [--rounds 15] [--folder DIR]
    python -m bench.worklist_polling [--studies 100000] [--readers 50] [--seconds 60] [--change-every 2]

Each figure is the median of the whole request through Django (session, rights,
middleware, page), signed in as a radiologist, without a network; beside it stands the
bare SQL query for the same fifty studies, all columns of study, patient and task, in
the same run, and the ratio of the two. ``--unread`` is how many of the studies wait;
the rest were read.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive.models import Patient, Study

FAMILIES = [
    "Adler",
    "Brandt",
    "Costa",
    "Doe",
    "Engel",
    "Fischer",
    "Garcia",
    "Huber",
    "Ivanov",
    "Jansen",
    "Kaya",
    "Lopez",
    "Moreau",
    "Novak",
    "Okafor",
    "Park",
]
GIVEN = [
    "Anna",
    "Boris",
    "Clara",
    "David",
    "Elena",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Karin",
    "Lena",
    "Marek",
    "Nadia",
    "Oskar",
    "Petra",
]
EXAMINATIONS = (
    ("CT", "Chest and abdomen", "CHEST"),
    ("MR", "Knee left", "KNEE"),
    ("CR", "Chest", "CHEST"),
    ("US", "Liver", "LIVER"),
    ("MG", "Screening", "BREAST"),
    ("CT\\PT", "Whole body", "WHOLEBODY"),
)
BATCH = 5000


@dataclass(frozen=True, slots=True)
class Case:
    """One request, and the query that would do if nothing else were to be done."""

    name: str
    data: dict[str, Any]
    where: str = "t.state IN ('unread', 'in-progress')"
    order: str = "t.priority, t.waiting_since, s.id"


BARE = """
SELECT s.*, p.*, t.* FROM {tables} WHERE {where} ORDER BY {order} LIMIT 51
"""
TABLES = (
    """viewer_readingtask t JOIN archive_study s ON s.id = t.study_id JOIN archive_patient p ON p.id = s.patient_id"""
)


def set_up(folder: Path) -> None:
    """A portal's database of its own."""
    (folder / "cache" / "static").mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "pacs_portal.settings",
        "PORTAL_DATA": str(folder),
        "PORTAL_SECRET_KEY": "only-for-the-bench-" + "0" * 50,
        "PORTAL_LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def made_patients(count: int, chance: random.Random) -> list[Patient]:
    """Patients that are not stored yet."""
    from archive.models import Patient

    return [
        Patient(
            identity_key=f"id P{number:07d}\\",
            patient_id=f"P{number:07d}",
            patient_name=(name := f"{chance.choice(FAMILIES)}^{chance.choice(GIVEN)}"),
            name_key=name.casefold(),
            patient_birth_date=f"{chance.randrange(1930, 2010)}{chance.randrange(1, 13):02d}{chance.randrange(1, 28):02d}",
            patient_sex=chance.choice("FM"),
        )
        for number in range(count)
    ]


def made_study(number: int, arrived: datetime, patient: Patient, chance: random.Random) -> Study:
    """A study that is not stored yet, with the keys by which it is found."""
    from archive.indexing.search_text import set_search_keys
    from archive.models import Study

    modality, description, part = chance.choice(EXAMINATIONS)
    study = Study(
        study_instance_uid=f"2.25.{number + 1}",
        patient=patient,
        patient_name=patient.patient_name,
        patient_birth_date=patient.patient_birth_date,
        patient_sex=patient.patient_sex,
        study_date=f"{arrived:%Y%m%d}",
        study_time=f"{arrived:%H%M%S}",
        study_description=description,
        accession_number=f"A{number:08d}",
        referring_physician_name=f"{chance.choice(FAMILIES)}^{chance.choice(GIVEN)}",
        institution_name=f"Ward {chance.randrange(20)}",
        station_names=f"{modality[:2]}{chance.randrange(4)}",
        modalities=modality,
        body_parts=part,
        series_count=1,
        instance_count=chance.randrange(1, 600),
        first_received_at=arrived,
        last_received_at=arrived,
        ready_at=arrived + timedelta(seconds=30),
        revision=1,
    )
    set_search_keys(study)
    return study


def store_with_tasks(studies: list[Study], states: list[str], chance: random.Random) -> None:
    """Store studies, the one series of each and its row of the worklist."""
    from django.db import transaction

    from archive.models import Series, Study
    from viewer.models import ReadingTask

    with transaction.atomic():
        Study.objects.bulk_create(studies)
        ReadingTask.objects.bulk_create(
            ReadingTask(
                study=study,
                priority=chance.choices((0, 1, 2), (1, 4, 95))[0],
                state=state,
                waiting_since=study.last_received_at,
                due_at=study.last_received_at + timedelta(hours=4),
            )
            for study, state in zip(studies, states, strict=True)
        )
        Series.objects.bulk_create(
            Series(
                study=study,
                series_instance_uid=f"{study.study_instance_uid}.1",
                modality=study.modalities[:2],
                instance_count=study.instance_count,
                last_received_at=study.last_received_at,
            )
            for study in studies
        )


def fill(studies: int, unread: int) -> None:
    """Make rows of studies, one series each, about three studies a patient; the newest are unread."""
    from django.utils import timezone

    from archive.models import Patient

    chance = random.Random(1)
    now = timezone.now()
    patients = Patient.objects.bulk_create(made_patients(max(1, studies // 3), chance), batch_size=BATCH)
    for start in range(0, studies, BATCH):
        numbers = range(start, min(start + BATCH, studies))
        made = [
            made_study(number, now - timedelta(minutes=(studies - number) * 3 + 30), chance.choice(patients), chance)
            for number in numbers
        ]
        states = ["unread" if number >= studies - unread else "read" for number in numbers]
        store_with_tasks(made, states, chance)


def median_ms(call: Callable[[], Any], rounds: int) -> float:
    call()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def deep_study(share: float) -> int:
    """Id of the study that stands at a share of the standard order."""
    from viewer.models import ReadingTask

    tasks = ReadingTask.objects.filter(state="unread").order_by("priority", "waiting_since")
    return tasks.values_list("study_id", flat=True)[int(tasks.count() * share)]


def cases() -> list[Case]:
    from django.utils import timezone

    deep = deep_study(0.5)
    of_deep = f"SELECT priority, waiting_since, study_id FROM viewer_readingtask WHERE study_id = {deep}"  # noqa: S608
    place = f"(t.priority, t.waiting_since, s.id) > ({of_deep})"
    opened = Case.__dataclass_fields__["where"].default
    return [
        Case("first page", {}),
        Case("the page after half of them", {"after": str(deep)}, where=f"{opened} AND {place}"),
        Case("chip: STAT", {"stat": "1"}, where=f"{opened} AND t.priority = 0"),
        Case("chip: today", {"today": "1"}, where=f"{opened} AND s.study_date = '{timezone.localdate():%Y%m%d}'"),
        Case("chip: MG", {"modality": "MG"}, where=f"{opened} AND s.modalities = 'MG'"),
        Case("chip: a modality that no study has", {"modality": "XX"}, where=f"{opened} AND s.modalities = 'XX'"),
        Case("text: a frequent name", {"text": "doe"}, where=f"{opened} AND s.search_text LIKE '%doe%'"),
        Case(
            "text: one study's accession",
            {"text": "a00000017", "state": "all"},
            where="s.search_text LIKE '%a00000017%'",
        ),
        Case("text: no study at all", {"text": "zzzz"}, where=f"{opened} AND s.search_text LIKE '%zzzz%'"),
        Case("sorted by study time", {"sort": "-date"}, order="s.study_date DESC, s.study_time DESC, s.id DESC"),
        Case("sorted by patient", {"sort": "patient"}, order="p.name_key, s.id"),
        Case("sorted by referrer (no index)", {"sort": "referrer"}, order="s.referring_physician_name, s.id"),
        Case(
            "all states, newest first",
            {"state": "all", "sort": "-received"},
            where="1",
            order="s.last_received_at DESC, s.id DESC",
        ),
    ]


def measure(rounds: int) -> None:
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from archive.models import User

    reader = User.objects.create_user("bench", password="only for the bench")
    reader.groups.add(reader.groups.model.objects.get(name="radiologist"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    rows = reverse("worklist-rows")

    def ask(data: dict[str, Any]) -> Any:
        response = client.post(rows, data, headers={"HX-Request": "true"})
        assert response.status_code in (200, 204), response.status_code
        return response

    def bare(case: Case) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(BARE.format(tables=TABLES, where=case.where, order=case.order))
            return cursor.fetchall()

    print(f"{'':42}{'page':>10}{'bare SQL':>12}{'ratio':>8}")
    for case in cases():
        page_ms, sql_ms = median_ms(lambda: ask(case.data), rounds), median_ms(lambda: bare(case), rounds)  # noqa: B023
        print(f"{case.name:42}{page_ms:8.1f} ms{sql_ms:9.1f} ms{page_ms / sql_ms:8.1f}")
    seen = ask({})["X-Worklist-Seen"]
    print(f"{'poll, nothing new':42}{median_ms(lambda: ask({'seen': seen}), rounds):8.1f} ms")
    print(f"{'whole page':42}{median_ms(lambda: client.get(reverse('worklist')), rounds):8.1f} ms")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--unread", type=int, default=None, help="how many wait to be read; all unless given")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=Path, default=None, help="keep the database here, and use it again")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as temporary:
        set_up(options.folder or Path(temporary))
        from archive.models import Study, User

        if not Study.objects.exists():
            unread = options.studies if options.unread is None else options.unread
            fill(options.studies, unread)
        User.objects.filter(username="bench").delete()
        print(f"{Study.objects.count():,} studies")
        measure(options.rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
