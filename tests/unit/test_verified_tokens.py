"""Tokens that were verified a moment ago."""

import pytest

from shared.core.key_sets import KeySet
from shared.core.tokens import TokenClaims
from shared.core.verified_tokens import MAX_ENTRIES, VerifiedTokens, digest_of

CLAIMS = TokenClaims(tenant_id="t", expires_at=1_000, not_before=700)
SET = KeySet({})
TOKEN = digest_of(b"token")


@pytest.fixture
def verified() -> VerifiedTokens:
    """A memory with one token, and 10 s of leeway."""
    verified = VerifiedTokens(leeway_seconds=10)
    verified.remember(TOKEN, SET, CLAIMS)
    return verified


@pytest.mark.requirement("R15")
def test_a_token_is_known_until_it_ends(verified: VerifiedTokens) -> None:
    """The end is checked every time, with the leeway."""
    assert verified.find(TOKEN, SET, now=1_009) == CLAIMS
    assert verified.find(TOKEN, SET, now=1_010) is None
    assert verified.find(TOKEN, SET, now=0) is None


@pytest.mark.requirement("R10", "R15")
def test_a_new_key_set_forgets_everything(verified: VerifiedTokens) -> None:
    """A withdrawn key's tokens end with it, even if the new set is equal."""
    assert verified.find(TOKEN, KeySet({}), now=0) is None
    assert verified.find(TOKEN, SET, now=0) is None


@pytest.mark.requirement("R15")
def test_remembering_with_a_new_key_set_starts_anew(verified: VerifiedTokens) -> None:
    other = KeySet({})
    verified.remember(digest_of(b"other"), other, CLAIMS)

    assert verified.find(digest_of(b"other"), other, now=0) == CLAIMS
    assert verified.find(TOKEN, other, now=0) is None


@pytest.mark.requirement("R15")
def test_the_memory_is_bounded(verified: VerifiedTokens) -> None:
    """The oldest token is dropped first."""
    for number in range(MAX_ENTRIES):
        verified.remember(digest_of(b"%d" % number), SET, CLAIMS)

    assert verified.find(TOKEN, SET, now=0) is None
    assert verified.find(digest_of(b"0"), SET, now=0) == CLAIMS


@pytest.mark.requirement("R15")
def test_every_character_of_a_token_counts() -> None:
    texts = [b"a", b"b", b"a.", b"a. ", b"A", b""]

    assert len({digest_of(text) for text in texts}) == len(texts)
