"""Django admin of the reading worklist: rules of assignment, limits of time, filters of groups, and the rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from archive.access.roles import user_of
from archive.admin.history import KeptHistory
from archive.admin.looks import ReadOnlyAdmin
from archive.admin.reasons import Answer, AuditedChanges, Question, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import format_date
from archive.errors import ArchiveError
from archive.models import Study, User
from pacs_portal.middleware import client_address
from viewer.models import AssignmentRule, ReadingTask, SavedFilter, TimeLimit
from viewer.worklist.assigning import Assignee, assign, assignee_of, may_assign, reader_groups, readers
from viewer.worklist.claiming import Change, WorklistRefusal
from viewer.worklist.columns import COLUMNS, OPTIONAL
from viewer.worklist.limits import recount
from viewer.worklist.listing import READING
from viewer.worklist.rules import days_in_words, facts_of, first_fitting, why
from viewer.worklist.saved import clean_query

STUDIES_TRIED = 50


class NotAssigned(ArchiveError):
    """None of the chosen studies was changed; the message says why."""


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(AuditedChanges, KeptHistory):
    list_display = ("name", "position", "enabled", "conditions", "reader", "group", "priority")
    list_editable = ("position", "enabled")
    list_filter = ("enabled", "group")
    search_fields = ("name", "description_contains", "referrer_contains")
    list_select_related = ("reader", "group", "source_peer")
    deletion_warning = "Nothing more is assigned by them. What they have assigned stays as it is."
    actions = ("try_out",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "position")}),
        (
            "When a study is ready that",
            {"fields": ("modality", "body_part", "description_contains", "referrer_contains", "source_peer")},
        ),
        ("In this shift", {"fields": (("from_time", "until_time"), "weekdays")}),
        ("It waits for", {"fields": (("reader", "group"), "priority")}),
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only radiologists read, and only groups with one in them."""
        if db_field.name == "reader":
            kwargs["queryset"] = User.objects.filter(pk__in=[one.pk for one in readers()])
        if db_field.name == "group":
            kwargs["queryset"] = db_field.related_model.objects.filter(pk__in=[one.pk for one in reader_groups()])
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="conditions")
    def conditions(self, rule: AssignmentRule) -> str:
        return why(rule).partition("”: ")[2]

    @admin.action(description="Try all enabled rules on the latest studies", permissions=["view"])
    def try_out(self, request: HttpRequest, _rules: QuerySet[AssignmentRule]) -> HttpResponse:
        """What would be assigned, to whom and why; nothing is changed, and no patient is named."""
        latest = Study.objects.with_images().filter(ready_at__isnull=False).order_by("-ready_at")[:STUDIES_TRIED]
        tried = [(study, first_fitting(facts_of(study, study.ready_at or study.last_received_at))) for study in latest]
        record_event(
            Event.IDENTITY_LOOKED_AT,
            user=user_of(request),
            address=client_address(request),
            subject="assignment rules tried",
            details={"studies": len(tried)},
        )
        found = [
            {
                "uid": study.study_instance_uid,
                "words": f"{study.modalities} {study.study_description} {format_date(study.study_date)}",
                "to": str(Assignee(rule.reader, rule.group)) if rule else "nobody",
                "because": why(rule) if rule else "no rule fits",
            }
            for study, rule in tried
        ]
        title = "Tried on the latest studies"
        context = {**self.admin_site.each_context(request), "title": title, "opts": AssignmentRule._meta}
        return TemplateResponse(request, "admin/assignment_trial.html", context | {"found": found})

    def facts(self, obj: AssignmentRule) -> dict[str, Any]:
        """All that decides, so that the trail says what held when."""
        return {
            "name": obj.name,
            "enabled": obj.enabled,
            "position": obj.position,
            "conditions": self.conditions(obj),
            "days": days_in_words(obj.weekdays),
            "reader": obj.reader_id,
            "group": obj.group_id,
            "priority": obj.priority,
        }


