"""Where a call belongs, found the slow way: rule by rule, condition by condition.

It shares no code with the product, only the rules.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.environment import World
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.notifications import CLIENT_LOCATION

_DEFAULT_MEDIA_REGION = "USEA"


def facts_of(call: PlacedCall, *, tenant_id: str) -> dict[str, str | None]:
    """Return what the rules can ask of a call, by the name of the condition."""
    caller = CALLERS[call.caller]
    media = call.media_hosted_region or _DEFAULT_MEDIA_REGION
    region = call.caller_region or caller.region
    return {
        "tenant": tenant_id,
        "countryCode": call.country_code or caller.country_code,
        "sourceRegion": region,
        "mediaHostedRegion": media if call.is_policy_recording else None,
        "callerRegion": region,
        "teamsRegion": call.headers.get("MS-Teams-Region"),
        "clientLocation": CLIENT_LOCATION if call.is_policy_recording else None,
        # The simulated platform calls a bot with a new id each time.
        "callee": None,
    }


def preferred_regions(
    rules: Sequence[Mapping[str, Any]], facts: Mapping[str, str | None]
) -> Sequence[str]:
    """Return the regions of the first rule whose conditions all hold, else none."""
    for rule in rules:
        conditions = {name: rule[name] for name in rule.keys() - {"regions", "strict"}}
        if all(
            (facts[name] or "").lower() in [value.lower() for value in values]
            and facts[name]
            for name, values in conditions.items()
        ):
            return list(rule["regions"])
    return []


def lands_in(world: World, call: PlacedCall) -> str:
    """Return the region to which DNS leads a call now."""
    return world.traffic_manager.answer(CALLERS[call.caller].location)[0].code


def belongs_to(world: World, call: PlacedCall, *, lands_in: str) -> str:
    """Return the region that must take a call while all regions are healthy.

    ``lands_in`` is the region to which DNS leads the call.
    """
    facts = facts_of(call, tenant_id=world.neighbours.tenant_id)
    regions = preferred_regions(world.rules, facts)
    return regions[0] if regions else lands_in
