"""shared.core.authentication: when keys are asked for, and what waits for them."""

import asyncio

import pytest

from shared.core.decisions import Accept
from shared.core.errors import KeysUnavailableError, TokenRefusedError
from shared.core.tokens import read_bearer, read_jws, read_key_id
from shared.edge.signing_keys import FRESH_SECONDS, OVERDUE_SECONDS
from tests.security.attacks import all_rows
from tests.support.keys import Keys, settle
from tests.support.rules import KEY_SET, TOKENS, FakeKeys, build_deployment, decide_on


def is_refused_without_a_key(headers: dict[str, str]) -> bool:
    """Tell whether a token is refused before a key is looked up."""
    try:
        read_key_id(read_jws(read_bearer(headers)))
    except TokenRefusedError:
        return True
    return False


@pytest.mark.requirement("R1", "R2", "R3", "R4", "R18")
@pytest.mark.parametrize("age", [None, FRESH_SECONDS, OVERDUE_SECONDS])
def test_what_can_be_refused_without_a_key_causes_no_fetch(
    age: float | None, cold: Keys
) -> None:
    """It is 401 whether no keys are held, a refresh would be due, or is overdue."""
    if age is not None:
        asyncio.run(cold.load(timeout_seconds=10.0))
        cold.clock.now += age
    fetches = cold.provider.fetches
    deployment = build_deployment(keys=cold)
    headers = [{"authorization": f"Bearer {row.make(TOKENS)}"} for row in all_rows()]
    hopeless = [sent for sent in headers if is_refused_without_a_key(sent)]
    for sent in [{}, *hopeless]:
        refusal = decide_on(deployment, token=None, headers=sent)
        assert isinstance(refusal, TokenRefusedError), sent
    settle(cold)

    assert len(hopeless) > 100
    assert cold.provider.fetches == fetches


def test_a_remembered_token_lets_the_keys_be_kept_fresh() -> None:
    """Else a process that sees the same token again and again would never do it."""
    keys, token = FakeKeys(KEY_SET), TOKENS.mint()
    deployment = build_deployment(keys=keys)
    for _ in range(3):
        assert isinstance(decide_on(deployment, {"value": []}, token=token), Accept)

    assert len(keys.asked) == 1
    assert keys.refreshes == 2


@pytest.mark.requirement("R13", "R15")
def test_a_remembered_token_waits_where_no_keys_may_serve() -> None:
    """Its key may have been withdrawn meanwhile."""
    keys, token = FakeKeys(KEY_SET), TOKENS.mint()
    deployment = build_deployment(keys=keys)
    assert isinstance(decide_on(deployment, {"value": []}, token=token), Accept)
    keys.key_set = None

    refusal = decide_on(deployment, {"value": []}, token=token)
    assert isinstance(refusal, KeysUnavailableError)
