"""docs/network.md says what the network is answered: its tables are compared with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import get_resolver

from archive.dicomweb.operations import NOT_OFFERED, ROOT, operations
from archive.dimse.contexts import VERIFICATION
from archive.dimse.identifiers import MODELS
from archive.dimse.limits import DEFAULT_LIMITS
from archive.dimse.operations import AVAILABILITY, WORKFLOW_CLASSES
from archive.dimse.tls import CIPHERS
from archive.exchange.committing import MAY_PASS_LATER, WORDS
from archive.querying.keys import COMPUTED, KEYS

pytestmark = pytest.mark.plain
PAGE = (Path(__file__).resolve().parent.parent / "docs" / "network.md").read_text(encoding="utf-8")


def table(*head: str) -> list[list[str]]:
    """Rows of the table that begins with these headings."""
    found = re.search(rf"^\| {re.escape(' | '.join(head))} \|\n\|[-| ]+\n((?:\|[^\n]*\n)+)", PAGE, re.MULTILINE)
    assert found, head
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found[1].splitlines()]


def test_every_service_but_storage_is_named_by_its_class() -> None:
    named = {uid for _name, uid, _role, _services in table("SOP class", "UID", "role", "services") if uid[0].isdigit()}
    assert named == {VERIFICATION, AVAILABILITY, *MODELS, *WORKFLOW_CLASSES}


def test_every_key_is_named_with_its_level_and_use() -> None:
    rows = {key: (level, use) for key, level, use in table("key", "level", "use")}
    kept = {key.keyword: (key.level.name.lower(), key.use.name.lower()) for key in KEYS.values()}
    computed = {keyword: (level.name.lower(), "computed") for keyword, level in COMPUTED.items()}
    assert rows == kept | computed


def test_every_limit_is_what_the_page_says() -> None:
    for _words, value, name in table("limit", "value", "field"):
        assert float(value) == getattr(DEFAULT_LIMITS, name)


def test_every_reason_of_a_commitment_that_failed_is_named() -> None:
    rows = {int(reason, 16): (words, again) for reason, words, again in table("reason", "in words", "asked again")}
    assert rows == {reason: (words, "yes" if reason in MAY_PASS_LATER else "no") for reason, words in WORDS.items()}


def test_every_setting_of_tls_is_named() -> None:
    named = {name for name, _meaning in table("setting", "meaning")}
    assert named == {name for name in dir(settings) if name.startswith("PORTAL_DICOM_TLS_")}


def test_the_cipher_suites_are_those_of_the_page() -> None:
    assert "`ECDHE-{ECDSA,RSA}-AES{128,256}-GCM`" in PAGE
    said = {f"ECDHE-{key}-AES{bits}-GCM" for key in ("ECDSA", "RSA") for bits in (128, 256)}
    assert {suite.rpartition("-")[0] for suite in CIPHERS.split(":")} == said


def test_every_address_of_dicomweb_is_named() -> None:
    named = [address for address, *_rest in table("address", "methods", "transaction", "answers")]
    assert sorted(named) == sorted(addresses())


def addresses() -> list[str]:
    """Addresses below /dicom-web as the page writes them; rendered ones have a page of their own."""
    (below,) = (one for one in get_resolver().url_patterns if str(one.pattern) == "dicom-web/")
    names = {"study_instance_uid": "study", "series_instance_uid": "series", "sop_instance_uid": "instance"}
    return [
        "/" + re.sub(r"<\w+:(\w+)>", lambda found: "{" + names.get(found[1], found[1]) + "}", str(one.pattern))
        for one in below.url_patterns
        if str(one.pattern).partition("/")[0] not in NOT_OFFERED
    ]


def test_every_address_is_named_with_its_methods() -> None:
    named = {
        address: set(methods.split(", "))
        for address, methods, *_rest in table("address", "methods", "transaction", "answers")
    }
    described: dict[str, set[str]] = {"/": set()}
    for one in operations():
        if not one.path.endswith(("/rendered", "/thumbnail")):
            address = one.path.removeprefix(ROOT).replace("_instance_uid}", "}").replace("{sop}", "{instance}")
            described.setdefault(address, set()).add(one.method)
    assert {address: methods - {"OPTIONS"} for address, methods in named.items()} == described


def test_every_service_that_is_not_offered_is_named() -> None:
    assert {address for address, _what in table("not offered", "what it would be")} == {
        f"/{one}" for one in NOT_OFFERED
    }