@admin.register(TimeLimit)
class TimeLimitAdmin(AuditedChanges, KeptHistory):
    list_display = ("__str__", "priority", "modality", "minutes", "groups_told")
    list_filter = ("priority",)
    filter_horizontal = ("told",)
    deletion_warning = "Studies that waited by them have another limit, or none, from now on."

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimeLimit]:
        return super().get_queryset(request).prefetch_related("told")

    @admin.display(description="told when it is over")
    def groups_told(self, limit: TimeLimit) -> str:
        return ", ".join(str(group) for group in limit.told.all()) or "whoever has the study"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Everything that waits is counted by the new limit at once."""
        super().save_related(request, form, formsets, change)
        recount()

    def deletion(self, request: HttpRequest) -> Question:
        question = super().deletion(request)

        def act(rows: QuerySet[Any], answer: Answer) -> str:
            done = question.act(rows, answer)
            recount()
            return done

        return Question(
            question.label, question.warning, act, question.touches, is_destructive=True, permissions=("delete",)
        )

    def brought_back(self, _row: Any) -> None:
        recount()

    def facts(self, obj: TimeLimit) -> dict[str, Any]:
        return {"priority": obj.priority, "modality": obj.modality, "minutes": obj.minutes}


class SavedFilterForm(forms.ModelForm):
    """A filter as the worklist's address has it; what the list does not know is refused."""

    columns = forms.MultipleChoiceField(
        required=False,
        choices=[(column.key, column.label) for column in COLUMNS if column.key in OPTIONAL],
        widget=forms.CheckboxSelectMultiple,
        help_text="Beside those that always stand there. None: everybody sees the columns of their own choice.",
    )

    def clean_query(self) -> str:
        query = str(self.cleaned_data["query"]).strip().lstrip("?")
        kept = clean_query(query, READING, User())
        if query and not kept:
            raise ValidationError("The worklist knows none of this. Copy the part after “?” of its address.")
        return kept


@admin.register(SavedFilter)
class SavedFilterAdmin(AuditedChanges, KeptHistory):
    form = SavedFilterForm
    list_display = ("name", "group", "user", "query", "is_default", "created_by", "created_at")
    list_filter = ("group", "is_default")
    search_fields = ("name",)
    list_select_related = ("group", "user", "created_by")
    fields = ("name", "query", "group", "user", "columns", "is_default")
    deletion_warning = "Whoever works with them goes back to the list of everything to be read."

    def facts(self, obj: SavedFilter) -> dict[str, Any]:
        return {"name": obj.name, "query": obj.query, "group": obj.group_id, "user": obj.user_id}


def choices_of(_user: User) -> list[tuple[str, str]]:
    """Everybody to whom rows can be assigned, as the page in between offers them."""
    people = [(f"user {one.pk}", str(one)) for one in readers()]
    return [("nobody", "nobody"), *people, *((f"group {one.pk}", f"group {one.name}") for one in reader_groups())]


@transaction.atomic
def assign_rows(rows: QuerySet[ReadingTask], answer: Answer) -> str:
    """Assign the chosen rows; what was read already is left out and counted."""
    to = assignee_of("" if answer.choice == "nobody" else answer.choice)
    done, refused = 0, ""
    for task in rows.select_related("study"):
        try:
            assign(Change(answer.by, task.study, answer.address), to, reason=answer.reason)
        except WorklistRefusal as refusal:
            refused = str(refusal)
        else:
            done += 1
    if not done:
        raise NotAssigned(refused or "Nothing was chosen.")
    return f"{done} assigned to {to}." + (f" The rest was left: {refused}" if refused else "")


ASSIGN = Question(
    label="Assign to a reader or a group",
    warning="The studies wait for them from now on; rules do not change that again. Nobody is locked out.",
    act=assign_rows,
    choices=choices_of,
    choice_label="To whom",
)


@admin.register(ReadingTask)
class ReadingTaskAdmin(ReadOnlyAdmin):
    list_display = (
        "study",
        "priority",
        "priority_source",
        "state",
        "waiting_since",
        "due_at",
        "assigned_to",
        "assigned_group",
        "assigned_because",
        "claimed_by",
        "read_by",
        "read_at",
    )
    list_filter = ("priority", "priority_source", "state", "assigned_group")
    search_fields = ("study__study_instance_uid", "study__search_text")
    list_select_related = ("study", "claimed_by", "read_by", "assigned_to", "assigned_group")
    actions = ("assign_to",)
    assign_to = with_reason("assign_to", ASSIGN)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if not may_assign(user_of(request)):
            actions.pop("assign_to", None)
        return actions
