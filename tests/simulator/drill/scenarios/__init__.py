"""All scenarios by name, in the order in which the drill tells of them."""

from collections.abc import Mapping

from tests.simulator.drill.scenario import Scenario
from tests.simulator.drill.scenarios import (
    detection,
    entra,
    forged,
    graph,
    identity,
    load,
    notifications,
    redirects,
    regions,
    routing,
)

_CLASSES: tuple[type[Scenario], ...] = (
    routing.Ordinary,
    routing.LegacyFirst,
    routing.WrongRegion,
    routing.DisagreeingRules,
    detection.RegionDown,
    detection.RegionHanging,
    detection.RegionMisconfigured,
    detection.OneRegionLeft,
    detection.StaleDns,
    regions.TargetKnownDown,
    regions.DiesAfterRedirect,
    regions.RollingUpdate,
    regions.DeathCostsOthers,
    identity.KeyRotation,
    identity.ProviderDown,
    identity.ClockSkew,
    graph.GraphSlow,
    graph.GraphThrottling,
    graph.GraphNotFound,
    graph.GraphDown,
    entra.EntraDown,
    notifications.DuplicateAndOutOfOrder,
    notifications.TwoAtOnce,
    notifications.PolicyRecording,
    load.Burst,
    forged.ForgedTraffic,
    redirects.ExactRedirects,
)

SCENARIOS: Mapping[str, type[Scenario]] = {cls.name: cls for cls in _CLASSES}
