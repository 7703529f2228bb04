"""Two regions that several tests share: starting processes takes half a second each."""

import json
from collections.abc import Iterator

import pytest

from tests.scenario.calls import PARTITIONS, RULES
from tests.simulator.deployments import Deployments, Plan


@pytest.fixture(scope="module")
def app() -> Iterator[Deployments]:
    """Two regions that answer calls through the managed identity."""
    settings = {
        "CALLING_PARTITIONS": json.dumps(PARTITIONS),
        "CALLING_GLOBAL_HOST": "global.calls.example.org",
    }
    with Deployments(Plan(rules=RULES, settings=settings)) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no fault behind for the next test."""
    yield
    if "app" in request.fixturenames:
        running: Deployments = request.getfixturevalue("app")
        running.graph.faults.clear()
        running.entra.fault = None
