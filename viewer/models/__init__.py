"""The reading side's nouns, one a module."""

from viewer.models.annotation import Annotation
from viewer.models.assignment_rule import AssignmentRule
from viewer.models.comment import Comment, Consultation, StudyPresence
from viewer.models.critical_result import CriticalCategory, CriticalResult
from viewer.models.hanging_protocol import HangingProtocol
from viewer.models.notification import Delivery, DeliveryAttempt, Notification, NotificationChoices
from viewer.models.preferences import Preferences
from viewer.models.question import Question
from viewer.models.reading_task import ReadingTask
from viewer.models.report import EarlierDraft, Macro, Report, ReportPolicy, ReportTemplate, ReportVersion
from viewer.models.result import OutsideReport, ResultReceiver
from viewer.models.saved_filter import SavedFilter
from viewer.models.share_link import SeriesMask, ShareLink, ShareOpening, SharePolicy, UploadRequest
from viewer.models.time_limit import TimeLimit
from viewer.models.window_preset import WindowPreset

__all__ = [
    "Annotation",
    "AssignmentRule",
    "Comment",
    "Consultation",
    "CriticalCategory",
    "CriticalResult",
    "Delivery",
    "DeliveryAttempt",
    "EarlierDraft",
    "HangingProtocol",
    "Macro",
    "Notification",
    "NotificationChoices",
    "OutsideReport",
    "Preferences",
    "Question",
    "ReadingTask",
    "Report",
    "ReportPolicy",
    "ReportTemplate",
    "ReportVersion",
    "ResultReceiver",
    "SavedFilter",
    "SeriesMask",
    "ShareLink",
    "ShareOpening",
    "SharePolicy",
    "StudyPresence",
    "TimeLimit",
    "UploadRequest",
    "WindowPreset",
]
