"""What the demo archive holds: who the patients are, which studies they have, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from viewer.demo.anatomy import Findings
from viewer.demo.ct import CHEST_ABDOMEN, AxialGrid, ct_series
from viewer.demo.headers import REFERRER_IDENTIFIER, DemoPatient, DemoVisit
from viewer.demo.mammography import mammography_study
from viewer.demo.mr import mr_study
from viewer.demo.objects import Maker
from viewer.demo.pet import pet_ct_study
from viewer.demo.radiograph import radiograph_study
from viewer.demo.ultrasound import ultrasound_study

REFERRER_NAME = "Referrer^Remy^^Dr"
"""The demo referrer as images name them."""
OTHER_REFERRER_NAME = "Roads^Robin^^Dr"
"""The second one, whom no image names by identifier: a mapping is proposed, not made."""

PRIOR_CT = replace(
    CHEST_ABDOMEN,
    grid=AxialGrid(512, 0.78, 60, 5.0, 148.75),
    findings=Findings(nodule_mm=3.5, liver_lesion_mm=8.0),
    series_number=2,
    description="Chest abdomen arterial 5.0",
    noise_hu=9.0,
)

KIM = DemoPatient("DEMO-0001", "Kim^Minseo=金^民瑞=김^민서", date(1961, 4, 17), "M", ("", "ISO 2022 IR 149"), 71.0)
SATO = DemoPatient(
    "DEMO-0002", "Sato^Haruka=佐藤^春香=さとう^はるか", date(1984, 11, 2), "F", ("", "ISO 2022 IR 87"), 55.0, 1.61
)
PAPADOPOULOU = DemoPatient("DEMO-0003", "Παπαδοπούλου^Ελένη", date(1956, 1, 30), "F", ("ISO_IR 126",), 68.5, 1.66)
LINDQVIST = DemoPatient("DEMO-0004", "Lindqvist^Åsa", date(1972, 8, 23), "F", ("ISO_IR 100",), 63.0, 1.70)
HADDAD = DemoPatient("DEMO-0005", "حداد^يوسف", date(1969, 6, 9), "M", ("ISO_IR 127",), 82.0, 1.77)
NOVAK = DemoPatient("DEMO-0006", "Novák^Jiří", date(1949, 12, 5), "M", ("ISO_IR 192",), 77.0, 1.74)


@dataclass(frozen=True, slots=True)
class DemoStudy:
    """A visit, and the calls that make its objects."""

    visit: DemoVisit
    plan: Callable[[DemoVisit], list[Maker]]

    def makers(self) -> list[Maker]:
        return self.plan(self.visit)


def demo_studies(now: datetime) -> list[DemoStudy]:
    """Return the studies, begun shortly before ``now`` (the site's time, without a zone) except the prior."""

    def visit(
        key: str,
        patient: DemoPatient,
        description: str,
        minutes_ago: int,
        body_part: str,
        *,
        referred: bool = False,
        referrer: str = "Salas^Mireia^^Dr",
    ) -> DemoVisit:
        return DemoVisit(
            key=key,
            patient=patient,
            description=description,
            begun=(now - timedelta(minutes=minutes_ago)).replace(microsecond=0),
            accession_number=f"DEMO{key.upper()}"[:16],
            referrer=REFERRER_NAME if referred else referrer,
            referrer_identifier=REFERRER_IDENTIFIER if referred else "",
            body_part=body_part,
        )

    twenty_months = 610 * 24 * 60
    return [
        DemoStudy(
            visit("us1", HADDAD, "Echocardiography", 54, "HEART", referrer=OTHER_REFERRER_NAME), ultrasound_study
        ),
        DemoStudy(visit("mg1", LINDQVIST, "Mammography screening", 22, "BREAST"), mammography_study),
        DemoStudy(
            visit("ct2", KIM, "CT chest abdomen", 38, "CHEST", referred=True), lambda v: ct_series(v, CHEST_ABDOMEN)
        ),
        DemoStudy(
            visit("ct1", KIM, "CT chest abdomen", twenty_months, "CHEST", referred=True),
            lambda v: ct_series(v, PRIOR_CT),
        ),
        DemoStudy(visit("mr1", SATO, "MRI head", 81, "HEAD"), mr_study),
        DemoStudy(visit("pt1", PAPADOPOULOU, "PET/CT FDG torso", 143, "CHEST", referred=True), pet_ct_study),
        DemoStudy(visit("cr1", NOVAK, "Chest radiograph", 9, "CHEST"), radiograph_study),
    ]
