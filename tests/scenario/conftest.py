"""Worlds that several tests share: starting processes takes half a second each."""

from collections.abc import Iterator

import pytest

from tests.simulator.world import Plan, World

RULES = (
    {"countryCode": ["SG"], "regions": ["sea"]},
    {"countryCode": ["AU"], "regions": ["weu", "sea"]},
)
PARTITIONS = ("media-a", "media-b")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Two regions that answer calls through the managed identity."""
    settings = {
        "CALLING_PARTITIONS": '["media-a", "media-b"]',
        "CALLING_GLOBAL_HOST": "global.calls.example.org",
    }
    with World(Plan(rules=RULES, settings=settings)) as running:
        yield running


@pytest.fixture(autouse=True)
def _calm_graph(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no fault behind for the next test."""
    yield
    if "world" in request.fixturenames:
        running: World = request.getfixturevalue("world")
        running.graph.faults.clear()
        running.entra.fault = None
