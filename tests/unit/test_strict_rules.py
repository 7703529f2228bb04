"""Strict region rules: calls that may never be taken outside of their regions."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from shared.core.answers import AnswerCalls
from shared.core.context import LogFacts
from shared.core.decisions import Accept, Decision, decide
from shared.core.key_sets import KeySet
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.settings import read_settings
from tests.simulator.platform.notifications import Call, batch, incoming, item
from tests.simulator.services.signing import TENANT_ID, TokenFactory
from tests.support.rules import (
    FakePeers,
    build_deployment,
    build_request,
    call_from,
    graph,
)
from tests.support.service import Make, ScriptedNeighbours, receive

# This deployment is region weu.
RULES = [
    {"countryCode": ["SG"], "regions": ["sea", "neu"], "strict": True},
    {"countryCode": ["DE"], "regions": ["sea", "weu"], "strict": True},
    {"countryCode": ["IE"], "regions": ["neu"], "strict": False},
]


@pytest.fixture
def decide_on(tokens: TokenFactory, key_set: KeySet) -> Any:
    """Decide on a batch of calls from these countries."""

    def run(
        *countries: str,
        sick: Sequence[str] = (),
        query: str = "",
        facts: LogFacts | None = None,
        **changes: Any,
    ) -> Decision:
        context = build_deployment(
            key_set, rules=RULES, peers=FakePeers(*sick), **changes
        )
        request = build_request(tokens, graph(*countries), query=query)
        return asyncio.run(decide(request, context, facts or LogFacts()))

    return run


def barred_and_answered(decision: Decision) -> tuple[int, int]:
    """Return how many calls are left alone, and how many are answered."""
    assert isinstance(decision, AnswerCalls)
    return len(decision.barred), len(decision.calls)


def test_a_strict_call_goes_to_the_first_healthy_region_of_its_rule(
    decide_on: Any,
) -> None:
    assert decide_on("SG").region == "sea"
    assert decide_on("SG", sick=["sea"]).region == "neu"
    assert decide_on("DE").region == "sea"


def test_a_strict_call_is_not_taken_here_where_its_regions_are_unhealthy(
    decide_on: Any,
) -> None:
    """Without strict it would be."""
    facts = LogFacts()

    decision = decide_on("SG", sick=["sea", "neu"], facts=facts)

    assert barred_and_answered(decision) == (1, 0)
    assert Reason.REGION_UNHEALTHY in facts.notes
    assert barred_and_answered(decide_on("IE", sick=["neu"])) == (0, 1)


def test_the_own_region_can_always_take_a_strict_call_that_names_it(
    decide_on: Any,
) -> None:
    assert barred_and_answered(decide_on("DE", sick=["sea"])) == (0, 1)
    assert barred_and_answered(decide_on("DE", query="?hop=1")) == (0, 1)


def test_a_strict_call_that_was_redirected_to_a_wrong_region_is_not_taken(
    decide_on: Any,
) -> None:
    """The rules of the regions differ, and there is no second redirect."""
    assert barred_and_answered(decide_on("SG", query="?hop=1")) == (1, 0)
    assert barred_and_answered(decide_on("IE", query="?hop=1")) == (0, 1)


def test_a_strict_call_is_not_taken_where_answering_is_off_either(
    decide_on: Any,
) -> None:
    """A 202 would tell the platform that the call is taken."""
    off = {"answers_calls": False}

    assert barred_and_answered(decide_on("SG", sick=["sea", "neu"], **off)) == (1, 0)
    assert isinstance(decide_on("DE", sick=["sea"], **off), Accept)
    assert isinstance(decide_on("SG", **off), RedirectTo)


@pytest.mark.parametrize("countries", [["SG", "IE"], ["IE", "SG"]])
def test_calls_of_different_regions_are_handled_here_but_for_strict_ones(
    decide_on: Any, countries: list[str]
) -> None:
    """A redirect would take all of them to one region."""
    assert barred_and_answered(decide_on(*countries)) == (1, 1)


def test_strict_calls_that_all_belong_to_one_region_are_redirected_together(
    decide_on: Any,
) -> None:
    assert decide_on("SG", "DE", "SG").region == "sea"


def test_a_strict_call_beside_a_follow_up_is_not_taken(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """A batch with a follow-up is never redirected, however healthy the regions."""
    call = call_from("SG")
    body = batch(*incoming(call, "https://b")["value"], item(call, "deleted", "over"))
    context = build_deployment(key_set, rules=RULES)

    decision = asyncio.run(decide(build_request(tokens, body), context, LogFacts()))

    assert barred_and_answered(decision) == (1, 0)


def test_a_strict_call_on_the_callback_route_is_accepted(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """Incoming calls are taken nowhere on that route."""
    context = build_deployment(key_set, rules=RULES)
    request = build_request(tokens, graph("SG"), partition="default")

    decision = asyncio.run(decide(request, context, LogFacts()))

    assert isinstance(decision, Accept)


ONLY_SEA = {
    "CALLING_REGION": "weu",
    "CALLING_REGION_HOSTS": '{"weu": "weu.example", "sea": "127.0.0.1:1"}',
    "CALLING_REGION_RULES": json.dumps(
        [{"countryCode": ["SG"], "regions": ["sea"], "strict": True}]
    ),
}


def last_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return the level and the fields of the last request's line."""
    [*_, record] = [r for r in caplog.records if '"notification.handled"' in r.message]
    return {"level": record.levelno, **json.loads(record.message)}


