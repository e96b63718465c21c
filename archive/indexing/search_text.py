"""Text as the search field compares it: no case, no accents, one space between words."""

from __future__ import annotations

import unicodedata

from archive.models import Study

SEPARATORS = str.maketrans("^=\\", "   ")


def fold(value: str) -> str:
    """Fold a text for comparison; what is typed and what is kept pass the same function."""
    decomposed = unicodedata.normalize("NFKD", value.translate(SEPARATORS).casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


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
                study.study_description,
                study.referring_physician_name,
                date,
                dashed,
                study.institution_name,
            )
        )
    )
