"""Who may see what beside their role: grants, and the identifiers and names they come from."""

from django.db import models
from django.db.models import Q


class Grant(models.Model):
    """A study, or all of a patient, given to a person or to a ward, team or on-call group."""

    class Source(models.TextChoices):
        HAND = "hand", "given by an administrator"
        IDENTIFIER = "identifier", "the images name this referrer's identifier"
        ORDER = "order", "the order names this referrer"
        MAPPING = "mapping", "the referrer's name was confirmed once"
        WARD = "ward", "the order names this ward or service"
        CRITICAL = "critical", "named to be told of a critical result"

    user = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    study = models.ForeignKey("archive.Study", null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    patient = models.ForeignKey(
        "archive.Patient", null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    may_download = models.BooleanField(default=False)
    source = models.CharField(max_length=16, choices=Source, default=Source.HAND)
    granted_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    granted_at = models.DateTimeField(auto_now_add=True)
    begins_at = models.DateTimeField(null=True, blank=True)
    """Not before this moment; empty: at once."""
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="grant_to_one", condition=Q(user__isnull=True) ^ Q(group__isnull=True)),
            models.CheckConstraint(name="grant_of_one", condition=Q(study__isnull=True) ^ Q(patient__isnull=True)),
            models.UniqueConstraint(
                name="one_grant_a_user_and_study",
                fields=["user", "study"],
                condition=Q(user__isnull=False, study__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"


class PersonIdentifier(models.Model):
    """An identifier of a user as images carry it in (0008,0096) Referring Physician Identification Sequence."""

    user = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="identifiers")
    value = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.value


class NameMapping(models.Model):
    """A referring physician's name as sent, and whom it means once an administrator has confirmed it."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        CONFIRMED = "confirmed", "confirmed"
        REFUSED = "refused", "refused"

    name_key = models.CharField(max_length=330)
    user = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="name_mappings")
    state = models.CharField(max_length=16, choices=State, default=State.PROPOSED)
    confirmed_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_mapping_a_name_and_user", fields=["name_key", "user"])]

    def __str__(self) -> str:
        return f"name mapping {self.pk}"


class WardMapping(models.Model):
    """A ward or service as orders name it, and the group of people that it means."""

    name = models.CharField(
        max_length=64, help_text="As orders name it: Current Patient Location (0038,0300) or Requesting Service."
    )
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="ward_mappings")
    begins_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_mapping_a_ward_and_group", fields=["name", "group"])]

    def __str__(self) -> str:
        return self.name


class Duty(models.Model):
    """Somebody is on call: for this time they see what their group was given, and no longer."""

    user = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="duties")
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="duties")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "duties"
        constraints = [
            models.CheckConstraint(name="duty_ends_after_it_begins", condition=Q(ends_at__gt=models.F("begins_at")))
        ]

    def __str__(self) -> str:
        return f"duty {self.pk}"


class Delegation(models.Model):
    """A clinician is away: a colleague sees what was given to them by name. ``archive.access.delegations`` makes it."""

    clinician = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="delegations")
    delegate = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="stands_in")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    """Ended before its time."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="delegation_ends_after_it_begins", condition=Q(ends_at__gt=models.F("begins_at"))
            ),
            models.CheckConstraint(name="delegation_to_another", condition=~Q(clinician=models.F("delegate"))),
        ]

    def __str__(self) -> str:
        return f"delegation {self.pk}"
