"""Critical results, what people are told, the outbox, questions to the radiologist; and the usual categories."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CATEGORIES = (
    ("immediate: within minutes", 10, 5, 15),
    ("urgent: within hours", 20, 30, 120),
    ("important: within days", 30, 720, 2880),
)
"""Name, position, minutes between reminders, minutes until it is escalated: after the levels that the ACR names."""


def add_categories(apps, schema_editor):
    category = apps.get_model("viewer", "CriticalCategory")
    for name, position, remind, escalate in CATEGORIES:
        category.objects.get_or_create(
            name=name,
            defaults={"position": position, "remind_every_minutes": remind, "escalate_after_minutes": escalate},
        )


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0008_grants"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("viewer", "0007_place_of_work"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(choices=[("mail", "e-mail"), ("webhook", "webhook")], max_length=16)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("failed", "given up"),
                            ("dropped", "no longer wanted"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.CreateModel(
            name="CriticalCategory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("remind_every_minutes", models.PositiveIntegerField(default=15)),
                ("escalate_after_minutes", models.PositiveIntegerField(default=60)),
                ("is_active", models.BooleanField(default=True)),
                ("escalate_to_groups", models.ManyToManyField(blank=True, related_name="+", to="auth.group")),
                (
                    "escalate_to_users",
                    models.ManyToManyField(blank=True, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "verbose_name_plural": "critical categories",
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="CriticalResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("flagged", "told when the report is signed"),
                            ("told", "waits for acknowledgement"),
                            ("acknowledged", "acknowledged"),
                            ("withdrawn", "withdrawn before anybody was told"),
                        ],
                        default="flagged",
                        max_length=16,
                    ),
                ),
                ("recipient_name", models.CharField(max_length=330)),
                ("flagged_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("remind_at", models.DateTimeField(blank=True, null=True)),
                ("reminders", models.PositiveIntegerField(default=0)),
                ("escalate_at", models.DateTimeField(blank=True, null=True)),
                ("escalated_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_name", models.CharField(blank=True, max_length=330)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="viewer.criticalcategory"
                    ),
                ),
                (
                    "flagged_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="archive.patient"
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="critical_results",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="critical_results", to="archive.study"
                    ),
                ),
                (
                    "told_with",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="critical_results",
                        to="viewer.reportversion",
                    ),
                ),
            ],
            options={
                "ordering": ["flagged_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tried_at", models.DateTimeField()),
                ("is_success", models.BooleanField()),
                ("message", models.CharField(max_length=300)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="viewer.delivery"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("critical", "A critical result awaits you"),
                            ("critical-reminder", "A critical result still awaits you"),
                            ("critical-escalated", "A critical result was not acknowledged in time"),
                            ("acknowledged", "A critical result was acknowledged"),
                            ("report", "A report awaits you"),
                            ("question", "Somebody asks about a report of yours"),
                            ("answer", "Your question was answered"),
                            ("delegated", "You stand in for a colleague"),
                            ("assigned", "A study was given to you"),
                            ("overdue", "A study has not been read in time"),
                            ("mentioned", "A colleague named you in a remark"),
                            ("consulted", "A colleague asks you to look at a study"),
                        ],
                        max_length=24,
                    ),
                ),
                ("occasion", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("is_in_page", models.BooleanField(default=True)),
                (
                    "study",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="archive.study",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="notification",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="viewer.notification"
            ),
        ),
        migrations.CreateModel(
            name="NotificationChoices",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channels", models.JSONField(blank=True, default=dict)),
                ("webhook_url", models.URLField(blank=True, max_length=500)),
                ("webhook_secret", models.CharField(blank=True, max_length=64)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_choices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "choices of notification",
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=1000)),
                ("asked_at", models.DateTimeField()),
                ("answer", models.CharField(blank=True, max_length=2000)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "asked_of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="questions", to="archive.study"
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at", "pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="criticalcategory",
            constraint=models.CheckConstraint(
                condition=models.Q(("escalate_after_minutes__gte", 1), ("remind_every_minutes__gte", 1)),
                name="critical_times_not_zero",
            ),
        ),
        migrations.AddIndex(
            model_name="criticalresult",
            index=models.Index(fields=["study", "state"], name="critical_of_study"),
        ),
        migrations.AddIndex(
            model_name="criticalresult",
            index=models.Index(condition=models.Q(("state", "told")), fields=["remind_at"], name="critical_to_remind"),
        ),
        migrations.AddConstraint(
            model_name="criticalresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "acknowledged"), _negated=True),
                    models.Q(
                        ("acknowledged_at__isnull", False),
                        ("acknowledged_by__isnull", False),
                        models.Q(("acknowledged_name", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="critical_acknowledged_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("read_at__isnull", True)), fields=["user"], name="notification_unread"
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                fields=("user", "kind", "occasion"), name="one_notification_an_occasion"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["due_at"], name="delivery_waiting"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("notification", "channel"), name="one_delivery_a_channel"),
        ),
        migrations.RunPython(add_categories, migrations.RunPython.noop),
    ]
