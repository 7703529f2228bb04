"""shared.core.tokens: what a stranger can make a refusal cost."""

import timeit

import pytest

from shared.core.errors import TokenRefusedError
from shared.core.reasons import Reason
from shared.core.tokens import MAX_HEADER_PART_BYTES, MAX_TOKEN_BYTES, read_jws
from tests.simulator.services.signing import base64url
from tests.support.rules import TOKENS

MEMBERS = b'{"alg":"RS256",' + b",".join(b'"%x":[{}]' % n for n in range(900)) + b"}"


def cheapest(token: bytes) -> float:
    """Return the least seconds that a refusal of a token took."""

    def refuse() -> None:
        with pytest.raises(TokenRefusedError):
            read_jws(token)

    return min(timeit.repeat(refuse, number=20, repeat=20))


@pytest.mark.requirement("R4")
def test_a_header_part_has_at_most_1024_characters() -> None:
    members = b'{"alg":"RS256","typ":"JWT","x":"%s"}'
    longest = base64url(members % (b"x" * (768 - len(members) + 2)))
    assert len(longest) == MAX_HEADER_PART_BYTES == 1024
    read_jws(f"{longest}.e30.e30".encode())
    with pytest.raises(TokenRefusedError) as refused:
        read_jws(f"{longest}A.e30.e30".encode())
    assert refused.value.reason is Reason.TOKEN_TOO_LARGE


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (f"{base64url(MEMBERS)}.e30.e30".encode(), Reason.TOKEN_TOO_LARGE),
        (b"." * MAX_TOKEN_BYTES, Reason.TOKEN_MALFORMED),
    ],
    ids=["a header of 12 KB", "nothing but dots"],
)
def test_a_costly_token_is_refused_at_the_price_of_a_plain_one(
    token: bytes, reason: Reason
) -> None:
    """Nothing is decoded, parsed or taken apart in proportion to its size."""
    with pytest.raises(TokenRefusedError) as refused:
        read_jws(token)
    assert refused.value.reason is reason

    plain = TOKENS.mint({"alg": "none"}).encode()
    assert cheapest(token) < 5 * cheapest(plain)
