"""Ranges, validators and compression (RFC 9110): the functions, and the files and values that they are for."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable

import pydicom
import pytest
from django.test import Client, RequestFactory

from archive.dicomweb.conditional import accepts_gzip, not_modified, span_of
from archive.dicomweb.errors import RangeNotSatisfiable
from tests.archive.dicomweb.asking import ROOT, address, body
from tests.conftest import Cast

ClientOf = Callable[..., Client]
in_archive = pytest.mark.django_db(transaction=True)
ETAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 10)),
        ("bytes=90-", (90, 10)),
        ("bytes=-30", (70, 30)),
        ("bytes=-300", (0, 100)),
        ("bytes=50-1000", (50, 50)),
        ("BYTES = 0-9", (0, 10)),
        # RFC 9110 14.1.1, 14.2: what is no range, another unit and what need not be supported are ignored.
        ("", None),
        ("bytes=9-3", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("frames=1-2", None),
        ("bytes=x-y", None),
    ],
)
def test_a_range_is_read_as_http_says(asked: str, span: tuple[int, int] | None) -> None:
    assert span_of(RequestFactory().get("/", headers={"Range": asked}), 100, ETAG) == span


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(asked: str) -> None:
    with pytest.raises(RangeNotSatisfiable, match="100 bytes"):
        span_of(RequestFactory().get("/", headers={"Range": asked}), 100, ETAG)


@pytest.mark.parametrize(
    ("condition", "is_ranged"),
    [(ETAG, True), ('"other"', False), (f"W/{ETAG}", False), ("Tue, 24 Nov 2026 10:00:00 GMT", False)],
)
def test_a_range_of_something_else_is_not_given(condition: str, is_ranged: bool) -> None:
    request = RequestFactory().get("/", headers={"Range": "bytes=0-9", "If-Range": condition})
    assert (span_of(request, 100, ETAG) is not None) is is_ranged


@pytest.mark.parametrize(
    ("known", "expected"), [(ETAG, True), (f'"x", W/{ETAG}', True), ("*", True), ('"x"', False), ("", False)]
)
def test_validators_are_compared_weakly(known: str, expected: bool) -> None:
    assert not_modified(RequestFactory().get("/", headers={"If-None-Match": known}), ETAG) is expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("identity", False),
        ("", False),
    ],
)
def test_only_what_the_client_takes_is_compressed(asked: str, expected: bool) -> None:
    assert accepts_gzip(RequestFactory().get("/", headers={"Accept-Encoding": asked})) is expected


@in_archive
def test_a_file_is_put_together_from_its_ranges(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    client, path = client_of(cast.reader), address(series[0], instance=True)
    accept = {"Accept": "application/dicom"}
    whole = client.get(path, headers=accept)
    data = body(whole)
    assert (whole["Accept-Ranges"], whole["Content-Length"]) == ("bytes", str(len(data)))
    # 100 lies in the header, 600 across it and the data set, the rest in the pixels.
    got, cuts = b"", [0, 100, 600, len(data) - 7, len(data)]
    for first, end in zip(cuts, cuts[1:], strict=False):
        headers = {"Range": f"bytes={first}-{end - 1}", "If-Range": whole["ETag"], **accept}
        part = client.get(path, headers=headers)
        assert (part.status_code, part["Content-Range"]) == (206, f"bytes {first}-{end - 1}/{len(data)}")
        got += body(part)
    assert got == data
    assert pydicom.dcmread(io.BytesIO(got)).PixelData == series[0].PixelData
    behind = client.get(path, headers={"Range": f"bytes={len(data)}-", **accept})
    assert (behind.status_code, behind["Content-Range"]) == (416, f"bytes */{len(data)}")
    stale = client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"old"', **accept})
    assert stale.status_code == 200 and body(stale) == data


@in_archive
@pytest.mark.parametrize("place", ["bulkdata/7FE00010", "frames/1"])
def test_pixels_are_given_in_ranges_and_not_again(
    place: str, series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    client, path = client_of(cast.reader), f"{address(series[0], instance=True)}/{place}"
    part = client.get(path, headers={"Range": "bytes=-64", "Accept": "application/octet-stream"})
    size = len(series[0].PixelData)
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes {size - 64}-{size - 1}/{size}")
    assert body(part) == series[0].PixelData[-64:]
    again = client.get(path, headers={"If-None-Match": part["ETag"], "Accept": "application/octet-stream"})
    assert (again.status_code, again.content) == (304, b"")


@in_archive
@pytest.mark.parametrize("kind", ['multipart/related; type="application/dicom"', "application/zip"])
def test_a_study_that_the_client_has_is_not_sent_again(
    kind: str, series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    first = client.get(address(series[0]), headers={"Accept": kind})
    assert first.status_code == 200 and first["ETag"].startswith('W/"') and body(first)
    again = client.get(address(series[0]), headers={"Accept": kind, "If-None-Match": first["ETag"]})
    assert (again.status_code, again["ETag"]) == (304, first["ETag"])
    other = client.get(
        address(series[0]),
        headers={"Accept": f"{kind}; transfer-syntax=1.2.840.10008.1.2", "If-None-Match": first["ETag"]},
    )
    assert other.status_code == 200


@in_archive
def test_results_of_a_search_are_compressed(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    packed = client.get(f"{ROOT}/instances", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == client.get(f"{ROOT}/instances").content
