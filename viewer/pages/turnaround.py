"""``/worklist/figures/``: turn-around, backlog and reader load as plots and tables, and as CSV."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.access.roles import user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from pacs_portal.middleware import client_address
from viewer.worklist.figures import PERIODS, figures_of, may_see_figures
from viewer.worklist.figures_export import TABLES, as_csv, plots_of, table_of
from viewer.worklist.filters import MODALITY

USUAL_DAYS = 7
TITLES = {
    "modality": "Turn-around by modality",
    "hour": "Turn-around by hour of arrival",
    "backlog": "Backlog",
    "readers": "Readers",
}


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """The page, or one of its tables as CSV (``csv=modality``, ``hour``, ``backlog`` or ``readers``)."""
    if not may_see_figures(user_of(request)):
        raise Http404
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, PERIODS) else USUAL_DAYS
    modality = request.GET.get("modality", "")
    found = figures_of(days, modality if MODALITY.fullmatch(modality.replace("/", "_")) else "")
    table = request.GET.get("csv", "")
    if table in TABLES:
        return export(request, table, as_csv(table_of(found, table)), days=days, modality=found.modality)
    tables = [(name, TITLES[name], table_of(found, name)) for name in TABLES if name != "backlog"]
    context = {"figures": found, "periods": PERIODS, "tables": tables, "plots": plots_of(found)}
    return render(request, "worklist/figures.html", context)


def export(request: HttpRequest, table: str, text: str, **chosen: object) -> HttpResponse:
    """That figures of people were taken away is an event."""
    record_event(
        Event.EXPORTED,
        user=user_of(request),
        address=client_address(request),
        subject="figures of reading",
        details={"table": table, **chosen},
    )
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="reading-{table}.csv"'
    return response
