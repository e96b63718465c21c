"""Measurements in reports, earlier drafts, and what the site says about writing; SQLite's guard is made again if it is gone."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

SQLITE = """
CREATE TRIGGER IF NOT EXISTS viewer_reportversion_never_changes BEFORE UPDATE ON viewer_reportversion
BEGIN SELECT RAISE(ABORT, 'a signed report never changes'); END
"""


def guard(_apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)


class Migration(migrations.Migration):
    dependencies = [
        ("viewer", "0010_shares_and_discussion"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="measurements",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="reportversion",
            name="measurements",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="ReportPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "earlier_drafts_kept_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        help_text="Days for which earlier texts of a draft can be looked at. The draft itself and what was signed stay.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                    ),
                ),
                (
                    "second_factor_to_sign",
                    models.BooleanField(
                        default=True,
                        help_text="Outside the demonstration nobody signs without a second factor; who has none is asked to set one up.",
                    ),
                ),
                (
                    "dictation",
                    models.BooleanField(
                        default=False,
                        help_text="Shows a microphone beside each section where the browser can listen. The portal never gets the sound, but many browsers send it to their maker to be understood: switch it on only where that is allowed.",
                        verbose_name="dictation by the browser",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "report policy",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_report_policy")],
            },
        ),
        migrations.CreateModel(
            name="EarlierDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("text", models.JSONField()),
                ("author_name", models.CharField(blank=True, max_length=330)),
                ("saved_at", models.DateTimeField()),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="earlier_drafts", to="viewer.report"
                    ),
                ),
            ],
            options={
                "ordering": ["report", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("report", "number"), name="one_earlier_draft_a_number")
                ],
            },
        ),
        migrations.RunPython(guard, migrations.RunPython.noop),
    ]
