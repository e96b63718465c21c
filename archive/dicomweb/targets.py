"""What an address means to the one who asks: a study, series or instance and the instances of it that are shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest

from archive.access.roles import user_of
from archive.access.rules import may_read_reports, may_reject, without_reports
from archive.dicomweb.errors import Gone, NotFound
from archive.models import Instance, Series, Study
from archive.models.instance import InstanceQuerySet


@dataclass(frozen=True)
class Target:
    """A study, or one series or instance of it; its instances are loaded when they are looked at."""

    study: Study
    name: str
    """UID of the lowest level that the address names."""
    rows: InstanceQuerySet

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """By series and instance number; stored file, series and study are loaded."""
        return _loaded(self.rows, self.study)

    @cached_property
    def count(self) -> int:
        return len(self.instances) if self._is_loaded else self.rows.count()

    @cached_property
    def series(self) -> list[Series]:
        """Series of the instances, each once, in order."""
        if self._is_loaded:
            return list({instance.series_id: instance.series for instance in self.instances}.values())
        found = list(Series.objects.filter(pk__in=self.rows.values("series")).order_by("series_number", "pk"))
        for series in found:
            series.study = self.study
        return found

    @property
    def _is_loaded(self) -> bool:
        return "instances" in self.__dict__

    def instances_of(self, series: Series) -> list[Instance]:
        return [instance for instance in self.instances if instance.series_id == series.pk]

    def etag(self, what: str) -> str:
        """Changes with the study's revision: images added, hidden or restored."""
        text = f"{self.name} {self.study.revision} {self.count} {what}"
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def find_target(
    request: HttpRequest, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
) -> Target:
    """Find what an address names; nothing is found through another study's or series' path.

    Raises
    ------
    NotFound
        There is no such resource, or the one who asks may not see it.
    Gone
        It was rejected, and the one who asks may know that.
    """
    user = user_of(request)
    study = (
        Study.objects.visible_to(user).select_related("patient").filter(study_instance_uid=study_instance_uid).first()
    )
    if study is None:
        raise NotFound("There is no such study.")
    rows = Instance.objects.filter(series__study=study)
    if not may_read_reports(user, study):
        rows = without_reports(rows, study)
    if series_instance_uid:
        rows = rows.filter(series__series_instance_uid=series_instance_uid)
    if sop_instance_uid:
        rows = rows.filter(sop_instance_uid=sop_instance_uid)
    target = Target(study, sop_instance_uid or series_instance_uid or study_instance_uid, rows.shown())
    if not (target.instances if sop_instance_uid else target.rows.exists()):
        if may_reject(user) and rows.exists():
            raise Gone("It was rejected; those who may can restore it.")
        raise NotFound("There is no such resource in this study.")
    return target


def target_of(study: Study) -> Target:
    """All that is shown of a study, for work that nobody asked for."""
    return Target(study, study.study_instance_uid, Instance.objects.shown().filter(series__study=study))


def _loaded(rows: InstanceQuerySet, study: Study) -> tuple[Instance, ...]:
    found = tuple(
        rows.select_related("stored_file", "series").order_by(
            "series__series_number", "series_id", "instance_number", "pk"
        )
    )
    for instance in found:
        instance.series.study = study
    return found
