"""Routing rules: what is sent on, or fetched, when a study or an order has arrived; what was sent by which rule."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

WEEKDAYS = RegexValidator(r"^(?!.*(.).*\1)[1-7]*$", "Days are numbers, each once: 1 is Monday, 7 is Sunday.")


class Route(models.Model):
    """One rule; every condition that is filled in must hold. Rules do not depend on each other's order."""

    class Action(models.TextChoices):
        FORWARD = "forward", "forward the study to the peer"
        PREFETCH = "prefetch", "fetch the patient's priors from the peer"

    class Trigger(models.TextChoices):
        ARRIVAL = "arrival", "a study has arrived"
        ORDER = "order", "an order has arrived"
        EITHER = "either", "an order or a study has arrived"

    name = models.CharField(max_length=80, unique=True)
    enabled = models.BooleanField(default=True)
    action = models.CharField(max_length=16, choices=Action, default=Action.FORWARD)
    peer = models.ForeignKey("archive.Peer", on_delete=models.PROTECT, related_name="routes")
    trigger = models.CharField(
        "when",
        max_length=8,
        choices=Trigger,
        default=Trigger.ARRIVAL,
        help_text="Priors that an order asks for are here before its images are.",
    )

    source_peer = models.ForeignKey(
        "archive.Peer",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="came from",
        help_text="Only images that this peer sent.",
    )
    modality = models.CharField(max_length=16, blank=True, help_text="Of at least one series, such as CT.")
    station_name = models.CharField("station", max_length=64, blank=True)
    description_contains = models.CharField(
        max_length=255, blank=True, help_text="In the description of the study or of a series, in any case."
    )
    from_time = models.TimeField("from", null=True, blank=True, help_text="Local time at which the study is ready.")
    until_time = models.TimeField("until", null=True, blank=True, help_text="Before “from”: over midnight.")
    weekdays = models.CharField(
        max_length=7, blank=True, validators=[WEEKDAYS], help_text="1 is Monday, 7 is Sunday; 67 is the weekend."
    )
    only_matching_series = models.BooleanField(
        default=False, help_text="Otherwise the whole study is sent as soon as one series meets the conditions."
    )
    send_derived = models.BooleanField(
        "also derived images", default=False, help_text="Pictures that the portal itself made."
    )

    most_priors = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(50)], help_text="The newest so many."
    )
    oldest_months = models.PositiveSmallIntegerField(
        "at most months old", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    same_modality = models.BooleanField("priors of the same modality only", default=True)
    same_body_part = models.BooleanField("priors of the same body part only", default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A rule that could only do nothing is refused."""
        self._check_trigger()
        peer = self.peer if self.peer_id is not None else None
        if peer is not None and self.action == self.Action.FORWARD and not peer.may_receive:
            raise ValidationError({"peer": f"{peer.ae_title} may not be sent images; its own page says so."})
        if peer is not None and self.action == self.Action.PREFETCH and not peer.may_be_searched:
            raise ValidationError({"peer": f"{peer.ae_title} is not searched from here; its own page says so."})
        if self.source_peer_id is not None and self.source_peer_id == self.peer_id:
            raise ValidationError({"source_peer": "Nothing is sent back to the peer that it came from."})
        if (self.from_time is None) != (self.until_time is None):
            raise ValidationError({"until_time": "A time of day has both ends."})

    def _check_trigger(self) -> None:
        if self.trigger == self.Trigger.ARRIVAL:
            return
        if self.action != self.Action.PREFETCH:
            raise ValidationError({"trigger": "An order has no images to forward."})
        if self.source_peer_id is not None:
            raise ValidationError({"source_peer": "An order does not come from a peer: leave it empty."})
        if self.same_body_part:
            raise ValidationError({"same_body_part": "An order names no body part."})


class RoutedInstance(models.Model):
    """An instance that a rule has queued for its peer: once, whatever arrives later."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="routed")
    instance = models.ForeignKey("archive.Instance", on_delete=models.CASCADE, related_name="+")
    job = models.ForeignKey("archive.Job", null=True, on_delete=models.SET_NULL, related_name="routed")

    class Meta:
        constraints = [models.UniqueConstraint(name="once_a_rule", fields=["route", "instance"])]

    def __str__(self) -> str:
        return f"instance {self.instance_id} by rule {self.route_id}"
