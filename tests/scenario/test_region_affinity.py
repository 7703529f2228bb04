"""Calls that belong to another region are redirected there, once."""

import pytest

from tests.scenario.calls import answers_of, call, ring
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.notifications import batch, established


def test_a_call_of_another_region_is_302(app: Deployments) -> None:
    """The Location is that region's host, with a mark; Graph is not asked."""
    placed = call("SG")

    reply = app.post(ring(app, placed))

    assert (reply.status, reply.body) == (302, b"")
    host = app.hosts["sea"]
    assert reply.headers["Location"] == f"https://{host}/api/calls?hop=1"
    assert answers_of(app, placed) == []


def test_redirects_are_307_where_settings_say_so() -> None:
    """Microsoft's sample uses 307."""
    rules = ({"regions": ["sea"]},)
    plan = Plan(rules=rules, settings={"CALLING_REDIRECT_STATUS": "307"})
    with Deployments(plan) as app:
        assert app.post(ring(app, call())).status == 307
        assert app.platform.place(PlacedCall()).path[:2] == [307, 202]


@pytest.mark.parametrize("query", ["?hop=1", "?hop=", "?hop", "?x=1&hop=9"])
def test_a_redirected_call_is_answered_where_it_is(
    app: Deployments, query: str
) -> None:
    """There is one hop at most, whatever the rules say."""
    placed = call("SG")

    reply = app.post(ring(app, placed), path=f"/api/calls{query}")

    assert reply.status == 202
    assert len(answers_of(app, placed)) == 1


def test_a_call_stays_where_the_rules_name_the_own_region_first(
    app: Deployments,
) -> None:
    placed = call("AU")

    assert app.post(ring(app, placed)).status == 202
    assert len(answers_of(app, placed)) == 1


def test_an_incoming_call_on_the_callback_route_is_neither_answered_nor_redirected(
    app: Deployments,
) -> None:
    body = ring(app, placed := call("SG"))

    assert app.post(body, path="/api/calls/media-a").status == 202
    assert answers_of(app, placed) == []


def test_a_batch_for_one_other_region_is_302(app: Deployments) -> None:
    """Every item is an incoming call of that region."""
    items = [ring(app, call("SG"))["value"][0] for _ in range(3)]

    assert app.post(batch(*items)).status == 302


def test_a_mixed_batch_is_handled_here_item_by_item(app: Deployments) -> None:
    """Unreadable items do not affect the others."""
    here, there = call("DE"), call("SG")
    items = [
        None,
        ring(app, there)["value"][0],
        {"resourceUrl": 7},
        ring(app, here)["value"][0],
        established(call(), is_audio_active=False)["value"][0],
    ]

    assert app.post({"value": items}).status == 202
    assert len(answers_of(app, here)) == 1
    assert len(answers_of(app, there)) == 1
