"""Dates, times and ages as recorded."""

from __future__ import annotations

from datetime import date

import pytest

from archive.dicom.dates import age_at, format_date, format_time, parse_date


def test_dates_are_written_with_dashes_and_otherwise_as_sent() -> None:
    assert format_date("20261124") == "2026-11-24"
    assert format_date("2026.11.24") == "2026-11-24"
    assert format_date("20261345") == "20261345"
    assert format_date("") == ""
    assert parse_date("20240229") == date(2024, 2, 29)
    assert parse_date("20230229") is None


def test_times_are_hours_and_minutes_and_otherwise_as_sent() -> None:
    assert format_time("095812.5") == "09:58"
    assert format_time("09:58:12") == "09:58"
    assert format_time("09") == "09"


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("19721124", "54Y"),
        ("19721125", "53Y"),
        ("20241124", "2Y"),
        ("20241125", "23M"),
        ("20260801", "3M"),
        ("20260901", "12W"),
        ("20261110", "14D"),
        ("20261124", "0D"),
    ],
)
def test_age_is_at_the_study_date_and_under_two_years_in_smaller_units(birth_date: str, expected: str) -> None:
    assert age_at(study_date="20261124", birth_date=birth_date, patient_age="").text == expected


def test_patient_age_stands_in_where_there_is_no_birth_date() -> None:
    assert age_at(study_date="20261124", birth_date="", patient_age="054Y").text == "54Y"
    assert age_at(study_date="", birth_date="19721124", patient_age="006M").text == "6M"
    assert age_at(study_date="20261124", birth_date="", patient_age="").text == ""


@pytest.mark.parametrize(
    ("patient_age", "disagrees"), [("054Y", False), ("053Y", False), ("044Y", True), ("003M", True)]
)
def test_disagreement_is_marked(patient_age: str, disagrees: bool) -> None:
    age = age_at(study_date="20261124", birth_date="19720301", patient_age=patient_age)

    assert (age.text, age.disagrees) == ("54Y", disagrees)
