"""Peers that are asked to commit to what they were sent, and what they have said."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0008_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="peer",
            name="is_asked_to_commit",
            field=models.BooleanField(
                default=False,
                help_text="After it was sent images it is asked to say that they are safe there (storage commitment).",
                verbose_name="is asked to commit",
            ),
        ),
        migrations.CreateModel(
            name="WantedCommitment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("peer_ae_title", models.CharField(max_length=16, verbose_name="asked of")),
                ("references", models.JSONField()),
                ("results", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "not answered yet"), ("answered", "answered"), ("given-up", "given up")],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("given_up", models.CharField(blank=True, max_length=500)),
                ("wanted_at", models.DateTimeField(auto_now_add=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "sent_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="archive.job",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.study"
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="CommitmentTransaction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("transaction_uid", models.CharField(max_length=64, unique=True, verbose_name="Transaction UID")),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("reported_at", models.DateTimeField(blank=True, null=True)),
                (
                    "wanted",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transactions",
                        to="archive.wantedcommitment",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
    ]
