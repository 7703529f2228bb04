"""All scenarios by name, in the order in which reports show them."""

from collections.abc import Mapping

from tests.simulator.drill.scenario import Scenario
from tests.simulator.drill.scenarios import (
    answering,
    bots,
    broken_identity,
    detection,
    graph,
    identity,
    instance_updates,
    instances,
    many_calls,
    notifications,
    regions,
    routing,
)

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        *routing.SCENARIOS,
        *detection.SCENARIOS,
        *regions.SCENARIOS,
        *identity.SCENARIOS,
        *graph.SCENARIOS,
        *answering.SCENARIOS,
        *notifications.SCENARIOS,
        *bots.SCENARIOS,
        *instances.SCENARIOS,
        *instance_updates.SCENARIOS,
        *broken_identity.SCENARIOS,
        *many_calls.SCENARIOS,
    )
}
