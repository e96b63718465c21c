import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0008_grants"),
        ("viewer", "0011_measurements_and_earlier_drafts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ResultReceiver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("enabled", models.BooleanField(default=True)),
                (
                    "host",
                    models.CharField(help_text="Host name or IP address.", max_length=255, verbose_name="address"),
                ),
                (
                    "port",
                    models.PositiveIntegerField(
                        default=2575,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ],
                    ),
                ),
                (
                    "receiving_application",
                    models.CharField(
                        max_length=180,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[\\x20-\\x7e]*$", "Letters, digits and signs of ASCII only."
                            )
                        ],
                        verbose_name="receiving application (MSH-5)",
                    ),
                ),
                (
                    "receiving_facility",
                    models.CharField(
                        blank=True,
                        max_length=180,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[\\x20-\\x7e]*$", "Letters, digits and signs of ASCII only."
                            )
                        ],
                        verbose_name="receiving facility (MSH-6)",
                    ),
                ),
                (
                    "character_set",
                    models.CharField(
                        choices=[
                            ("UNICODE UTF-8", "UNICODE UTF-8: takes every text"),
                            ("8859/1", "8859/1: Western European; other characters become question marks"),
                            ("8859/2", "8859/2: Central European; other characters become question marks"),
                            (
                                "8859/15",
                                "8859/15: Western European with the euro; other characters become question marks",
                            ),
                        ],
                        default="UNICODE UTF-8",
                        max_length=16,
                        verbose_name="character set (MSH-18)",
                    ),
                ),
                (
                    "wants_preliminary",
                    models.BooleanField(
                        default=False,
                        help_text="Sent with the result status P.",
                        verbose_name="also preliminary reports",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="OutsideReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender", models.CharField(max_length=200)),
                ("order_number", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(choices=[("P", "preliminary"), ("F", "final"), ("C", "corrected")], max_length=1),
                ),
                ("title", models.CharField(blank=True, max_length=200)),
                ("text", models.TextField()),
                ("reported_by", models.CharField(blank=True, max_length=330)),
                ("reported_at", models.CharField(blank=True, max_length=26)),
                ("control_id", models.CharField(blank=True, max_length=199)),
                ("received_at", models.DateTimeField()),
                ("replaced_at", models.DateTimeField(blank=True, null=True)),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="outside_reports", to="archive.study"
                    ),
                ),
            ],
            options={
                "ordering": ["-received_at", "-pk"],
                "indexes": [models.Index(fields=["study", "replaced_at"], name="outside_report_of_study")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at__isnull", True)),
                        fields=("study", "sender", "order_number"),
                        name="one_outside_report_that_stands",
                    )
                ],
            },
        ),
    ]
