"""Hanging protocols, and the built-in ones."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import viewer.models.hanging_protocol

TOP_OF = {"CC": {"R": "R", "L": "L"}, "MLO": {"R": "H", "L": "H"}}
"""What lies at the top of a mammogram: the outer side of a CC, the head of an MLO."""


def breast(side, view, *, prior=False):
    """Back to back: chest wall towards the middle of the screen, the right breast on the left half."""
    cell = {
        "find": {"modality": "MG", "laterality": side, "view": view},
        "orient": {"right": "P" if side == "R" else "A", "top": TOP_OF[view][side]},
        "align": "right" if side == "R" else "left",
    }
    return cell | ({"prior": True} if prior else {})


def plane(name, modality):
    return {"find": {"modality": modality, "plane": name}}


def view(modality, *, prior=False):
    return {"find": {"modality": modality}} | ({"prior": True} if prior else {})


def radiograph(modality):
    with_prior = {
        "match": {"modalities": [modality], "priors": "needed"},
        "layout": "1x2",
        "cells": [view(modality), view(modality, prior=True)],
        "one_scale": True,
    }
    two_views = {
        "match": {"modalities": [modality], "least_views": 2},
        "layout": "1x2",
        "cells": [view(modality), view(modality)],
    }
    one_view = {"match": {"modalities": [modality]}, "layout": "1x1", "cells": [view(modality)]}
    return (f"{modality} with prior", with_prior), (f"{modality}, two views", two_views), (modality, one_view)


SCREENING = [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]
PROTOCOLS = (
    (
        "Mammography with prior",
        {
            "match": {"modalities": ["MG"], "least_views": 4, "priors": "needed"},
            "layout": "2x4",
            "cells": [
                *(breast(*one) for one in SCREENING[:2]),
                *(breast(*one, prior=True) for one in SCREENING[:2]),
                *(breast(*one) for one in SCREENING[2:]),
                *(breast(*one, prior=True) for one in SCREENING[2:]),
            ],
            "links": [],
            "one_scale": True,
        },
    ),
    (
        "Mammography",
        {
            "match": {"modalities": ["MG"], "least_views": 4},
            "layout": "2x2",
            "cells": [breast(*one) for one in SCREENING],
            "one_scale": True,
        },
    ),
    (
        "Mammography, CC",
        {
            "match": {"modalities": ["MG"], "least_views": 2},
            "layout": "1x2",
            "cells": [breast("R", "CC"), breast("L", "CC")],
            "one_scale": True,
        },
    ),
    (
        "Mammography, MLO",
        {
            "match": {"modalities": ["MG"], "least_views": 2},
            "layout": "1x2",
            "cells": [breast("R", "MLO"), breast("L", "MLO")],
            "one_scale": True,
        },
    ),
    (
        "PET/CT",
        {
            "match": {"modalities": ["PT", "CT"]},
            "layout": "1x2",
            "cells": [plane("axial", "CT"), plane("axial", "PT")],
            "links": ["scroll", "zoom"],
        },
    ),
    (
        "CT with prior",
        {
            "match": {"modalities": ["CT"], "priors": "needed"},
            "layout": "1x2",
            "cells": [plane("axial", "CT"), plane("axial", "CT") | {"prior": True}],
            "links": ["scroll"],
        },
    ),
    ("CT", {"match": {"modalities": ["CT"]}, "layout": "1x1", "cells": [plane("axial", "CT")]}),
    (
        "MR, three planes",
        {
            "match": {"modalities": ["MR"], "least_views": 3},
            "layout": "2x2",
            "cells": [
                plane("sagittal", "MR"),
                plane("coronal", "MR"),
                plane("axial", "MR"),
                view("MR") | {"optional": True},
            ],
            "links": ["scroll"],
        },
    ),
    *radiograph("DX"),
    *radiograph("CR"),
    (
        "Ultrasound, many views",
        {
            "match": {"modalities": ["US"], "least_views": 4},
            "layout": "2x2",
            "cells": [view("US")] * 4,
        },
    ),
    ("Ultrasound", {"match": {"modalities": ["US"]}, "layout": "1x1", "cells": [view("US")]}),
)


def make_protocols(apps, _schema_editor):
    protocol = apps.get_model("viewer", "HangingProtocol")
    for position, (name, rule) in enumerate(PROTOCOLS):
        protocol.objects.get_or_create(name=name, user=None, group=None, defaults={"rule": rule, "position": position})


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("viewer", "0005_annotations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="HangingProtocol",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("rule", models.JSONField(validators=[viewer.models.hanging_protocol.is_a_rule])),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["position", "pk"]},
        ),
        migrations.AddConstraint(
            model_name="hangingprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", None), ("group", None), _connector="OR"), name="protocol_has_one_owner"
            ),
        ),
        migrations.RunPython(make_protocols, migrations.RunPython.noop),
    ]
