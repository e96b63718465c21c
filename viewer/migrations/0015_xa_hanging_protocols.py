"""Built-in hanging protocols of angiography: one run alone, two runs or planes side by side."""

from django.db import migrations

RUN = {"find": {"modality": "XA"}}
FIRST_POSITION = 100
PROTOCOLS = (
    (
        "XA, two runs",
        {
            "match": {"modalities": ["XA"], "least_views": 2, "most_views": 2},
            "layout": "1x2",
            "cells": [RUN, RUN],
        },
    ),
    (
        "XA, many runs",
        {
            "match": {"modalities": ["XA"], "least_views": 3},
            "layout": "2x2",
            "cells": [RUN, RUN, RUN, RUN | {"optional": True}],
        },
    ),
    ("XA", {"match": {"modalities": ["XA"]}, "layout": "1x1", "cells": [RUN]}),
)


def make_protocols(apps, _schema_editor):
    protocol = apps.get_model("viewer", "HangingProtocol")
    for position, (name, rule) in enumerate(PROTOCOLS, start=FIRST_POSITION):
        protocol.objects.get_or_create(name=name, user=None, group=None, defaults={"rule": rule, "position": position})


class Migration(migrations.Migration):
    dependencies = [("viewer", "0014_mail_pace")]

    operations = [migrations.RunPython(make_protocols, migrations.RunPython.noop)]
