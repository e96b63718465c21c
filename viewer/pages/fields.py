"""Form fields that several pages share."""

from __future__ import annotations

from django import forms


def date_field(label: str) -> forms.DateField:
    """A date that reads the same everywhere: 2026-11-24. A browser's own date field would not."""
    attributes = {
        "placeholder": "2026-11-24",
        "size": 10,
        "maxlength": 10,
        "inputmode": "numeric",
        "autocomplete": "off",
    }
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d", "%Y%m%d"],
        error_messages={"invalid": "A date is written as 2026-11-24."},
        widget=forms.TextInput(attrs=attributes),
    )
