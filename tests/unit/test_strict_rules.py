"""Strict region rules: calls that may never be taken outside of their regions."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from shared.core.context import LogFacts
from shared.core.decisions import Accept
from shared.core.items import TakeItems
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.settings import read_settings
from tests.simulator.platform.notifications import batch, incoming, item
from tests.simulator.services.signing import APP_ID
from tests.support.rules import build_deployment, call_from, decide_on, graph
from tests.support.service import Make, ScriptedNeighbours, receive

# This deployment is region weu.
RULES = [
    {"countryCode": ["SG"], "regions": ["sea", "neu"], "strict": True},
    {"countryCode": ["DE"], "regions": ["sea", "weu"], "strict": True},
    {"countryCode": ["IE"], "regions": ["neu"], "strict": False},
]


def outcome(
    *calls: str | dict[str, Any],
    sick: Sequence[str] = (),
    answers: bool = True,
    **request: Any,
) -> object:
    """Decide on calls from these countries, and on other items.

    Returns:
        The region of a redirect, or how many calls are left alone and how many
        answered, or the decision.
    """
    deployment = build_deployment(rules=RULES, unhealthy=sick, answers_calls=answers)
    items = [graph(c)["value"][0] if isinstance(c, str) else c for c in calls]
    match decide_on(deployment, batch(*items), **request):
        case RedirectTo(region):
            return region
        case TakeItems(calls=answered, barred=barred):
            return len(barred), len(answered)
        case decision:
            return decision


def test_a_strict_call_goes_to_the_first_healthy_region_of_its_rule() -> None:
    assert outcome("SG") == "sea"
    assert outcome("SG", sick=["sea"]) == "neu"
    assert outcome("DE") == "sea"


def test_a_strict_call_is_not_taken_here_where_its_regions_are_unhealthy() -> None:
    """Without strict it would be."""
    facts = LogFacts()

    assert outcome("SG", sick=["sea", "neu"], facts=facts) == (1, 0)
    assert Reason.REGION_UNHEALTHY in facts.notes
    assert outcome("IE", sick=["neu"]) == (0, 1)


def test_the_own_region_can_always_take_a_strict_call_that_names_it() -> None:
    assert outcome("DE", sick=["sea"]) == (0, 1)
    assert outcome("DE", query="?hop=1") == (0, 1)


def test_a_strict_call_that_was_redirected_to_a_wrong_region_is_not_taken() -> None:
    """The rules of the regions differ, and there is no second redirect."""
    assert outcome("SG", query="?hop=1") == (1, 0)
    assert outcome("IE", query="?hop=1") == (0, 1)


def test_a_strict_call_is_not_taken_where_answering_is_off_either() -> None:
    """A 202 would tell the platform that the call is taken."""
    assert outcome("SG", sick=["sea", "neu"], answers=False) == (1, 0)
    assert isinstance(outcome("DE", sick=["sea"], answers=False), Accept)
    assert outcome("SG", answers=False) == "sea"


@pytest.mark.parametrize("countries", [["SG", "IE"], ["IE", "SG"]])
def test_calls_of_different_regions_are_handled_here_but_for_strict_ones(
    countries: list[str],
) -> None:
    """A redirect would take all of them to one region."""
    assert outcome(*countries) == (1, 1)


def test_strict_calls_that_all_belong_to_one_region_are_redirected_together() -> None:
    assert outcome("SG", "DE", "SG") == "sea"


def test_a_strict_call_beside_a_follow_up_is_not_taken() -> None:
    """A batch with a follow-up is never redirected, however healthy the regions."""
    assert outcome("SG", item(call_from("SG"), "deleted", "over")) == (1, 0)


def test_a_strict_call_on_the_callback_route_is_accepted() -> None:
    """Incoming calls are taken nowhere on that route."""
    assert isinstance(outcome("SG", partition="default"), Accept)


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


@pytest.mark.parametrize("answer", ["true", "false"])
def test_the_reply_is_503_and_the_reason_says_that_a_region_is_required(
    neighbours: ScriptedNeighbours,
    make: Make,
    caplog: pytest.LogCaptureFixture,
    answer: str,
) -> None:
    """Region sea is not there, so the call has to come again; Graph is not asked."""
    call, service = call_from("SG"), make(**ONLY_SEA, CALLING_ANSWER=answer)

    got = receive(service, neighbours.post(incoming(call, "https://b")))

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
    strict, other = call_from("SG"), call_from("DE")
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
        "MicrosoftAppId": APP_ID,
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": '{"weu": "weu.example"}',
        "CALLING_REGION_RULES": json.dumps([rule]),
    }