def test_the_reply_is_503_and_the_reason_says_which_region_is_required(
    neighbours: ScriptedNeighbours, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Region sea is not there, so the call has to come again; Graph is not asked."""
    service = make(**ONLY_SEA)
    call = Call(tenant_id=TENANT_ID, country_code="SG")

    got = receive(
        service, neighbours.post(incoming(call, "https://weu.example/api/calls"))
    )

    assert (got.status, got.headers["Retry-After"]) == (503, "1")
    line = last_line(caplog)
    assert (line["level"], line["reason"]) == (logging.ERROR, "region-required")
    assert line["next_step"] == Reason.REGION_REQUIRED.cure
    assert line["call_id"] == call.call_id
    assert neighbours.graph.requests == []
    assert neighbours.entra.requests == []


def test_the_other_calls_of_a_batch_are_answered_and_the_strict_one_is_listed(
    neighbours: ScriptedNeighbours, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    strict, other = (
        Call(tenant_id=TENANT_ID, country_code=country) for country in ("SG", "DE")
    )
    items = [incoming(call, "https://b")["value"][0] for call in (strict, other)]

    got = receive(make(**ONLY_SEA), neighbours.post(batch(*items)))

    assert (got.status, got.headers["Retry-After"]) == (503, "1")
    [request] = neighbours.graph.requests
    assert other.call_id in request.target
    reasons = {one["call_id"]: one["reason"] for one in last_line(caplog)["items"]}
    assert reasons == {strict.call_id: "region-required", other.call_id: "answered"}


@pytest.mark.parametrize(("value", "is_strict"), [(True, True), (False, False)])
def test_strict_is_read(value: object, is_strict: bool) -> None:
    report = read_settings(with_rule(regions=["weu"], strict=value))

    assert report.settings is not None
    assert report.settings.region_rules[0].is_strict is is_strict


@pytest.mark.parametrize("value", ["true", 1, 0, None, [], ["weu"], {}])
def test_any_other_value_of_strict_is_a_problem(value: object) -> None:
    report = read_settings(with_rule(regions=["weu"], strict=value))

    assert report.problems == (
        "CALLING_REGION_RULES: rule 1 must have true or false for strict.",
    )


def with_rule(**rule: object) -> dict[str, str]:
    """Return settings of region weu with one rule."""
    return {
        "MicrosoftAppId": "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10",
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": '{"weu": "weu.example"}',
        "CALLING_REGION_RULES": json.dumps([rule]),
    }
