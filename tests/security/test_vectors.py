"""Vectors that nobody here wrote: JWS and keys, JSON, naughty strings."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.core.context import LogFacts
from shared.core.decisions import AskForGraph, decide
from shared.core.errors import TokenRefusedError, WebhookError
from shared.core.key_sets import KeySet, read_signing_key
from shared.core.replies import reply_to
from shared.core.strict_json import read_object
from shared.core.tokens import (
    TokenPolicy,
    read_claims,
    read_jws,
    verify,
)
from shared.core.webhook import Correlation, WebhookRequest
from tests.simulator.platform.notifications import Call, incoming
from tests.simulator.services.signing import TENANT_ID, TokenFactory, base64url
from tests.support.jws import verify_compact_jws
from tests.support.rules import build_deployment, build_request, key_set_of

# Keys of one weak generator (ROCA, CVE-2017-15361). No library here tells them from
# others, and keys come from the pinned provider only.
ROCA = {("wycheproof/json_web_crypto_test.json", 46)}


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> Path:
    """The folder of the vectors."""
    return shared_data / "vectors"


def _key_of(vector: dict[str, Any]) -> RSAPublicKey | None:
    if "pem" in vector:
        key = load_pem_public_key(vector["pem"].encode())
        return key if isinstance(key, RSAPublicKey) else None
    public = {k: v for k, v in vector["jwk"].items() if k not in _PRIVATE}
    return read_signing_key(public)


# Vectors give the whole key pair; what a provider publishes is the public half.
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


def _is_accepted(vector: dict[str, Any]) -> bool:
    key, jws = _key_of(vector), vector["jws"]
    if key is None or not isinstance(jws, str):
        return False
    try:
        verify_compact_jws(jws.encode(), key)
    except TokenRefusedError:
        return False
    return True


@pytest.mark.requirement("R1", "R2", "R9")
def test_482_rs256_vectors_are_judged_as_they_should_be(vectors: Path) -> None:
    """Only the signature is checked, not the claims; there is one exception."""
    rows = json.loads((vectors / "rs256_vectors.json").read_bytes())
    wrong = {
        (row["source"], row["id"])
        for row in rows
        if _is_accepted(row) is not (row["want"] == "accept")
    }

    assert len(rows) == 482
    assert wrong == ROCA


@pytest.mark.requirement("R9")
def test_key_vectors_of_wycheproof_are_vetted(vectors: Path) -> None:
    """They are RSA keys that must not verify any signature."""
    path = vectors / "wycheproof" / "json_web_key_test.json"
    groups = json.loads(path.read_bytes())["testGroups"]
    judged = 0
    for group in groups:
        keys = group.get("public", group["private"])
        members = keys.get("keys", [keys])
        rsa = [member for member in members if member.get("kty") == "RSA"]
        for member in rsa:
            key = read_signing_key(
                {k: v for k, v in member.items() if k not in _PRIVATE}
            )
            for test in group["tests"]:
                judged += 1
                if "roca" in group["comment"].lower() or key is None:
                    continue
                try:
                    verify_compact_jws(test["jws"].encode(), key)
                    is_accepted = True
                except TokenRefusedError:
                    is_accepted = False
                if len(members) == 1:
                    assert is_accepted is (test["result"] == "valid"), group["comment"]

    assert judged >= 6


@pytest.mark.requirement("R1")
def test_raw_signatures_of_wycheproof_are_verified(
    vectors: Path, tokens: TokenFactory
) -> None:
    """They are 259 good and forged PKCS #1 v1.5 paddings."""
    path = vectors / "wycheproof" / "rsa_signature_2048_sha256_test.json"
    judged = 0
    for group in json.loads(path.read_bytes())["testGroups"]:
        key = load_pem_public_key(group["publicKeyPem"].encode())
        assert isinstance(key, RSAPublicKey)
        shape = read_jws(tokens.mint().encode())
        for test in group["tests"]:
            message, signature = map(bytes.fromhex, (test["msg"], test["sig"]))
            jws = shape._replace(signing_input=message, signature=signature)
            try:
                verify(jws, key)
                is_accepted = True
            except TokenRefusedError:
                is_accepted = False
            if test["result"] != "acceptable":
                assert is_accepted is (test["result"] == "valid"), test["comment"]
            judged += 1

    assert judged == 259


