"""Text as the search field compares it: no case, no accents, one space between words."""

from __future__ import annotations

from archive.dicom import folding
from archive.dicom.person_name import search_key
from archive.models import Study

NAME_KEY_LENGTH = 700
"""Of the columns; folding makes some letters two."""
SEPARATORS = str.maketrans("^=\\", "   ")


def fold(value: str) -> str:
    """Fold a text for comparison; what is typed and what is kept pass the same function."""
    return " ".join(folding.fold(value.translate(SEPARATORS)).split())


def search_text_of(study: Study) -> str:
    """All that the search field finds a study by; dates with and without dashes."""
    date = study.study_date
    dashed = f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else ""
    return fold(
        " ".join(
            (
                study.patient_name,
                study.patient.patient_id,
                study.accession_number,
                study.study_id,
                study.study_description,
                study.referring_physician_name,
                date,
                dashed,
                study.institution_name,
            )
        )
    )


def set_search_keys(study: Study) -> None:
    """Bring up to date what a study is searched by; the caller saves it."""
    study.search_text = search_text_of(study)
    study.patient_name_key = search_key(study.patient_name)[:NAME_KEY_LENGTH]
    study.referring_physician_name_key = search_key(study.referring_physician_name)[:NAME_KEY_LENGTH]
