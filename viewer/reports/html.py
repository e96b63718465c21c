"""A report as HTML: one fragment for the study's page, the report's page and the printer."""

from __future__ import annotations

from django.template.loader import render_to_string

from viewer.reports.document import ReportDocument, facts_of


def as_html(document: ReportDocument, *, with_facts: bool = True) -> str:
    """Everything of it escaped; ``with_facts`` leaves the head out where the page has one."""
    context = {"document": document, "facts": facts_of(document.about) if with_facts else []}
    return render_to_string("report/document.html", context)
