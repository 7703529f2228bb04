"""A bounded run of fuzzing, and everything that long runs left in the corpus.

The long run is ``make fuzz``.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.reasons import Reason
from tests.property.fuzz import Judge, judges, read_corpus
from tests.property.fuzz_inputs import MAKERS, Recipe, body_recipe, inputs, token_recipe
from tests.property.fuzz_targets import OUTCOMES

CASES = [(target, *row) for target in MAKERS for row in read_corpus(target)]
# A header that is missing, or longer than the corpus should keep: the attack table.
NOT_IN_CORPUS = {Reason.AUTHORIZATION_MISSING, Reason.TOKEN_TOO_LARGE}


@pytest.fixture(scope="module")
def judge_by_target() -> Iterator[dict[str, Judge]]:
    """Load the app into the worker library once."""
    with judges() as by_target:
        yield by_target


@pytest.mark.requirement("R16", "R17", "R18", "R20", "R23", "R27")
@pytest.mark.parametrize("target", MAKERS)
@given(data=st.data())
def test_whatever_comes_in_a_promise_is_kept(
    judge_by_target: dict[str, Judge], target: str, data: st.DataObject
) -> None:
    """Targets raise if the product breaks what docs/behaviour.md promises."""
    judge_by_target[target](data.draw(inputs(target)))


@pytest.mark.requirement("R16")
@pytest.mark.parametrize(
    ("target", "make"), [("token", token_recipe), ("body", body_recipe)]
)
def test_a_thousand_mutants_of_each_kind(target: str, make: Judge) -> None:
    """One seed makes tokens and bodies; ``make fuzz`` takes 200,000 of each."""
    found: Counter[str] = Counter()
    for number in range(1000):
        found[OUTCOMES[target](make(Random(number)))] += 1  # type: ignore[arg-type]

    assert len(found) > 10
    assert found.total() == 1000


@pytest.mark.requirement("R16", "R23")
@pytest.mark.parametrize(
    ("target", "outcome", "recipe"),
    CASES,
    ids=[f"{target}: {outcome}"[:80] for target, outcome, _recipe in CASES],
)
def test_the_corpus_ends_as_it_did(
    judge_by_target: dict[str, Judge], target: str, outcome: str, recipe: Recipe
) -> None:
    """Each is the smallest input that a long run found for its outcome.

    Of a problem with a setting only the name is compared, not the sentence.
    """
    found = judge_by_target[target](recipe)

    assert found.split(":")[0] == outcome.split(":", maxsplit=1)[0]


def test_the_corpus_has_every_way_to_refuse_a_token() -> None:
    """Fuzzing that always stops at the first check would prove little."""
    kept = {outcome.split(" ")[1] for outcome, _recipe in read_corpus("token")}
    reasons = [reason for reason in Reason if _is_of_token(reason)]

    assert {*reasons} - kept == NOT_IN_CORPUS


def _is_of_token(reason: Reason) -> bool:
    names = ("AUTHORIZATION_", "TOKEN_", "SIGN", "CLAIMS_", "ISSUER_", "AUDIENCE_")
    is_named = reason.name.startswith((*names, "TENANT_MISSING"))
    return is_named and reason is not Reason.SIGNING_KEYS_NONE
