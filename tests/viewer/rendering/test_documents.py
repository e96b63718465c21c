"""Reports in words: real ones, and one of every value type with hostile text."""

from __future__ import annotations

import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset

from viewer.errors import NothingToDraw
from viewer.rendering.documents import encapsulated_document, report_as_html, report_as_text, report_lines


def code(meaning: str, value: str = "1") -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, "99X", meaning
    return ds


def item(value_type: str, name: str = "", *children: Dataset, **values: Any) -> Dataset:
    ds = Dataset()
    ds.ValueType = value_type
    if name:
        ds.ConceptNameCodeSequence = [code(name)]
    if children:
        ds.ContentSequence = list(children)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def measured(number: str, unit: str) -> Dataset:
    ds = Dataset()
    ds.NumericValue = number
    ds.MeasurementUnitsCodeSequence = [code(unit, unit)]
    return ds


def referenced(frames: list[int] | None = None) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.ReferencedSOPInstanceUID = "1.2.3"
    if frames:
        ds.ReferencedFrameNumber = frames
    return ds


REPORT = item(
    "CONTAINER",
    "Chest CT",
    item("TEXT", "Finding", TextValue="A <b>nodule</b> & more\nSecond line"),
    item("CONTAINER", "Measurements", item("NUM", "Diameter", MeasuredValueSequence=[measured("7.5", "mm")])),
    item("NUM", "Count", MeasuredValueSequence=[measured("3", "1")]),
    item("NUM", "Area"),
    item("CODE", "Side", ConceptCodeSequence=[code("left")]),
    item("PNAME", "Observer", PersonName="DOE^JANE"),
    item("DATE", "On", Date="20261124"),
    item("TIME", "At", Time="0958"),
    item("DATETIME", "When", DateTime="202611240958"),
    item("UIDREF", "Tracking", UID="1.2.9"),
    item("IMAGE", "Seen in", ReferencedSOPSequence=[referenced([2, 3])]),
    item("SCOORD", "Outline", GraphicType="POINT", GraphicData=[1.5, 2]),
    item("TCOORD", "During", TemporalRangeType="SEGMENT"),
    PatientName="Yamada^Tarou=山田^太郎",
    VerificationFlag="VERIFIED",
)


def test_every_value_type_is_written_by_its_kind() -> None:
    found = {line.name: (line.depth, line.value) for line in report_lines(REPORT)}
    assert found == {
        "Chest CT": (0, ""),
        "Finding": (1, "A <b>nodule</b> & more\nSecond line"),
        "Measurements": (1, ""),
        "Diameter": (2, "7.5 mm"),
        "Count": (1, "3"),
        "Area": (1, "no value"),
        "Side": (1, "left"),
        "Observer": (1, "DOE, JANE"),
        "On": (1, "2026-11-24"),
        "At": (1, "09:58"),
        "When": (1, "202611240958"),
        "Tracking": (1, "1.2.9"),
        "Seen in": (1, "CT Image 1.2.3, frame 2, 3"),
        "Outline": (1, "POINT 1.5, 2"),
        "During": (1, "SEGMENT"),
    }


def test_plain_text_shows_depth_by_indent() -> None:
    text = report_as_text(REPORT)
    assert "Patient: Yamada, Tarou · 山田 太郎\n" in text
    assert (
        "\nChest CT\n  Finding: A <b>nodule</b> & more\n  Second line\n  Measurements\n    Diameter: 7.5 mm\n" in text
    )


class Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("depths", [(0, 1, 2, 1, 0), (0, 2, 1), (1, 0), (0,), (0, 1, 2, 3, 1)])
def test_html_is_well_formed_at_every_depth_and_escapes_all_text(depths: tuple[int, ...]) -> None:
    html = report_as_html(REPORT)
    assert "<b>" not in html and "&lt;b&gt;nodule&lt;/b&gt; &amp; more<br>Second line" in html
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    assert not {"script", "style", "img", "link"} & set(parser.seen)


@pytest.mark.parametrize("name", ["sample-sr.dcm", "reportki.dcm"])
def test_every_text_that_dcmtk_finds_in_a_real_report_is_there(name: str, data_dir: Path) -> None:
    path = data_dir / "sr" / name
    dump = subprocess.run(
        ["/usr/bin/dcmdump", "+P", "0040,a160", "+L", str(path)], capture_output=True, timeout=60, check=True
    )
    wanted = [
        line.split("[", 1)[1].rsplit("]", 1)[0] for line in dump.stdout.decode("latin-1").splitlines() if "[" in line
    ]
    plain = [text.strip() for text in wanted if text.isascii() and "\\" not in text]
    assert plain
    found = report_as_text(pydicom.dcmread(path))
    for text in plain:
        assert " ".join(text.split()) in " ".join(found.split())


def test_a_report_without_content_is_said() -> None:
    with pytest.raises(NothingToDraw):
        report_lines(Dataset())


def test_a_document_comes_out_without_its_padding(data_dir: Path) -> None:
    ds = pydicom.dcmread(data_dir / "waveform_pdf" / "sample-pdf.dcm")
    document = encapsulated_document(ds)
    assert document.startswith(b"%PDF-") and document.rstrip().endswith(b"%%EOF")
    with pytest.raises(NothingToDraw):
        encapsulated_document(Dataset())
