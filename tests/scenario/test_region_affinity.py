"""Calls that belong to another region are redirected there, once."""

import pytest

from tests.scenario.calls import answers_of, call, ring
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.notifications import batch, established


def test_a_call_of_another_region_is_302(deployments: Deployments) -> None:
    """The Location is that region's host, with a mark; Graph is not asked."""
    placed = call("SG")

    reply = deployments.post(ring(deployments, placed))

    assert (reply.status, reply.body) == (302, b"")
    host = deployments.hosts["sea"]
    assert reply.headers["Location"] == f"https://{host}/api/calls?hop=1"
    assert answers_of(deployments, placed) == []


def test_redirects_are_307_where_settings_say_so() -> None:
    """Microsoft's sample uses 307."""
    rules = ({"regions": ["sea"]},)
    plan = Plan(rules=rules, settings={"CALLING_REDIRECT_STATUS": "307"})
    with Deployments(plan) as running:
        assert running.post(ring(running, call())).status == 307
        assert running.platform.place(PlacedCall()).path[:2] == [307, 202]


@pytest.mark.parametrize("query", ["?hop=1", "?hop=", "?hop", "?x=1&hop=9"])
def test_a_redirected_call_is_answered_where_it_is(
    deployments: Deployments, query: str
) -> None:
    """There is one hop at most, whatever the rules say."""
    placed = call("SG")

    reply = deployments.post(ring(deployments, placed), path=f"/api/calls{query}")

    assert reply.status == 202
    assert len(answers_of(deployments, placed)) == 1


def test_a_call_stays_where_the_rules_name_the_own_region_first(
    deployments: Deployments,
) -> None:
    placed = call("AU")

    assert deployments.post(ring(deployments, placed)).status == 202
    assert len(answers_of(deployments, placed)) == 1


def test_an_incoming_call_on_the_callback_route_is_neither_answered_nor_redirected(
    deployments: Deployments,
) -> None:
    body = ring(deployments, placed := call("SG"))

    assert deployments.post(body, path="/api/calls/media-a").status == 202
    assert answers_of(deployments, placed) == []


def test_a_batch_for_one_other_region_is_302(deployments: Deployments) -> None:
    """Every item is an incoming call of that region."""
    items = [ring(deployments, call("SG"))["value"][0] for _ in range(3)]

    assert deployments.post(batch(*items)).status == 302


def test_a_mixed_batch_is_handled_here_item_by_item(deployments: Deployments) -> None:
    """Unreadable items do not affect the others."""
    here, there = call("DE"), call("SG")
    items = [
        None,
        ring(deployments, there)["value"][0],
        {"resourceUrl": 7},
        ring(deployments, here)["value"][0],
        established(call(), is_audio_active=False)["value"][0],
    ]

    assert deployments.post({"value": items}).status == 202
    assert len(answers_of(deployments, here)) == 1
    assert len(answers_of(deployments, there)) == 1
