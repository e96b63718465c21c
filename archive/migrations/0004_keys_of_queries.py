"""What C-FIND, QIDO-RS and the search page find studies by; peers that may be sent images."""

import django.db.models.deletion
from django.db import migrations, models

BATCH = 2000


def fill_name_keys(apps, _schema_editor):
    from archive.dicom.person_name import search_key

    study = apps.get_model("archive", "Study")
    rows = []
    for row in study.objects.only("pk", "patient_name", "referring_physician_name").iterator(chunk_size=BATCH):
        row.patient_name_key = search_key(row.patient_name)
        row.referring_physician_name_key = search_key(row.referring_physician_name)
        rows.append(row)
        if len(rows) == BATCH:
            study.objects.bulk_update(rows, ["patient_name_key", "referring_physician_name_key"])
            rows = []
    study.objects.bulk_update(rows, ["patient_name_key", "referring_physician_name_key"])


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0003_access_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="SeriesRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requested_procedure_id", models.CharField(blank=True, db_index=True, max_length=64)),
                ("scheduled_procedure_step_id", models.CharField(blank=True, db_index=True, max_length=64)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="peer",
            name="may_receive",
            field=models.BooleanField(
                default=False,
                help_text="Images may be sent to it when another peer asks (C-MOVE).",
                verbose_name="may be a move destination",
            ),
        ),
        migrations.AddField(
            model_name="series",
            name="performed_procedure_step_start_date",
            field=models.CharField(blank=True, db_index=True, max_length=8),
        ),
        migrations.AddField(
            model_name="series",
            name="performed_procedure_step_start_time",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name="study",
            name="patient_name_key",
            field=models.CharField(blank=True, max_length=700),
        ),
        migrations.AddField(
            model_name="study",
            name="referring_physician_name_key",
            field=models.CharField(blank=True, max_length=700),
        ),
        migrations.AlterField(
            model_name="study",
            name="patient_birth_date",
            field=models.CharField(blank=True, db_index=True, max_length=8),
        ),
        migrations.AlterField(
            model_name="study",
            name="study_id",
            field=models.CharField(blank=True, db_index=True, max_length=16),
        ),
        migrations.AddIndex(
            model_name="series",
            index=models.Index(fields=["modality", "study"], name="series_of_modality"),
        ),
        migrations.AddField(
            model_name="seriesrequest",
            name="series",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="requests", to="archive.series"
            ),
        ),
        migrations.RunPython(fill_name_keys, migrations.RunPython.noop),
    ]
