"""The kinds of events, after PS3.15 A.5.3."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """Stored as its value; one comment says when each is right."""

    SIGNED_IN = "signed-in"  # User Authentication, A.5.3.11
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    LOCKED_OUT = "locked-out"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - Security Alert, A.5.3.9
    INSTANCES_RECEIVED = "instances-received"  # DICOM Instances Transferred, A.5.3.7
    INSTANCES_ACCESSED = "instances-accessed"  # DICOM Instances Accessed, A.5.3.6
    QUERIED = "queried"  # Query, A.5.3.10
    TRANSFER_BEGUN = "transfer-begun"  # Begin Transferring DICOM Instances, A.5.3.3
    INSTANCES_SENT = "instances-sent"  # DICOM Instances Transferred, A.5.3.7
    STUDY_VIEWED = "study-viewed"
    TAGS_VIEWED = "tags-viewed"
    EXPORTED = "exported"  # Export, A.5.3.4
    UPLOADED = "uploaded"  # Import, A.5.3.5
    QUARANTINED = "quarantined"
    QUARANTINE_DECIDED = "quarantine-decided"
    INSTANCES_REJECTED = "instances-rejected"
    INSTANCES_RESTORED = "instances-restored"
    IDENTITY_CORRECTED = "identity-corrected"  # Patient Record, A.5.3.9
    IDENTITY_RESTORED = "identity-restored"
    RIGHTS_CHANGED = "rights-changed"
    EMERGENCY_ACCESS = "emergency-access"  # Security Alert: emergency override, A.5.3.9
    ASSOCIATION_REFUSED = "association-refused"  # Security Alert: node authentication
    CLAIMED = "claimed"
    RELEASED = "released"
    MARKED_READ = "marked-read"
    MARKED_UNREAD = "marked-unread"
    ASSIGNED = "assigned"
    HANDED_OVER = "handed-over"
    STUDY_OVERDUE = "study-overdue"
    PRIORITY_CHANGED = "priority-changed"
    ORDERED = "ordered"  # Order Record, A.5.3.10
    ORDER_CHANGED = "order-changed"
    STEP_MOVED = "step-moved"  # Procedure Record
    STEP_REPORTED = "step-reported"
    COMMITMENT_ASKED = "commitment-asked"
    COMMITMENT_ANSWERED = "commitment-answered"
    COMMITMENT_WANTED = "commitment-wanted"  # we asked a peer
    COMMITMENT_REPORTED = "commitment-reported"
    AVAILABILITY_TOLD = "availability-told"
    STUDY_COMPLETED = "study-completed"
    STUDY_REOPENED = "study-reopened"
    REPORT_SAVED = "report-saved"  # a draft was begun or taken over
    REPORT_SIGNED = "report-signed"
    REPORT_VIEWED = "report-viewed"
    RESULT_RECEIVED = "result-received"  # a report of another system (ORU^R01)
    RESULT_SENT = "result-sent"  # a signed report to another system
    CRITICAL_FLAGGED = "critical-flagged"
    CRITICAL_WITHDRAWN = "critical-withdrawn"
    CRITICAL_NOTIFIED = "critical-notified"  # told, reminded or escalated
    CRITICAL_ACKNOWLEDGED = "critical-acknowledged"
    QUESTION_ASKED = "question-asked"
    QUESTION_ANSWERED = "question-answered"
    NOTIFICATIONS_CHANGED = "notifications-changed"
    LINK_MADE = "link-made"
    LINK_ENDED = "link-ended"
    LINK_OPENED = "link-opened"
    LINK_REFUSED = "link-refused"
    MASK_DRAWN = "mask-drawn"
    COMMENTED = "commented"
    CONSULTED = "consulted"
    JOB_STARTED = "job-started"
    JOB_ENDED = "job-ended"
    DAMAGE_FOUND = "damage-found"
    IDENTITY_LOOKED_AT = "identity-looked-at"
    BACKUP_MADE = "backup-made"
    STARTED = "started"  # Application Activity, A.5.3.1
    STOPPED = "stopped"
