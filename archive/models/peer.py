"""Another application entity on the network and what it may do."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

AE_TITLE = RegexValidator(
    r"^(?!\s*$)[\x20-\x5b\x5d-\x7e]{1,16}$",
    "An AE title has 1 to 16 printable characters, no backslash, and is not only spaces (PS3.5 6.2).",
)


class RetrieveBy(models.TextChoices):
    """How studies are fetched from a peer."""

    MOVE = "move", "C-MOVE"
    GET = "get", "C-GET"


class Peer(models.Model):
    """A scanner, workstation or archive."""

    ae_title = models.CharField("AE title", max_length=16, unique=True, validators=[AE_TITLE])
    host = models.CharField("address", max_length=255, help_text="Host name or IP address that it calls from.")
    port = models.PositiveIntegerField(
        default=104, validators=[MinValueValidator(1), MaxValueValidator(65535)], help_text="Where it listens."
    )
    use_tls = models.BooleanField(
        "called over TLS",
        default=False,
        help_text="What we send and ask there is encrypted; its certificate is checked against PORTAL_DICOM_TLS_CA.",
    )
    tls_name = models.CharField(
        "name in its certificate", max_length=255, blank=True, help_text="Where that is not its address."
    )
    description = models.CharField(max_length=255, blank=True)
    enabled = models.BooleanField(default=True)
    check_address = models.BooleanField(
        default=True, help_text="Refuse this AE title when it calls from another address."
    )
    may_echo = models.BooleanField("may verify", default=True)
    may_store = models.BooleanField(default=False)
    may_query = models.BooleanField(default=False)
    may_retrieve = models.BooleanField(default=False)
    may_receive = models.BooleanField(
        "may be sent images",
        default=False,
        help_text="By people here, by rules, and when another peer asks (C-MOVE).",
    )
    is_asked_to_commit = models.BooleanField(
        "is asked to commit",
        default=False,
        help_text="After it was sent images it is asked to say that they are safe there (storage commitment).",
    )
    may_be_searched = models.BooleanField(
        "is searched from here",
        default=False,
        help_text="An archive: people may look for studies there and fetch them, and rules may fetch priors.",
    )
    retrieve_by = models.CharField(
        "fetched with",
        max_length=4,
        choices=RetrieveBy,
        default=RetrieveBy.MOVE,
        help_text="C-MOVE has it send to our AE title; C-GET needs no connection from there to here.",
    )
    may_query_worklist = models.BooleanField("may query the modality worklist", default=False)
    may_report_steps = models.BooleanField("may report performed steps (MPPS)", default=False)
    may_ask_commitment = models.BooleanField("may ask for storage commitment", default=False)
    wants_availability = models.BooleanField(
        "is told when a study is ready",
        default=False,
        help_text="Gets an Instance Availability Notification when a study has gone quiet.",
    )
    accept_private_sop_classes = models.BooleanField("accept private SOP classes", default=False)
    default_issuer_of_patient_id = models.CharField(
        "default issuer of patient ID",
        max_length=64,
        blank=True,
        help_text="Taken for patients of this peer whose images name no issuer.",
    )
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["ae_title"]

    def __str__(self) -> str:
        return self.ae_title

    @property
    def tls(self) -> str | None:
        """The name that its certificate must carry; None where it is called without TLS."""
        return (self.tls_name or self.host) if self.use_tls else None
