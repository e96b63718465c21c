"""The built-in window presets: width and level as they are written in the field."""

from django.db import migrations

CT = (
    ("brain", 80, 40),
    ("stroke", 40, 40),
    ("subdural", 200, 80),
    ("lung", 1500, -600),
    ("mediastinum", 400, 40),
    ("abdomen", 400, 50),
    ("liver", 150, 80),
    ("bone", 2000, 400),
    ("angio", 600, 200),
)


def make_presets(apps, _schema_editor):
    preset = apps.get_model("viewer", "WindowPreset")
    for position, (name, width, center) in enumerate(CT):
        preset.objects.get_or_create(
            modality="CT", name=name, user=None, defaults={"width": width, "center": center, "position": position}
        )


class Migration(migrations.Migration):
    dependencies = [("viewer", "0001_initial")]
    operations = [migrations.RunPython(make_presets, migrations.RunPython.noop)]
