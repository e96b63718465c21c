"""Pictures on paper: A4 pages of six, each with its words, identity on every page or on none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from viewer.reports.pdf_fonts import runs_of

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 42.5
"""15 mm in points."""
COLUMNS, ROWS = 2, 3
GAP = 10.0
CAPTION = 9.0
HEAD = 24.0


def write_contact_sheet(
    file: BinaryIO, pictures: Iterable[tuple[NDArray[np.uint8], str]], *, head: str, foot: str
) -> int:
    """Write pictures with their captions; returns how many pages there are."""
    canvas = Canvas(file, pagesize=A4, invariant=1)
    canvas.setTitle("Images")
    width = (PAGE_WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    height = (PAGE_HEIGHT - 2 * MARGIN - HEAD - (ROWS - 1) * GAP) / ROWS
    pages = 0
    for place, (image, caption) in enumerate(pictures):
        row, column = divmod(place % (ROWS * COLUMNS), COLUMNS)
        if row == column == 0:
            if pages:
                canvas.showPage()
            pages += 1
            _write(canvas, head, MARGIN, PAGE_HEIGHT - MARGIN - 10, 10)
            _write(canvas, f"{foot} · page {pages}", MARGIN, MARGIN / 2, 8)
        left = MARGIN + column * (width + GAP)
        top = PAGE_HEIGHT - MARGIN - HEAD - row * (height + GAP)
        _place(canvas, image, left, top, width, height - CAPTION - 6)
        _write(canvas, caption, left, top - height + 4, CAPTION)
    canvas.save()
    return pages


def _place(canvas: Canvas, image: NDArray[np.uint8], left: float, top: float, width: float, height: float) -> None:
    """As large as it fits, in its own proportions, at the upper left of its place."""
    factor = min(width / image.shape[1], height / image.shape[0])
    shown = image.shape[1] * factor, image.shape[0] * factor
    canvas.drawImage(ImageReader(Image.fromarray(image)), left, top - shown[1], *shown)


def _write(canvas: Canvas, line: str, x: float, y: float, size: float) -> None:
    text = canvas.beginText(x, y)
    for run in runs_of(line):
        text.setFont(run.font, size)
        text.textOut(run.text)
    canvas.drawText(text)
