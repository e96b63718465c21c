"""What begins a routing rule: a study or an order; tokens that read the figures of operators alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0009_storage_commitment_of_peers"),
    ]

    operations = [
        migrations.AddField(
            model_name="route",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("arrival", "a study has arrived"),
                    ("order", "an order has arrived"),
                    ("either", "an order or a study has arrived"),
                ],
                default="arrival",
                help_text="Priors that an order asks for are here before its images are.",
                max_length=8,
                verbose_name="when",
            ),
        ),
        migrations.AlterField(
            model_name="accesstoken",
            name="scope",
            field=models.CharField(
                choices=[
                    ("read", "read: search, retrieve, render"),
                    ("store", "store: STOW-RS only"),
                    ("all", "all that the user may do"),
                    ("metrics", "metrics: operators' figures only"),
                ],
                max_length=8,
            ),
        ),
    ]
