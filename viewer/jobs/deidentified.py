"""A job: a de-identified copy of a study's images as a ZIP file with its index (DICOMDIR)."""

from __future__ import annotations

import secrets
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from archive.dicom.deidentify import Deidentification, Option
from archive.dicom.directory import Directory
from archive.dicom.part10 import read_dataset_from
from archive.dicom.uids import new_uid
from archive.errors import ArchiveError
from archive.jobs.run import JobRefused
from archive.models import Instance, Series
from archive.pixels.deidentified import write_deidentified
from archive.storage import layout
from viewer.errors import ViewerError
from viewer.sharing.exports import folder, may_take_deidentified, path_of_copy, remove_old
from viewer.sharing.masks import Masks, masks_of, needs_look
from viewer.stacks.facts import InstanceFacts, facts_of
from viewer.tiles.frames import drawable

if TYPE_CHECKING:
    from typing import BinaryIO

    from archive.jobs.run import Progress
    from archive.models import Job


def make_copy(job: Job, progress: Progress) -> str:
    """Parameters: ``options`` (codes of CID 7050), ``series``, ``key``, ``code``, ``shift_days``."""
    if job.study is None or job.created_by is None or not may_take_deidentified(job.created_by, job.study):
        raise JobRefused("You may not take images of this study away any more.")
    remove_old()
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.temp_folder().mkdir(parents=True, exist_ok=True)
    wanted = Series.objects.filter(study=job.study, series_instance_uid__in=job.parameters["series"])
    instances = Instance.objects.shown().filter(series__in=wanted)
    progress.start(instances.count(), "De-identifying")
    hidden = folder() / f".{secrets.token_hex(8)}"
    try:
        counts = _write(hidden, list(wanted.order_by("series_number", "pk")), how_of(job), progress)
        if not counts["taken"]:
            raise JobRefused(f"Nothing could be taken. {_left(counts)}")
        hidden.rename(path_of_copy(job))
    finally:
        hidden.unlink(missing_ok=True)
    return f"{counts['taken']} images were de-identified as {job.parameters['code']}. {_left(counts)}".strip()


def how_of(job: Job) -> Deidentification:
    return Deidentification(
        key=str(job.parameters["key"]),
        code=str(job.parameters["code"]),
        options=frozenset(Option(code) for code in job.parameters["options"]) | {Option.CLEAN_PIXELS},
        shift_days=int(job.parameters["shift_days"]),
    )


def _left(counts: dict[str, int]) -> str:
    words = {
        "unmasked": "{} stay behind: they may carry names in their pictures, and nobody has masked them yet.",
        "other": "{} stay behind: reports, states and other objects that are no pictures.",
        "failed": "{} stay behind: they could not be read or covered.",
    }
    return " ".join(text.format(counts[name]) for name, text in words.items() if counts[name])


def _write(path: Path, every: list[Series], how: Deidentification, progress: Progress) -> dict[str, int]:
    counts = dict.fromkeys(("taken", "unmasked", "other", "failed"), 0)
    directory = Directory()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        path.chmod(0o600)
        for number, series in enumerate(every, start=1):
            masks = masks_of(series)
            for place, facts in enumerate(_in_order(series), start=1):
                # As in every ZIP of ours: short names that tell nothing and fit every medium (PS3.10 8.2).
                file_id = ("DICOM", f"SE{number:06d}", f"IM{place:06d}")
                counts[_add(archive, directory, file_id, facts, masks, how)] += 1
                progress.step()
        if counts["taken"]:
            archive.writestr(zipfile.ZipInfo("DICOMDIR"), directory.to_bytes(new_uid()))
    return counts


def _in_order(series: Series) -> list[InstanceFacts]:
    found = facts_of(Instance.objects.shown().filter(series=series))
    return sorted(found, key=lambda one: (one.instance_number is None, one.instance_number or 0, one.pk))


def _add(
    archive: zipfile.ZipFile,
    directory: Directory,
    file_id: tuple[str, str, str],
    facts: InstanceFacts,
    masks: Masks,
    how: Deidentification,
) -> str:
    """Write one image into the ZIP and its record into the index; how it ended."""
    if not facts.frames or not facts.description:
        return "other"
    try:
        description = drawable(facts).description
        drawn = masks.get((description.rows, description.columns))
        if drawn is None and needs_look(description, facts.sop_class_uid):
            return "unmasked"
        with (folder() / f".{secrets.token_hex(8)}").open("x+b") as written:
            Path(written.name).unlink()
            write_deidentified(
                layout.path_of(facts.key),
                cast("BinaryIO", written),
                how,
                description=description,
                masks=drawn,
                work_folder=layout.temp_folder(),
            )
            # The index says what the file says: nothing of it comes from the original.
            header = read_dataset_from(cast("BinaryIO", written))
            written.seek(0)
            with archive.open(zipfile.ZipInfo("/".join(file_id)), "w", force_zip64=True) as member:
                while block := written.read(1 << 20):
                    member.write(block)
            directory.add(header, file_id=file_id, transfer_syntax_uid=str(header.file_meta.TransferSyntaxUID))
    except (ArchiveError, ViewerError, OSError):
        return "failed"
    return "taken"
