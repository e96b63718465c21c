"""ORM^O01 to steps of the modality worklist (HL7 v2.5.1 4.4.1, fields as in IHE RAD TF-2 4.4 and 4.13)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from archive.dicom.uids import uid_from
from archive.hl7.messages import Header, Segment
from archive.hl7.taking import register
from archive.models import ScheduledStep
from archive.models.scheduled_step import OPEN_STATES, StepState
from archive.scheduling.orders import BadOrder, Source, move_step, put_step

MESSAGE_TYPES: Final = ("ORM^O01", "ORM")
MOST_ORDERS: Final = 100
PLACED: Final = frozenset({"NW", "XO", "SC", "RF", "PA", "CH", "SN", "RO"})
"""Order Control (table 0119): new, changed, status changed, replacement."""
TAKEN_BACK: Final = frozenset({"CA", "DC", "OC", "OD"})
PRIORITIES: Final = {
    "S": ScheduledStep.Priority.STAT,
    "STAT": ScheduledStep.Priority.STAT,
    "A": ScheduledStep.Priority.HIGH,
    "T": ScheduledStep.Priority.HIGH,
    "P": ScheduledStep.Priority.MEDIUM,
    "C": ScheduledStep.Priority.MEDIUM,
    "R": ScheduledStep.Priority.ROUTINE,
}
"""OBR-5, ORC-7.6 and OBR-27.6 (table 0485)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One ORC with its OBR, beside what the message says of the patient."""

    control: str
    values: dict[str, Any]


@transaction.atomic
def take_orders(_header: Header, segments: list[Segment], source: Source) -> int:
    """Do what a message of orders asks for, or nothing; returns how many steps it was about.

    Raises
    ------
    BadOrder
        An order in it cannot be taken: answered AE.
    """
    orders = read_orders(segments)
    for order in orders:
        if order.control in TAKEN_BACK:
            _take_back(order, source)
        elif order.control in PLACED:
            put_step(order.values, source=source)
        else:
            raise BadOrder(f"Order control '{order.control[:10]}' is not taken: NW, XO, SC, CA, DC and OC are.")
    return len(orders)


def read_orders(segments: list[Segment]) -> list[Order]:
    """Orders of a message, each with the patient and visit.

    Raises
    ------
    BadOrder
    """
    named = {segment.name: segment for segment in reversed(segments)}
    patient, visit, study = named.get("PID"), named.get("PV1"), named.get("ZDS")
    if patient is None:
        raise BadOrder("PID is missing.")
    shared = _patient(patient) | (_visit(visit) if visit is not None else {})
    orders: list[Order] = []
    common: Segment | None = None
    for segment in segments:
        if segment.name == "ORC":
            common = segment
        elif segment.name == "OBR":
            if common is None:
                raise BadOrder("OBR comes without ORC.")
            values = shared | _order(common, segment)
            uid = study.text(1) if study is not None else ""
            orders.append(Order(common.text(1), _identified(values, uid)))
    if not orders or len(orders) > MOST_ORDERS:
        raise BadOrder(f"The message has {len(orders)} orders (ORC with OBR); 1 to {MOST_ORDERS} are taken.")
    return orders


def _take_back(order: Order, source: Source) -> None:
    steps = ScheduledStep.objects.filter(study_instance_uid=order.values["study_instance_uid"], state__in=OPEN_STATES)
    if not steps and (number := order.values.get("accession_number")):
        steps = ScheduledStep.objects.filter(
            accession_number=number, patient_id=order.values.get("patient_id", ""), state__in=OPEN_STATES
        )
    if not steps:
        raise BadOrder("There is no open step of this order to take back.")
    for step in steps:
        move_step(step, StepState.DISCONTINUED, source=source)


def _identified(values: dict[str, Any], study_instance_uid: str) -> dict[str, Any]:
    """Identifiers of the procedure; what the message leaves out follows from its order numbers, always alike."""
    number = values.get("filler_order_number") or values.get("placer_order_number") or values.get("accession_number")
    if not number:
        raise BadOrder("ORC-2, ORC-3 and OBR-18 are empty: the order has no number.")
    procedure = values.get("requested_procedure_id") or number[:16]
    return values | {
        "study_instance_uid": study_instance_uid or uid_from("HL7 order", number),
        "accession_number": values.get("accession_number") or number[:16],
        "requested_procedure_id": procedure,
        "scheduled_procedure_step_id": values.get("scheduled_procedure_step_id") or procedure,
    }


def _patient(pid: Segment) -> dict[str, Any]:
    number = next((parts for parts in pid.repetitions(3) if parts and parts[0]), [])
    names = [name for parts in pid.repetitions(5) if (name := _name(parts))]
    return _said(
        patient_id=number[0] if number else pid.text(2),
        issuer_of_patient_id=number[3] if len(number) > 3 else "",
        # Further repetitions are the ideographic and phonetic representations (PN's component groups).
        patient_name="=".join(names[:3]),
        patient_birth_date=pid.text(7)[:8],
        patient_sex=pid.text(8) if pid.text(8) in ("F", "M", "O") else "",
    )


def _visit(pv1: Segment) -> dict[str, Any]:
    return _said(
        current_patient_location=" ".join(part for part in pv1.components(3)[:3] if part)[:64],
        admission_id=pv1.text(19),
        referring_physician_name=_person(pv1.components(8)),
        referring_physician_identifiers=[pv1.text(8)] if pv1.text(8) else [],
    )


def _order(orc: Segment, obr: Segment) -> dict[str, Any]:
    procedure = obr.components(4) + [""] * 6
    start = _first(orc.text(7, 4), obr.text(27, 4), obr.text(36), obr.text(6))
    date, time = _date_and_time(start)
    return _said(
        placer_order_number=orc.text(2) or obr.text(2),
        filler_order_number=orc.text(3) or obr.text(3),
        accession_number=obr.text(18),
        requested_procedure_id=obr.text(19),
        scheduled_procedure_step_id=obr.text(20),
        scheduled_station_ae_title=obr.text(21),
        modality=obr.text(24).upper(),
        requested_procedure_code=procedure[0],
        requested_procedure_description=procedure[1],
        requested_procedure_code_meaning=procedure[1],
        requested_procedure_code_scheme=procedure[2],
        protocol_code=procedure[3],
        protocol_code_meaning=procedure[4],
        protocol_code_scheme=procedure[5],
        scheduled_procedure_step_description=procedure[4] or procedure[1],
        requesting_physician=_person(obr.components(16)) or _person(orc.components(12)),
        requesting_service=_first(orc.text(17, 2), orc.text(17)),
        medical_alerts=obr.text(12, 2) or obr.text(12),
        reason=_first(obr.text(31, 2), obr.text(31)),
        priority=_priority(_first(obr.text(5), orc.text(7, 6), obr.text(27, 6))),
        scheduled_performing_physician_name=_person(obr.components(34)),
        start_date=date,
        start_time=time,
    )


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _first(*values: str) -> str:
    return next((value for value in values if value), "")


def _priority(code: str) -> str:
    return PRIORITIES.get(code.upper(), ScheduledStep.Priority.ROUTINE).value


def _date_and_time(stamp: str) -> tuple[str, str]:
    """A time stamp as date and time; its offset is left out: scheduled times are the site's.

    >>> _date_and_time("202611240930+0100"), _date_and_time("soon")
    (('20261124', '0930'), ('', ''))
    """
    found = re.match(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2})?)?)?", stamp)
    return (found[1], found[2] or "0000") if found else ("", "")


def _name(parts: list[str]) -> str:
    """XPN as PN: family, given, middle, then prefix and suffix the other way round (PS3.5 6.2)."""
    family, given, middle, suffix, prefix = (parts + [""] * 5)[:5]
    return "^".join((family, given, middle, prefix, suffix)).rstrip("^")


def _person(parts: list[str]) -> str:
    """XCN as PN: the identifier stands before the name."""
    return _name(parts[1:6])


def register_all() -> None:
    register(MESSAGE_TYPES, take_orders)
