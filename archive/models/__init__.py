"""The archive's nouns, one a module; this page is their table of contents."""

from archive.models.access_token import AccessToken
from archive.models.audit_event import AuditEvent
from archive.models.break_glass import BreakGlass
from archive.models.commitment import Commitment
from archive.models.correction import CorrectedStudy, Correction
from archive.models.grant import Delegation, Duty, Grant, NameMapping, PersonIdentifier, WardMapping
from archive.models.instance import Instance
from archive.models.job import Job
from archive.models.patient import Patient
from archive.models.peer import Peer
from archive.models.performed_step import PerformedSeries, PerformedStep, PerformedStudy
from archive.models.quarantined_file import QuarantinedFile
from archive.models.receiver import Receiver
from archive.models.route import Route, RoutedInstance
from archive.models.scheduled_step import ScheduledStep
from archive.models.series import Series, SeriesRequest
from archive.models.stored_file import StoredFile
from archive.models.study import Study
from archive.models.user import User
from archive.models.wanted_commitment import CommitmentTransaction, WantedCommitment

__all__ = [
    "AccessToken",
    "AuditEvent",
    "BreakGlass",
    "Commitment",
    "CommitmentTransaction",
    "CorrectedStudy",
    "Correction",
    "Delegation",
    "Duty",
    "Grant",
    "Instance",
    "Job",
    "NameMapping",
    "Patient",
    "Peer",
    "PerformedSeries",
    "PerformedStep",
    "PerformedStudy",
    "PersonIdentifier",
    "QuarantinedFile",
    "Receiver",
    "Route",
    "RoutedInstance",
    "ScheduledStep",
    "Series",
    "SeriesRequest",
    "StoredFile",
    "Study",
    "User",
    "WantedCommitment",
    "WardMapping",
]
