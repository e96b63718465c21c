"""What an address of PS3.18 10.4.1.1 means to a person: study, series, instance, frames.

Everything starts from ``Study.objects.visible_to`` (``sessions.may_see``); what is absent, forbidden or
lies in another study looks the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archive.access.rules import REPORT_CLASSES, may_read_reports
from archive.dicom.transfer_syntaxes import is_video
from archive.indexing.rejecting import rejectable_by
from archive.models import Instance, Series, Study, User
from viewer.errors import Deleted, InvalidParameter, NotFound, NothingToDraw
from viewer.rendering.media_types import Category
from viewer.rendering.presentation_state import STATE_KINDS
from viewer.stacks.facts import FrameFacts, InstanceFacts
from viewer.stacks.lookup import SplitSeries, split_series_of
from viewer.stacks.splitting import Stack
from viewer.tiles.sessions import may_see, series_kept

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
"""Root of the SOP classes of PS3.3 A.35, and of key object selections."""
MOST_FRAMES_LISTED = 1000

_FRAME_LIST = re.compile(r"[1-9]\d{0,6}(,[1-9]\d{0,6})*", re.ASCII)
_ABSENT = "There is no such resource."


@dataclass(frozen=True, slots=True)
class Target:
    """One representation to be made: an instance, or one frame of it."""

    study: Study
    split: SplitSeries
    instance: InstanceFacts
    frame_number: int | None = None
    """A frame that was asked for by its number; None for the instance as a whole."""

    @property
    def path(self) -> str:
        """Of the resource below ``/dicom-web``, without its last word."""
        series, study = self.split.series, self.study
        path = f"/studies/{study.study_instance_uid}/series/{series.series_instance_uid}"
        path += f"/instances/{self.instance.sop_instance_uid}"
        return path if self.frame_number is None else f"{path}/frames/{self.frame_number}"

    @property
    def can_be_drawn(self) -> bool:
        """False for a damaged file, and for pixels that nobody here can decode; video is passed on as it is."""
        is_drawn = self.category in (Category.SINGLE_FRAME, Category.MULTI_FRAME)
        return not (self.instance.damage or (is_drawn and self.instance.undrawable_reason))

    @property
    def category(self) -> Category:
        """Resource category (8.7.2)."""
        instance = self.instance
        if is_video(instance.transfer_syntax_uid):
            return Category.VIDEO if self.frame_number is None else Category.NONE
        if instance.sop_class_uid in STATE_KINDS:
            return Category.PRESENTATION_STATE if self.frame_number is None else Category.NONE
        if instance.frames:
            single = self.frame_number is not None or instance.frames == 1
            return Category.SINGLE_FRAME if single else Category.MULTI_FRAME
        if instance.sop_class_uid == ENCAPSULATED_PDF:
            return Category.DOCUMENT
        return Category.TEXT if instance.sop_class_uid.startswith(STRUCTURED_REPORTS) else Category.NONE

    def frame(self, frame_number: int) -> FrameFacts:
        """Facts of one frame of the instance."""
        for frame in self.stack.frames:
            if frame.instance.pk == self.instance.pk and frame.frame_number == frame_number:
                return frame
        raise NotFound(f"Frame {frame_number} does not exist: the instance has {self.instance.frames}.")

    @property
    def stack(self) -> Stack:
        """The stack that shows the instance; a multi-frame one is a stack of its own."""
        for stack in self.split.stacks:
            if any(frame.instance.pk == self.instance.pk for frame in stack.frames):
                return stack
        raise NothingToDraw("This object holds no picture.")


def visible_series(who: User, study_instance_uid: str, series_instance_uid: str | None = None) -> list[Series]:
    """All series of a study, or the one that is named, each with its study.

    Raises
    ------
    NotFound
        There is no such study or series, the series lies in another study, or the person may not see it.
    """
    found = Series.objects.select_related("study__patient").filter(study__study_instance_uid=study_instance_uid)
    if series_instance_uid is not None:
        found = found.filter(series_instance_uid=series_instance_uid)
    every = list(found)
    if not every or not may_see(who, every[0].study_id):
        raise NotFound(_ABSENT)
    return every


def kept_instance(
    who: User, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, frames: str | None = None
) -> list[Target]:
    """An instance or frames of it, as of at most five seconds ago; looked up anew before it counts as absent.

    Raises
    ------
    What ``visible_series`` and ``targets_of`` raise.
    """
    key = (study_instance_uid, series_instance_uid)
    series = series_kept.get(key)
    if series is not None and may_see(who, series.study_id):
        try:
            return targets_of(who, [series], sop_instance_uid, frames)
        except (NotFound, Deleted):
            pass
    every = visible_series(who, *key)
    series_kept.put(key, every[0])
    return targets_of(who, every, sop_instance_uid, frames)


def targets_of(
    who: User, every: Sequence[Series], sop_instance_uid: str | None = None, frames: str | None = None
) -> list[Target]:
    """Every representation of a resource, in the order of series, stacks and frames.

    Parameters
    ----------
    every
        What ``visible_series`` gave.

    Raises
    ------
    NotFound
        There is no such instance or frame.
    Deleted
        What was there was rejected, and the person may know.
    InvalidParameter
        The list of frames is none.
    """
    targets = [target for series in every for target in _of_series(series, sop_instance_uid) if _is_for(who, target)]
    if not targets:
        raise _absent_or_deleted(who, every, sop_instance_uid)
    return targets if frames is None else [_frame(targets[0], number) for number in frame_numbers(frames)]


def _is_for(who: User, target: Target) -> bool:
    """The text of a report goes where reports go."""
    return target.instance.sop_class_uid not in REPORT_CLASSES or may_read_reports(who, target.study)


def _of_series(series: Series, sop_instance_uid: str | None) -> Iterator[Target]:
    split = split_series_of(series, revision=series.study.revision)
    every = {one.pk: one for one in split.instances}
    if sop_instance_uid is not None:
        facts = [one for one in every.values() if one.sop_instance_uid == sop_instance_uid]
    else:
        # Stacks give the order; what they show may be more than one instance (slides) or a difference of frames.
        in_order = [frame.instance.pk for stack in split.stacks for frame in stack.frames]
        facts = [every[pk] for pk in dict.fromkeys((*in_order, *every)) if pk in every]
    return (Target(series.study, split, one) for one in facts)


def _absent_or_deleted(who: User, series: Sequence[Series], sop_instance_uid: str | None) -> NotFound | Deleted:
    rejected = Instance.objects.filter(series__in=series).exclude(rejection=Instance.Rejection.NONE)
    if sop_instance_uid is not None:
        rejected = rejected.filter(sop_instance_uid=sop_instance_uid)
    if rejectable_by(who, rejected).exists():
        return Deleted("The images of this resource were rejected; who may, can restore them.")
    return NotFound(_ABSENT)


def frame_numbers(text: str) -> list[int]:
    """A comma-separated list of frames, counted from 1."""
    if not _FRAME_LIST.fullmatch(text) or text.count(",") >= MOST_FRAMES_LISTED:
        raise InvalidParameter("frames", text, f"at most {MOST_FRAMES_LISTED} frame numbers from 1, with commas")
    return [int(part) for part in text.split(",")]


def _frame(target: Target, number: int) -> Target:
    if not 1 <= number <= target.instance.frames:
        last = target.instance.frames
        raise NotFound(f"Frame {number} does not exist: the instance has {last}{f' (1 to {last})' if last else ''}.")
    return Target(target.study, target.split, target.instance, number)
