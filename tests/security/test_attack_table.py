"""Every row of the attack table, judged by the rules as a POST would be."""

import string
import time
import tracemalloc
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest

from shared.core.errors import TokenRefusedError
from shared.core.reasons import Reason
from shared.core.tokens import (
    TokenClaims,
    TokenPolicy,
    read_bearer,
    read_claims,
    read_jws,
    read_key_id,
    verify,
)
from tests.security.attack_kit import Attack, to_json
from tests.security.attacks import all_rows
from tests.simulator.services.signing import APP_ID, TENANT_ID, SigningKey, base64url
from tests.support.rules import KEY, KEY_SET, TOKENS

ROWS = all_rows()
HEADER = base64url(to_json({"alg": "RS256"}))
BASE64URL = f"{string.ascii_letters}{string.digits}-_"
POLICY = TokenPolicy(
    audience=APP_ID,
    issuers=frozenset({"https://api.botframework.com", "https://graph.microsoft.com"}),
)


def judge(token: str) -> TokenClaims:
    """Read and verify a token as a POST's would be."""
    jws = read_jws(read_bearer({"authorization": f"Bearer {token}"}))
    key = KEY_SET.keys.get(read_key_id(jws))
    if key is None:
        raise TokenRefusedError(Reason.SIGNING_KEY_UNKNOWN)
    return read_claims(verify(jws, key), POLICY, now=time.time())


def refusal_of(read: Callable[..., object], *arguments: Any, **more: Any) -> Reason:
    """Return why a function refuses a token, which it must do."""
    with pytest.raises(TokenRefusedError) as refused:
        read(*arguments, **more)
    return refused.value.reason


def test_the_table_has_at_least_two_hundred_rows() -> None:
    names = [row.what for row in ROWS]

    assert len(names) >= 200
    assert len(set(names)) == len(names)


@pytest.mark.requirement("R1", "R2", "R3", "R4", "R5", "R6", "R7")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: ascii(row.what)[1:61])
def test_token(row: Attack) -> None:
    token = row.make(TOKENS)
    if row.verdict is None:
        assert judge(token).tenant_id == TENANT_ID, row.why
    else:
        assert refusal_of(judge, token) is row.verdict, row.why


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("headers", [{}, {"authorization": ""}])
def test_a_request_without_authorization_is_refused(headers: dict[str, str]) -> None:
    assert refusal_of(read_bearer, headers) is Reason.AUTHORIZATION_MISSING


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    "header",
    [
        "Bearer", "Bearer ", "{token}", "Basic {token}", "BearerX {token}",
        "Bearer  {token}", "Bearer\t{token}", "Bearer {token} ",
        "Bearer {token},Bearer {token}", "Bearer {token}, Bearer {token}",
        "Bearer {token} {token}", "Bearer {token}\t", "Basic x,Bearer {token}",
        "\u212aearer {token}",
    ],
)  # fmt: skip
def test_authorization_is_exactly_one_bearer_token(header: str) -> None:
    """The host joins repeated headers by a bare comma."""
    headers = {"authorization": header.replace("{token}", TOKENS.mint())}

    assert refusal_of(read_bearer, headers) is Reason.AUTHORIZATION_MALFORMED


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_ignores_case(scheme: str) -> None:
    """RFC 9110 section 11.1 says so."""
    token = TOKENS.mint()

    assert read_bearer({"authorization": f"{scheme} {token}"}) == token.encode()


@pytest.mark.requirement("R2", "R15")
@pytest.mark.parametrize("bits", ["AA", "AAA", "AAAA"])
def test_a_part_has_one_spelling_whatever_its_last_character(bits: str) -> None:
    """Unused low bits must be zero."""
    for last in BASE64URL:
        part = f"{bits[:-1]}{last}"
        token = f"{HEADER}.e30.{part}".encode()
        if base64url(urlsafe_b64decode(f"{part}==")) == part:
            assert base64url(read_jws(token).signature) == part
        else:
            assert refusal_of(read_jws, token) is Reason.TOKEN_MALFORMED


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("position", [0, 1, 2])
def test_no_character_but_base64urls_own_may_be_anywhere(position: int) -> None:
    """Tolerant decoders skip such characters."""
    for code in range(0x180):
        part = list("AAAA")
        part[position] = chr(code)
        token = f"{HEADER}.e30.{''.join(part)}".encode()
        if chr(code) in BASE64URL:
            assert len(read_jws(token).signature) == 3
        else:
            assert refusal_of(read_jws, token) is Reason.TOKEN_MALFORMED


@pytest.mark.requirement("R4")
def test_headers_of_strangers_leave_little_behind() -> None:
    """Header values are cached, but only a bounded amount of them."""
    lists = ",".join(["[]"] * 230)
    tracemalloc.start()
    try:
        for number in range(100):
            for name in ("x", "kid"):
                header = f'{{"alg":"RS256","y":{number},"{name}":[{lists}]}}'
                read_jws(f"{base64url(header.encode())}.e30.AA".encode())
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 128 * 1024


@pytest.mark.requirement("R7")
@pytest.mark.parametrize("leeway", [-1, 301, 3600])
def test_a_leeway_beyond_five_minutes_is_refused(leeway: int) -> None:
    """The leeway would be longer than a token's life."""
    with pytest.raises(ValueError, match="leeway"):
        TokenPolicy(audience="a", issuers=frozenset(), leeway_seconds=leeway)


@pytest.mark.requirement("R7")
@pytest.mark.parametrize("leeway", [0, 300])
def test_a_leeway_may_be_nothing_and_five_minutes(leeway: int) -> None:
    policy = TokenPolicy(audience="a", issuers=frozenset(), leeway_seconds=leeway)

    assert policy.leeway_seconds == leeway


@pytest.mark.requirement("R7")
def test_a_life_of_one_second_is_long_enough() -> None:
    now = int(time.time())

    assert judge(TOKENS.mint(nbf=now, exp=now + 1)).expires_at == now + 1


@pytest.mark.requirement("R1", "R2")
def test_a_jws_alone_is_verified_whatever_it_says() -> None:
    """Test vectors by other people come in here, with any payload."""
    jws = read_jws(KEY.sign(to_json({"alg": "RS256"}), b"anything").encode())
    other = SigningKey("other").private.public_key()

    assert verify(jws, KEY.private.public_key()) == b"anything"
    assert refusal_of(verify, jws, other) is Reason.SIGNATURE_INVALID


@pytest.mark.requirement("R7")
def test_times_are_judged_to_the_second() -> None:
    """The end is exclusive and the start inclusive, both with the leeway."""
    issuers = frozenset({"https://i"})
    policy = TokenPolicy(audience="a", issuers=issuers, leeway_seconds=10)
    claims = b'{"iss":"https://i","aud":"a","tid":"%s","nbf":1000,"exp":2000}'
    payload = claims % TENANT_ID.encode()

    assert read_claims(payload, policy, now=990).expires_at == 2000
    assert read_claims(payload, policy, now=2009).expires_at == 2000
    early = refusal_of(read_claims, payload, policy, now=989)
    late = refusal_of(read_claims, payload, policy, now=2010)
    assert (early, late) == (Reason.TOKEN_NOT_YET_VALID, Reason.TOKEN_EXPIRED)
