"""docs/behaviour.md section 3: calls leave a region that cannot answer."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.core.answering_health import Answering
from shared.core.context import LogFacts
from shared.core.items import TakeItems
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from tests.simulator.platform.notifications import batch
from tests.support.rules import HOSTS, build_deployment, decide_on, graph

RULES: list[dict[str, Any]] = [
    {"countryCode": ["SG"], "regions": ["sea", "weu"]},
    {"countryCode": ["IE"], "regions": ["weu", "neu"]},
    {"countryCode": ["CH"], "regions": ["weu", "neu"], "strict": True},
    {"countryCode": ["LI"], "regions": ["weu"], "strict": True},
]


def outcome(
    *countries: str,
    sick: Sequence[str] = (),
    answering: Answering = "failing",
    own: str = "weu",
    **request: Any,
) -> tuple[str, str]:
    """Return region and reason of a redirect, or that the calls stay."""
    deployment = build_deployment(
        rules=RULES,
        unhealthy=sick,
        own_region=own,
        own_answering=lambda: answering,
    )
    items = [graph(country)["value"][0] for country in countries]
    decision = decide_on(deployment, batch(*items), **request)
    if isinstance(decision, RedirectTo):
        return decision.region, decision.reason.value
    assert isinstance(decision, TakeItems)
    return "stays", ""


def test_there_are_three_regions_in_this_order() -> None:
    assert list(HOSTS) == ["weu", "sea", "neu"]


def test_a_call_without_a_rule_goes_to_the_next_healthy_region() -> None:
    assert outcome("DE") == ("sea", "evacuated")
    assert outcome("DE", sick=["sea"]) == ("neu", "evacuated")
    assert outcome("DE", own="neu") == ("weu", "evacuated")
    assert outcome("DE", own="sea", sick=["neu"]) == ("weu", "evacuated")


def test_a_call_with_a_rule_goes_to_another_region_of_it_first() -> None:
    assert outcome("IE") == ("neu", "evacuated")
    assert outcome("SG", sick=["sea"]) == ("neu", "evacuated")


def test_what_the_rules_send_elsewhere_is_redirected() -> None:
    assert outcome("SG") == ("sea", "redirected")


@pytest.mark.parametrize("answering", ["ok", "unknown"])
def test_otherwise_calls_stay(answering: Answering) -> None:
    assert outcome("DE", answering=answering) == ("stays", "")


def test_without_another_healthy_region_calls_stay() -> None:
    facts = LogFacts()
    assert outcome("DE", sick=["neu", "sea"], facts=facts) == ("stays", "")
    assert Reason.REGION_UNHEALTHY not in facts.notes


def test_a_call_that_was_redirected_already_stays() -> None:
    """There is no ping-pong."""
    assert outcome("DE", query="?hop=1") == ("stays", "")


def test_a_strict_call_leaves_only_for_another_region_of_its_rule() -> None:
    assert outcome("CH") == ("neu", "evacuated")
    assert outcome("CH", sick=["neu"]) == ("stays", "")
    assert outcome("LI") == ("stays", "")


def test_calls_that_would_go_to_different_regions_stay_together() -> None:
    assert outcome("DE", "SG") == ("sea", "evacuated")
    assert outcome("DE", "IE") == ("stays", "")
    assert outcome("SG", "IE") == ("stays", "")
