"""Access tokens of an identity provider: whose they are, what they open, and every way in which they are none."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pytest_django import Settings

from archive.access import identity_tokens
from pacs_portal.checks import identity_provider_is_named_whole
from tests.conftest import Cast
from tests.phantoms import ct_image, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., Client]
ISSUER, AUDIENCE = "https://identity.example/realm", "portal-dicomweb"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TAGS = "/api/instances/1.2.3/tags"


def key_set() -> dict[str, Any]:
    one = RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True) | {"kid": "r", "use": "sig"}
    other = ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True) | {"kid": "e", "use": "sig"}
    return {"keys": [one, other]}


@pytest.fixture
def provider(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site names a provider whose keys lie in a file."""
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(key_set()))
    settings.PORTAL_OIDC_ISSUER, settings.PORTAL_OIDC_AUDIENCE = ISSUER, AUDIENCE
    settings.PORTAL_OIDC_KEYS = str(path)


def token(user: str, scope: object = "portal:read", *, key: Any = RSA_KEY, **changes: Any) -> str:
    headers = {"kid": changes.pop("kid", "r")}
    algorithm = changes.pop("algorithm", "RS256")
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 300, "preferred_username": user, "scope": scope}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def signed_with_public_key(good: str) -> str:
    """The same claims under HS256, with the public key as the shared secret: PyJWT refuses to make such a token."""
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"r"}').rstrip(b"=").decode()
    signed = f"{head}.{good.split('.')[1]}"
    digest = hmac.digest(public, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def asked(client: Client, text: str) -> int:
    return client.get(TAGS, headers={"Authorization": f"Bearer {text}"}).status_code


def stored(client: Client, text: str) -> int:
    data = to_part10_bytes(ct_image())
    headers = {"Authorization": f"Bearer {text}"}
    return client.post("/dicom-web/studies", data, content_type="application/dicom", headers=headers).status_code


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("scope", "read", "store"),
    [
        ("portal:read", 404, 403),
        ("openid portal:store profile", 403, 200),
        ("portal:read portal:store", 404, 200),
        (["portal:all"], 404, 200),
        ("openid read all", 403, 403),
    ],
)
def test_a_token_opens_what_its_scopes_say(
    scope: object, read: int, store: int, cast: Cast, client_of: ClientOf
) -> None:
    text = token(cast.technologist.username, scope)
    assert (asked(client_of(None), text), stored(client_of(None), text)) == (read, store)
    assert asked(client_of(None), token(cast.reader.username, scope, key=EC_KEY, kid="e", algorithm="ES256")) == read


@pytest.mark.usefixtures("provider")
def test_a_token_that_is_not_good_here_is_401_whatever_is_wrong(cast: Cast, client_of: ClientOf) -> None:
    name, client = cast.reader.username, client_of(None)
    good = token(name)
    head, body, signature = good.split(".")
    assert asked(client, good) == 404
    bad = {
        "expired": token(name, exp=time.time() - 60),
        "without an end": token(name, exp=None),
        "not yet": token(name, nbf=time.time() + 300),
        "of another issuer": token(name, iss="https://elsewhere.example"),
        "for somebody else": token(name, aud="another-client"),
        "for nobody": token(name, aud=None),
        "of another key": token(name, key=OTHER_KEY),
        "of a key that is not there": token(name, kid="x"),
        "with the public key as a secret": signed_with_public_key(good),
        "unsigned": jwt.encode(jwt.decode(good, options={"verify_signature": False}), "", algorithm="none"),
        "changed": ".".join((head, body[:-4] + "AAAA", signature)),
        "of nobody here": token("stranger"),
        "without a name": token(name, preferred_username=None),
        "noise": "a.b.c",
        "too long": token(name, padding="x" * 20_000),
    }
    assert {what: asked(client, text) for what, text in bad.items()} == dict.fromkeys(bad, 401)
    type(cast.reader).objects.filter(pk=cast.reader.pk).update(is_active=False)
    assert asked(client, good) == 401


def test_without_a_provider_no_such_token_is_taken(cast: Cast, client_of: ClientOf) -> None:
    assert asked(client_of(None), token(cast.reader.username)) == 401


@pytest.fixture
def served_provider() -> Iterator[tuple[str, list[str]]]:
    """A provider on loopback: where it announces its keys, and the keys."""
    paths: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            address = f"http://127.0.0.1:{self.server.server_port}/keys"  # type: ignore[attr-defined]
            found = {"/.well-known/openid-configuration": {"jwks_uri": address}, "/keys": key_set()}[self.path]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    server.server_close()


def test_keys_are_found_by_discovery_and_kept(
    served_provider: tuple[str, list[str]], settings: Settings, cast: Cast, client_of: ClientOf
) -> None:
    issuer, paths = served_provider
    settings.PORTAL_OIDC_ISSUER, settings.PORTAL_OIDC_AUDIENCE, settings.PORTAL_OIDC_KEYS = issuer, AUDIENCE, ""
    identity_tokens._key_set.cache_clear()
    for _ in range(3):
        assert asked(client_of(None), token(cast.reader.username, iss=issuer)) == 404
    assert paths == ["/.well-known/openid-configuration", "/keys"]
    identity_tokens._key_set.cache_clear()


def test_a_provider_without_an_audience_or_without_tls_is_refused_at_the_start(settings: Settings) -> None:
    settings.PORTAL_OIDC_ISSUER, settings.PORTAL_OIDC_AUDIENCE, settings.IS_DEMO = "http://idp.example", "", False
    words = " ".join(error.msg for error in identity_provider_is_named_whole())
    assert "PORTAL_OIDC_AUDIENCE" in words and "without TLS from http://idp.example" in words
