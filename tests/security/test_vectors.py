"""Vectors that nobody here wrote: JWS and keys, JSON, naughty strings."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.core.decisions import AskForGraph
from shared.core.errors import TokenRefusedError, WebhookError
from shared.core.key_sets import read_signing_key
from shared.core.replies import reply_to
from shared.core.strict_json import read_object
from shared.core.tokens import Jws, TokenPolicy, read_claims, read_jws, verify
from shared.core.webhook import Correlation
from tests.simulator.platform.notifications import incoming
from tests.simulator.services.signing import base64url
from tests.support.rules import KEY, TOKENS, build_deployment, call_from, decide_on

# Keys of one weak generator (ROCA, CVE-2017-15361). No library here tells them from
# others, and keys come from the pinned provider only.
ROCA = {("wycheproof/json_web_crypto_test.json", 46)}
# Vectors give the whole key pair; what a provider publishes is the public half.
PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}
DEPLOYMENT = build_deployment(rules=[{"countryCode": ["x"], "regions": ["sea"]}])


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> Path:
    return shared_data / "vectors"


def read_public_half(jwk: dict[str, Any]) -> RSAPublicKey | None:
    return read_signing_key({k: v for k, v in jwk.items() if k not in PRIVATE})


def read_pem(text: str) -> RSAPublicKey | None:
    key = load_pem_public_key(text.encode())
    return key if isinstance(key, RSAPublicKey) else None


def is_accepted(jws: Any, key: RSAPublicKey | None) -> bool:
    """Tell whether a key verifies a JWS, which is compact or read already."""
    if key is None or not isinstance(jws, str | Jws):
        return False
    try:
        verify(read_jws(jws.encode()) if isinstance(jws, str) else jws, key)
    except TokenRefusedError:
        return False
    return True


def status_of_refusal(body: object, **request: Any) -> int:
    """Return the status that a POST is refused with; 0 where it is not refused."""
    outcome = decide_on(DEPLOYMENT, body, **request)
    return int(outcome.status) if isinstance(outcome, WebhookError) else 0


@pytest.mark.requirement("R1", "R2", "R9")
def test_482_rs256_vectors_are_judged_as_they_should_be(vectors: Path) -> None:
    """Only the signature is checked, not the claims; there is one exception."""
    rows = json.loads((vectors / "rs256_vectors.json").read_bytes())
    wrong = set()
    for row in rows:
        key = read_pem(row["pem"]) if "pem" in row else read_public_half(row["jwk"])
        if is_accepted(row["jws"], key) is not (row["want"] == "accept"):
            wrong.add((row["source"], row["id"]))

    assert len(rows) == 482
    assert wrong == ROCA


@pytest.mark.requirement("R9")
def test_key_vectors_of_wycheproof_are_vetted(vectors: Path) -> None:
    """They are RSA keys that must not verify any signature."""
    path = vectors / "wycheproof" / "json_web_key_test.json"
    judged = 0
    for group in json.loads(path.read_bytes())["testGroups"]:
        keys = group.get("public", group["private"])
        members = keys.get("keys", [keys])
        for member in members:
            if member.get("kty") != "RSA":
                continue
            key = read_public_half(member)
            for test in group["tests"]:
                judged += 1
                if key is None or "roca" in group["comment"].lower():
                    continue
                is_right = is_accepted(test["jws"], key) is (test["result"] == "valid")
                assert is_right or len(members) > 1, group["comment"]

    assert judged >= 6


@pytest.mark.requirement("R1")
def test_raw_signatures_of_wycheproof_are_verified(vectors: Path) -> None:
    """They are 259 good and forged PKCS #1 v1.5 paddings."""
    path = vectors / "wycheproof" / "rsa_signature_2048_sha256_test.json"
    shape = read_jws(TOKENS.mint().encode())
    judged = 0
    for group in json.loads(path.read_bytes())["testGroups"]:
        key = read_pem(group["publicKeyPem"])
        assert key is not None
        for test in group["tests"]:
            judged += 1
            message, signature = map(bytes.fromhex, (test["msg"], test["sig"]))
            jws = shape._replace(signing_input=message, signature=signature)
            is_right = is_accepted(jws, key) is (test["result"] == "valid")
            assert is_right or test["result"] == "acceptable", test["comment"]

    assert judged == 259


@pytest.mark.requirement("R5", "R16", "R23")
def test_json_test_suite_as_bodies_and_as_parts_of_tokens(vectors: Path) -> None:
    """318 files get documented statuses only, and no token is accepted."""
    paths = sorted((vectors / "jsontestsuite" / "test_parsing").glob("*.json"))
    header, claims = (
        json.dumps(part).encode() for part in (TOKENS.header(), TOKENS.claims())
    )
    for path in paths:
        data = path.read_bytes()
        assert status_of_refusal(data) in {0, 400}, path.name
        for parts in ((data, claims), (header, data)):
            token = KEY.sign(*parts)
            assert status_of_refusal({"value": []}, token=token) == 401, path.name

    assert len(paths) == 318


def naughty_strings(vectors: Path) -> list[str]:
    strings: list[str] = json.loads((vectors / "blns" / "blns.json").read_bytes())
    return strings


@pytest.mark.requirement("R20", "R21", "R23")
def test_naughty_strings_in_every_text_field(vectors: Path) -> None:
    for text in naughty_strings(vectors):
        body = incoming(call_from("DE"), "https://b")
        (item,) = body["value"]
        data = item["resourceData"]
        item["changeType"] = data["state"] = data["id"] = data["tenantId"] = text
        data["source"] = {"countryCode": text, "region": text}
        data["applicationMetadata"] = {"botData": {"mediaHostedRegion": text}}
        assert status_of_refusal(body) == 0
        item["resource"] = item["resourceUrl"] = f"/app/calls/{text}"
        assert status_of_refusal(body) == 0
        item["@odata.type"] = data["@odata.type"] = body["@odata.type"] = text
        assert status_of_refusal(body) == 0


@pytest.mark.requirement("R16", "R18", "R20")
def test_naughty_strings_in_every_header(vectors: Path) -> None:
    names = (
        "x-microsoft-skype-message-id",
        "x-microsoft-skype-chain-id",
        "scenario-id",
        "x-microsoft-skype-caller-region",
        "ms-teams-region",
    )
    body = incoming(call_from("DE"), "https://b")
    for text in naughty_strings(vectors):
        headers = dict.fromkeys(names, text)
        assert status_of_refusal(body, headers=headers) == 0
        for value in reply_to(AskForGraph(), Correlation.of(headers)).headers.values():
            assert value.isascii()
            assert value.isprintable()
        for bearer in (
            text,
            f"Bearer {text}",
            f"Bearer {base64url(text.encode())}.e.e",
        ):
            forged = {"authorization": bearer}
            assert status_of_refusal({}, token=None, headers=forged) == 401


@pytest.mark.requirement("R6")
def test_the_documentation_pages_claims_are_accepted_in_their_time(
    shared_data: Path,
) -> None:
    """The token lives 3900 s and has the claim iat."""
    payload = (shared_data / "payloads" / "tokens" / "seed_claims.json").read_bytes()
    claims = read_object(payload)
    policy = TokenPolicy(audience=claims["aud"], issuers=frozenset({claims["iss"]}))

    accepted = read_claims(payload, policy, now=claims["iat"] + 60)
    assert accepted.tenant_id == claims["tid"]
