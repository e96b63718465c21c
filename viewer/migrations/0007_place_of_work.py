"""Assignment rules, limits of time, saved filters, and when a study was opened, due and assigned."""

from datetime import timedelta

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LIMITS = ((0, 60), (1, 120), (2, 240))
"""Minutes by priority (STAT, urgent, routine) that a site begins with."""


def make_limits(apps, _schema_editor):
    limits, tasks = apps.get_model("viewer", "TimeLimit"), apps.get_model("viewer", "ReadingTask")
    for priority, minutes in LIMITS:
        limits.objects.get_or_create(priority=priority, modality="", defaults={"minutes": minutes})
        due = models.F("waiting_since") + timedelta(minutes=minutes)
        tasks.objects.filter(priority=priority).exclude(state="read").update(due_at=due)


def keep_priorities(apps, _schema_editor):
    """Who said them is not known any more: they stay, as if a person had."""
    apps.get_model("viewer", "ReadingTask").objects.exclude(priority=2).update(priority_source="person")


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0006_neighbours_routes_corrections"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("viewer", "0006_hanging_protocols"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AssignmentRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("enabled", models.BooleanField(default=True)),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=100, help_text="Rules are tried from the lowest to the highest."
                    ),
                ),
                (
                    "modality",
                    models.CharField(
                        blank=True,
                        help_text="Of at least one series, such as CT.",
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z0-9_ ]{1,16}$", "Capitals, digits, spaces and underscores (PS3.5 6.2, CS)."
                            )
                        ],
                    ),
                ),
                (
                    "body_part",
                    models.CharField(
                        blank=True, help_text="Body Part Examined of at least one series, such as CHEST.", max_length=64
                    ),
                ),
                (
                    "description_contains",
                    models.CharField(
                        blank=True,
                        help_text="In the description of the study or of a series, in any case.",
                        max_length=255,
                    ),
                ),
                (
                    "referrer_contains",
                    models.CharField(
                        blank=True,
                        help_text="In the referring physician, the institution, or the ward or service of the order, in any case.",
                        max_length=255,
                        verbose_name="referrer or ward contains",
                    ),
                ),
                (
                    "from_time",
                    models.TimeField(
                        blank=True, help_text="Local time at which the study is ready.", null=True, verbose_name="from"
                    ),
                ),
                (
                    "until_time",
                    models.TimeField(
                        blank=True, help_text="Before “from”: over midnight.", null=True, verbose_name="until"
                    ),
                ),
                (
                    "weekdays",
                    models.CharField(
                        blank=True,
                        help_text="1 is Monday, 7 is Sunday; 67 is the weekend.",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^(?!.*(.).*\\1)[1-7]*$", "Days are numbers, each once: 1 is Monday, 7 is Sunday."
                            )
                        ],
                    ),
                ),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[(0, "STAT"), (1, "urgent"), (2, "routine")],
                        help_text="Where neither a person nor an urgent order has said it.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("query", models.CharField(blank=True, max_length=500)),
                ("columns", models.JSONField(blank=True, default=list)),
                ("is_default", models.BooleanField(default=False, verbose_name="shown first")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="TimeLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[(0, "STAT"), (1, "urgent"), (2, "routine")],
                        help_text="Empty: every priority.",
                        null=True,
                    ),
                ),
                (
                    "modality",
                    models.CharField(
                        blank=True,
                        help_text="Such as CT. Empty: every modality.",
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z0-9_ ]{1,16}$", "Capitals, digits, spaces and underscores (PS3.5 6.2, CS)."
                            )
                        ],
                    ),
                ),
                (
                    "minutes",
                    models.PositiveIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(86400),
                        ]
                    ),
                ),
            ],
            options={
                "ordering": ["priority", "modality"],
            },
        ),
        migrations.AlterModelOptions(
            name="readingtask",
            options={"permissions": [("coordinate", "Can assign studies to readers and see the figures of reading")]},
        ),
        migrations.AddField(
            model_name="readingtask",
            name="assigned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="assigned_because",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="assigned_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="assigned_group",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="auth.group"
            ),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="assigned_to",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="first_opened_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="overdue_told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="preliminary_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="readingtask",
            name="priority_source",
            field=models.CharField(
                blank=True,
                choices=[("", "nobody: routine"), ("order", "the order"), ("rule", "a rule"), ("person", "a person")],
                default="",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="readingtask",
            index=models.Index(fields=["state", "due_at"], name="task_by_due"),
        ),
        migrations.AddConstraint(
            model_name="readingtask",
            constraint=models.CheckConstraint(
                condition=models.Q(("assigned_to", None), ("assigned_group", None), _connector="OR"),
                name="assigned_to_one",
            ),
        ),
        migrations.AddField(
            model_name="assignmentrule",
            name="group",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="auth.group"
            ),
        ),
        migrations.AddField(
            model_name="assignmentrule",
            name="reader",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="assignmentrule",
            name="source_peer",
            field=models.ForeignKey(
                blank=True,
                help_text="Only studies of which this peer sent images.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="archive.peer",
                verbose_name="came from",
            ),
        ),
        migrations.AddField(
            model_name="savedfilter",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="savedfilter",
            name="group",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="auth.group"
            ),
        ),
        migrations.AddField(
            model_name="savedfilter",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="timelimit",
            name="told",
            field=models.ManyToManyField(
                blank=True,
                help_text="Groups whose members are told of what is overdue.",
                related_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", None), ("group", None), _connector="XOR"), name="filter_of_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(fields=("user", "name"), name="one_filter_a_name_and_user"),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(fields=("group", "name"), name="one_filter_a_name_and_group"),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True), ("user__isnull", False)),
                fields=("user",),
                name="one_default_a_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("group__isnull", False), ("is_default", True)),
                fields=("group",),
                name="one_default_a_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="timelimit",
            constraint=models.UniqueConstraint(fields=("priority", "modality"), name="one_limit_a_kind"),
        ),
        migrations.AddConstraint(
            model_name="timelimit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("priority__isnull", True)), fields=("modality",), name="one_limit_a_modality"
            ),
        ),
        migrations.RunPython(make_limits, migrations.RunPython.noop),
        migrations.RunPython(keep_priorities, migrations.RunPython.noop),
    ]