def _status(request: WebhookRequest, key_set: KeySet) -> int:
    deployment = build_deployment(
        key_set, rules=[{"countryCode": ["x"], "regions": ["sea"]}]
    )
    try:
        asyncio.run(decide(request, deployment, LogFacts()))
    except WebhookError as error:
        return int(error.status)
    return 0


@pytest.mark.requirement("R5", "R16", "R23")
def test_json_test_suite_as_bodies_and_as_parts_of_tokens(
    vectors: Path, tokens: TokenFactory
) -> None:
    """318 files get documented statuses only, and no token is accepted."""
    key_set = key_set_of(tokens.key)
    paths = sorted((vectors / "jsontestsuite" / "test_parsing").glob("*.json"))
    header = json.dumps(tokens.header()).encode()
    claims = json.dumps(tokens.claims()).encode()
    for path in paths:
        data = path.read_bytes()
        assert _status(build_request(tokens, data), key_set) in {0, 400}, path.name
        for parts in ((data, claims), (header, data)):
            request = build_request(tokens.key.sign(*parts), {"value": []})
            assert _status(request, key_set) == 401, path.name

    assert len(paths) == 318


def _naughty(vectors: Path) -> list[str]:
    strings: list[str] = json.loads((vectors / "blns" / "blns.json").read_bytes())
    return strings


@pytest.mark.requirement("R20", "R21", "R23")
def test_naughty_strings_in_every_text_field(
    vectors: Path, tokens: TokenFactory
) -> None:
    """All are decided, and only plain ones become call ids."""
    key_set = key_set_of(tokens.key)
    for text in _naughty(vectors):
        body = incoming(Call(tenant_id=TENANT_ID), "https://b")
        (item,) = body["value"]
        data = item["resourceData"]
        item["changeType"] = data["state"] = data["id"] = data["tenantId"] = text
        data["source"] = {"countryCode": text, "region": text}
        data["applicationMetadata"] = {"botData": {"mediaHostedRegion": text}}
        assert _status(build_request(tokens, body), key_set) == 0
        item["resource"] = item["resourceUrl"] = f"/app/calls/{text}"
        assert _status(build_request(tokens, body), key_set) == 0
        item["@odata.type"] = data["@odata.type"] = body["@odata.type"] = text
        assert _status(build_request(tokens, body), key_set) == 0


@pytest.mark.requirement("R16", "R18", "R20")
def test_naughty_strings_in_every_header(vectors: Path, tokens: TokenFactory) -> None:
    """No reply has an unsafe value, and no token is accepted."""
    key_set = key_set_of(tokens.key)
    names = (
        "x-microsoft-skype-message-id",
        "x-microsoft-skype-chain-id",
        "scenario-id",
        "x-microsoft-skype-caller-region",
        "ms-teams-region",
    )
    for text in _naughty(vectors):
        headers = dict.fromkeys(names, text)
        body = incoming(Call(tenant_id=TENANT_ID), "https://b")
        assert _status(build_request(tokens, body, headers=headers), key_set) == 0
        for value in reply_to(AskForGraph(), Correlation.of(headers)).headers.values():
            assert value.isascii()
            assert value.isprintable()
        for bearer in (
            text,
            f"Bearer {text}",
            f"Bearer {base64url(text.encode())}.e.e",
        ):
            request = build_request(None, {}, headers={"authorization": bearer})
            assert _status(request, key_set) == 401


@pytest.mark.requirement("R6")
def test_the_documentation_pages_claims_are_accepted_in_their_time(
    shared_data: Path,
) -> None:
    """The token lives 3900 s and has the claim iat."""
    payload = (shared_data / "payloads" / "tokens" / "seed_claims.json").read_bytes()
    claims = read_object(payload)
    policy = TokenPolicy(audience=claims["aud"], issuers=frozenset({claims["iss"]}))

    assert (
        read_claims(payload, policy, now=claims["iat"] + 60).tenant_id == claims["tid"]
    )
