import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0004_keys_of_queries"),
        ("viewer", "0004_report_templates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Annotation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("stack", models.CharField(max_length=70)),
                ("sop_instance_uid", models.CharField(max_length=64)),
                ("frame_number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("length", "length"),
                            ("bidirectional", "bidirectional"),
                            ("angle", "angle"),
                            ("cobb", "cobb"),
                            ("ellipse", "ellipse"),
                            ("rectangle", "rectangle"),
                            ("circle", "circle"),
                            ("polygon", "polygon"),
                            ("freehand", "freehand"),
                            ("arrow", "arrow"),
                            ("text", "text"),
                            ("key_image", "key image"),
                        ],
                        max_length=16,
                    ),
                ),
                ("geometry", models.JSONField()),
                ("label", models.CharField(blank=True, max_length=200)),
                ("label_offset", models.JSONField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="annotations", to="archive.study"
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
                "indexes": [models.Index(fields=["study", "deleted_at"], name="annotation_of_study")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("frame_number__gte", 1)), name="annotation_counts_from_1"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "length",
                                    "bidirectional",
                                    "angle",
                                    "cobb",
                                    "ellipse",
                                    "rectangle",
                                    "circle",
                                    "polygon",
                                    "freehand",
                                    "arrow",
                                    "text",
                                    "key_image",
                                ],
                            )
                        ),
                        name="annotation_kind_known",
                    ),
                ],
            },
        ),
    ]
