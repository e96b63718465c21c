"""We ask other archives: C-FIND for studies, C-MOVE to ourselves or to others, C-GET into our own intake.

Study Root throughout (PS3.4 C.6.2). Answers are untrusted: each becomes a value of plain text before anything looks at it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydicom import Dataset
from pynetdicom import build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, StoragePresentationContexts, build_context

from archive.dimse.client import PeerUnreachable, association
from archive.dimse.contexts import STORAGE_CLASSES
from archive.dimse.destinations import PLAIN
from archive.dimse.identifiers import UTF_8
from archive.dimse.peers import PeerRule
from archive.dimse.statuses import CANCELLED, STORED, answer_to
from archive.errors import ArchiveError
from archive.receiving.intake import receive_instance
from archive.receiving.sources import Door, Origin
from archive.receiving.staging import StagedFile

logger = logging.getLogger(__name__)

STUDY_ROOT_FIND, STUDY_ROOT_MOVE, STUDY_ROOT_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
CONNECT_S: Final = 10.0
ANSWER_S: Final = 60.0
"""Between two responses; a C-MOVE of a large object may say nothing for long."""
MOST_ANSWERS: Final = 200
MOST_STORAGE_CONTEXTS: Final = 100
"""Of a C-GET; receivers built on dcmtk say nothing at all to a proposal that is larger than they expect."""
COMPRESSED: Final = (
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.4.100",
    "1.2.840.10008.1.2.4.102",
    "1.2.840.10008.1.2.1.99",
)
"""Transfer syntaxes that studies are stored in, the common ones first; each gets a context of its own."""
STUDY_KEYS: Final = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "AccessionNumber",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)


class PeerRefused(ArchiveError):
    """The peer answered, with a status that is no success; the message says which."""


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """One answer at study level, as the peer gave it."""

    study_instance_uid: str
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    accession_number: str = ""
    modalities: tuple[str, ...] = ()
    series_count: int | None = None
    instance_count: int | None = None


@dataclass(frozen=True, slots=True)
class FoundStudies:
    """What one question found."""

    studies: tuple[FoundStudy, ...]
    is_cut: bool
    """The peer had more; the question should be narrower."""


@dataclass(frozen=True, slots=True)
class SubOperations:
    """Counts of a retrieval under way (PS3.7 9.1.4)."""

    completed: int = 0
    warning: int = 0
    failed: int = 0
    remaining: int = 0

    @property
    def total(self) -> int:
        return self.completed + self.warning + self.failed + self.remaining

    @property
    def done(self) -> int:
        return self.completed + self.warning + self.failed


def find_studies(
    peer: PeerRule, keys: Mapping[str, str], *, calling_ae_title: str, most: int = MOST_ANSWERS
) -> FoundStudies:
    """Ask for studies, the newest first; what is beyond ``most`` is cancelled.

    Raises
    ------
    PeerUnreachable, PeerRefused
    """
    wanted = dict.fromkeys(STUDY_KEYS, "") | dict(keys)
    answers, is_cut = find(peer, "STUDY", wanted, calling_ae_title=calling_ae_title, most=most)
    studies = {study.study_instance_uid: study for study in map(_study_of, answers) if study.study_instance_uid}
    ordered = sorted(studies.values(), key=lambda study: (study.study_date, study.study_time), reverse=True)
    return FoundStudies(tuple(ordered), is_cut)


def find(
    peer: PeerRule, level: str, keys: Mapping[str, str], *, calling_ae_title: str, most: int = MOST_ANSWERS
) -> tuple[list[Dataset], bool]:
    """Answers of a C-FIND, and whether the peer had more.

    Raises
    ------
    PeerUnreachable, PeerRefused
    """
    identifier = _identifier(level, keys)
    answers: list[Dataset] = []
    is_cut = False
    with _asked(peer, [build_context(STUDY_ROOT_FIND, list(PLAIN))], calling_ae_title) as assoc:
        _check_accepted(assoc, peer, "a search (C-FIND)")
        for status, answer in assoc.send_c_find(identifier, STUDY_ROOT_FIND, msg_id=1):
            if _is_pending(status, peer, "C-FIND"):
                if len(answers) < most and answer is not None:
                    answers.append(answer)
                elif not is_cut:
                    is_cut = True
                    assoc.send_c_cancel(1, query_model=STUDY_ROOT_FIND)
    return answers, is_cut


def move(
    peer: PeerRule, keys: Mapping[str, str], *, level: str = "STUDY", destination: str, calling_ae_title: str
) -> Iterator[SubOperations]:
    """Have a peer send to an AE title; yields counts with each response. Closing the iterator aborts.

    Raises
    ------
    PeerUnreachable, PeerRefused
    """
    with _asked(peer, [build_context(STUDY_ROOT_MOVE, list(PLAIN))], calling_ae_title) as assoc:
        _check_accepted(assoc, peer, "retrieval (C-MOVE)")
        for status, _ in assoc.send_c_move(_identifier(level, keys), destination, STUDY_ROOT_MOVE):
            _is_pending(status, peer, "C-MOVE")
            yield _counts(status)


def get(
    peer: PeerRule,
    keys: Mapping[str, str],
    *,
    level: str = "STUDY",
    calling_ae_title: str,
    sop_classes: Sequence[str] = (),
    issuer_of_patient_id: str = "",
) -> Iterator[SubOperations]:
    """Retrieve over the association itself into our intake; yields counts with each response.

    ``sop_classes`` is what is proposed for storage; where none is known, the usual ones of the standard.

    Raises
    ------
    PeerUnreachable, PeerRefused
    """
    classes = [uid for uid in sop_classes if uid in STORAGE_CLASSES]
    contexts = [build_context(STUDY_ROOT_GET, list(PLAIN)), *_storage_contexts(classes)]
    roles = [build_role(str(context.abstract_syntax), scp_role=True) for context in contexts[1:]]
    origin = Origin(
        door=Door.DIMSE,
        calling_ae_title=peer.ae_title,
        called_ae_title=calling_ae_title,
        address=peer.host,
        issuer_of_patient_id=issuer_of_patient_id,
    )
    unique = list({str(role.sop_class_uid): role for role in roles}.values())
    handlers = [(evt.EVT_C_STORE, _take, [origin])]
    with _asked(peer, contexts, calling_ae_title, roles=unique, handlers=handlers) as assoc:
        _check_accepted(assoc, peer, "retrieval (C-GET)", STUDY_ROOT_GET)
        for status, _ in assoc.send_c_get(_identifier(level, keys), STUDY_ROOT_GET):
            _is_pending(status, peer, "C-GET")
            yield _counts(status)


def _take(event: evt.Event, origin: Origin) -> int:
    """One C-STORE of a C-GET: by the same intake as all others."""
    request = event.request
    try:
        staged = StagedFile.create(
            transfer_syntax_uid=str(event.context.transfer_syntax),
            sop_class_uid=str(request.AffectedSOPClassUID),
            sop_instance_uid=str(request.AffectedSOPInstanceUID),
            origin=origin,
        )
        staged.write(request.DataSet.getbuffer())
        receive_instance(staged)
    except Exception as error:
        if not isinstance(error, ArchiveError):
            logger.exception("an instance of a C-GET could not be taken")
        return answer_to(error).status
    return STORED.status


def _storage_contexts(classes: Sequence[str]) -> list[PresentationContext]:
    """Storage as it may come: without compression, and, as far as there is room, in any syntax that we read."""
    usual = [str(context.abstract_syntax) for context in StoragePresentationContexts]
    wanted = list(classes or usual)[:MOST_STORAGE_CONTEXTS]
    contexts = [build_context(uid, list(PLAIN)) for uid in wanted]
    contexts += [build_context(uid, [syntax]) for syntax in COMPRESSED for uid in wanted]
    return contexts[:MOST_STORAGE_CONTEXTS]


def _asked(peer: PeerRule, contexts: list[PresentationContext], calling_ae_title: str, **options: Any) -> Any:
    return association(
        peer.host,
        peer.port,
        contexts,
        called_ae_title=peer.ae_title,
        calling_ae_title=calling_ae_title,
        timeout_s=CONNECT_S,
        answer_s=ANSWER_S,
        tls=peer.tls,
        **options,
    )


def _check_accepted(assoc: Association, peer: PeerRule, what: str, uid: str = "") -> None:
    accepted = {str(context.abstract_syntax) for context in assoc.accepted_contexts}
    if not accepted or (uid and uid not in accepted):
        raise PeerRefused(f"{peer.ae_title} does not offer {what} to us.")


def _is_pending(status: Dataset, peer: PeerRule, service: str) -> bool:
    """Whether more will follow; a failure raises, a warning at the end counts as success with its counts."""
    if "Status" not in status:
        raise PeerUnreachable(f"{peer.ae_title} stopped answering in the middle of the {service}.")
    code = int(status.Status)
    if code in (0xFF00, 0xFF01):
        return True
    if code in (0x0000, CANCELLED) or code & 0xF000 == 0xB000:
        return False
    raise PeerRefused(f"{peer.ae_title} {words_of_failure(code)}{_comment(status)}.")


def words_of_failure(status: int) -> str:
    """What a final status of query or retrieve says (PS3.4 C.4.1.1.4, C.4.2.1.5, C.4.3.1.4).

    >>> words_of_failure(0xA801)
    'does not know the destination (status A801)'
    """
    known = {
        0x0122: "does not support this service",
        0x0124: "does not allow us this",
        0xA700: "is out of resources",
        0xA701: "is out of resources",
        0xA702: "could not send",
        0xA801: "does not know the destination",
        0xA900: "did not understand the question",
    }
    words = known.get(status, "could not do it")
    return f"{words} (status {status:04X})"


def _comment(status: Dataset) -> str:
    comment = str(status.get("ErrorComment", "") or "").strip()
    return f": {comment}" if comment else ""


def _counts(status: Dataset) -> SubOperations:
    def number(keyword: str) -> int:
        return int(status.get(keyword, 0) or 0)

    return SubOperations(
        completed=number("NumberOfCompletedSuboperations"),
        warning=number("NumberOfWarningSuboperations"),
        failed=number("NumberOfFailedSuboperations"),
        remaining=number("NumberOfRemainingSuboperations"),
    )


def _identifier(level: str, keys: Mapping[str, str]) -> Dataset:
    ds = Dataset()
    if not all(value.isascii() for value in keys.values()):
        ds.SpecificCharacterSet = UTF_8
    ds.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(ds, keyword, value or None)
    return ds


def _study_of(answer: Dataset) -> FoundStudy:
    modalities = text_of(answer, "ModalitiesInStudy").split("\\")
    return FoundStudy(
        study_instance_uid=text_of(answer, "StudyInstanceUID"),
        patient_id=text_of(answer, "PatientID"),
        issuer_of_patient_id=text_of(answer, "IssuerOfPatientID"),
        patient_name=text_of(answer, "PatientName"),
        patient_birth_date=text_of(answer, "PatientBirthDate"),
        patient_sex=text_of(answer, "PatientSex"),
        study_date=text_of(answer, "StudyDate"),
        study_time=text_of(answer, "StudyTime"),
        study_description=text_of(answer, "StudyDescription"),
        accession_number=text_of(answer, "AccessionNumber"),
        modalities=tuple(modality for modality in modalities if modality),
        series_count=_number_of(answer, "NumberOfStudyRelatedSeries"),
        instance_count=_number_of(answer, "NumberOfStudyRelatedInstances"),
    )


def text_of(answer: Dataset, keyword: str) -> str:
    """A value of an answer as text, several of them with backslashes between; empty where it cannot be read."""
    try:
        value = answer.get(keyword)
        if value is None:
            return ""
        many = value if isinstance(value, (list, tuple)) or hasattr(value, "insert") else [value]
        return "\\".join(str(one).strip() for one in many)[:400]
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot read.
        logger.info("a value of an answer cannot be read: %s %s", keyword, type(error).__name__)
        return ""


def _number_of(answer: Dataset, keyword: str) -> int | None:
    text = text_of(answer, keyword)
    return int(text) if text.isdecimal() else None
