"""The printed report: characters of many scripts, directions, pages, and words about what no font has."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from viewer.reports.document import ReportDocument, Section, SignedPart
from viewer.reports.measurements import Link
from viewer.reports.pdf import as_pdf
from viewer.reports.pdf_fonts import scripts_not_printed, width_of
from viewer.reports.pdf_lines import is_right_to_left, lines_of

ABOUT = {
    "patient": "Yamada, Tarou (山田 太郎)",
    "patient_id": "12345",
    "issuer": "",
    "birth_date": "1972-03-01",
    "sex": "F",
    "age": "54 years",
    "examination": "CT chest",
    "date": "2026-11-24 09:58",
    "accession": "A-77",
    "referrer": "",
    "institution": "",
}


def document(findings: str) -> ReportDocument:
    part = SignedPart(
        kind="final",
        number=1,
        sections=(Section("findings", "Findings", findings),),
        author="Rita Reader",
        signed_at=datetime(2026, 11, 24, 10, 42, tzinfo=UTC),
        sha256="0" * 64,
    )
    return ReportDocument(about=ABOUT, title="Final report", is_final=True, parts=(part,))


def text_of(pdf: bytes, folder: Path) -> str:
    """What poppler reads back, presentation forms folded to their letters."""
    path = folder / "report.pdf"
    path.write_bytes(pdf)
    out = subprocess.run(["/usr/bin/pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, timeout=60)
    return unicodedata.normalize("NFKC", out.stdout.decode())


@pytest.mark.parametrize(
    "words",
    ["Überprüfung à gauche, Łódź, Ğ", "Узел в лёгком", "Όζος", "右肺に結節なし", "左肺未见结节", "폐결절 없음"],
)
def test_accents_greek_cyrillic_and_cjk_are_read_back(words: str, tmp_path: Path) -> None:
    assert unicodedata.normalize("NFKC", words) in text_of(as_pdf(document(words)), tmp_path)


@pytest.mark.parametrize(
    "before", ["Nodule, ", "Nodule of the right upper lobe, seen before, which has not grown since, now "]
)
def test_a_measurement_leads_to_its_image_and_is_never_broken(before: str, tmp_path: Path) -> None:
    words = "Length 8.2 mm (S3 Im 12)"
    link = Link("findings", words, "view=1.2~12~40,400", "1.3", 1, "a")
    made = document("")
    section = Section("findings", "Findings", f"{before}{words} benign.", (link,))
    made = replace(
        made,
        about=ABOUT | {"study_instance_uid": "1.2.3"},
        parts=(replace(made.parts[0], sections=(section,)),),
    )
    path = tmp_path / "report.pdf"
    data = as_pdf(made)
    path.write_bytes(data)
    (left, bottom, right, top) = map(float, re.findall(rb"/Rect \[ ([\d. ]+) \]", data)[0].split())
    assert f"({settings.PORTAL_PUBLIC_URL}/studies/1.2.3/viewer/?view=1.2~12~40,400)".encode() in data
    boxes = subprocess.run(["/usr/bin/pdftotext", "-bbox", str(path), "-"], capture_output=True, check=True, timeout=60)
    place = r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">'
    first, last = (re.search(place + re.escape(word), boxes.stdout.decode()) for word in ("Length<", "12)<"))
    assert first is not None and last is not None
    # Poppler counts from the top of the page, PDF from its foot.
    height = 841.89
    assert abs(float(first[1]) - left) < 1 and abs(float(last[3]) - right) < 1
    assert bottom < height - (float(first[2]) + float(first[4])) / 2 < top
    assert first[2] == last[2]


def test_identity_stands_on_every_page(tmp_path: Path) -> None:
    text = text_of(as_pdf(document("\n".join(f"Line {n}" for n in range(150)))), tmp_path)
    pages = text.split("\f")[:-1]
    assert len(pages) == 4
    assert all("12345" in page and "1972-03-01" in page and "山田 太郎" in page for page in pages)
    assert "Line 0\n" in pages[0] and "Line 149" in pages[-1]


def test_arabic_runs_from_right_to_left_with_joined_letters_and_numbers_from_left() -> None:
    # Reading order: ra', ya', alif ... drawn from the left it ends with the word that is read first.
    (line,) = lines_of("رئة 8 mm", 400, 10)
    assert line.is_right_to_left and is_right_to_left("رئة 8 mm")
    assert line.text.startswith("8 mm") or line.text.startswith("mm 8")
    assert "8" in line.text and "mm" in line.text and "شمه" not in line.text
    assert all("\ufb50" <= char <= "\ufeff" for char in line.text if unicodedata.bidirectional(char) == "AL")


def test_a_paragraph_from_right_to_left_is_broken_in_reading_order() -> None:
    words = "أولا ثانيا ثالثا رابعا"
    whole = width_of(words, 10)
    lines = lines_of(words, whole * 0.6, 10)
    assert len(lines) == 2
    first = unicodedata.normalize("NFKC", lines[0].text[::-1])
    assert first.startswith("أولا") and "رابعا" not in first


def test_long_words_and_cjk_break_within_the_width() -> None:
    for text in ("x" * 500, "結" * 200, "short " * 80):
        for line in lines_of(text, 200, 10):
            assert width_of(line.text, 10) <= 200


def test_what_no_font_has_is_said_in_words(tmp_path: Path) -> None:
    text = text_of(as_pdf(document("Note: 𓀀𓀁")), tmp_path)
    assert "no font for Egyptian" in " ".join(text.split())
    assert scripts_not_printed(["Plain text, à, 右"]) == []


def test_the_same_report_gives_the_same_bytes() -> None:
    assert as_pdf(document("Normal.")) == as_pdf(document("Normal."))
