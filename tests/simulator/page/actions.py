"""What people do on the page: checked, and carried out in the world."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.environment.faults import FAULTS
from tests.simulator.environment.rollout import RulesError
from tests.simulator.page.port import PageWorld
from tests.simulator.page.rules_text import read_rules

MAX_CALLS_AT_ONCE = 500
MAX_CALLS_PER_SECOND = 50.0
_MAX_TEXT = 64


class ActionError(ValueError):
    """It cannot be done; ``problems`` are sentences for people."""

    def __init__(self, *problems: str) -> None:
        """Keep the sentences."""
        super().__init__(" ".join(problems))
        self.problems = problems


class Members:
    """Reads the members of a request, each of exactly its type."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        """Read from a JSON object."""
        self._members = members

    def text(self, name: str, *, allowed: Sequence[str] | None = None) -> str:
        """Return a text, one of ``allowed`` where that is given."""
        value = self._members.get(name)
        if type(value) is not str or (allowed is not None and value not in allowed):
            raise ActionError(f"{name} must be one of the page's own.")
        return value

    def optional_text(
        self, name: str, *, allowed: Sequence[str] | None = None
    ) -> str | None:
        """Return a short text; None where there is none or an empty one."""
        if self._members.get(name) in {None, ""}:
            return None
        value = self.text(name, allowed=allowed)
        if len(value) > _MAX_TEXT:
            raise ActionError(f"{name} is too long.")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        value = self._members.get(name, False)
        if type(value) is not bool:
            raise ActionError(f"{name} must be true or false.")
        return value

    def number(self, name: str, *, default: float, most: float) -> float:
        """Return a number from 0 to ``most``."""
        value = self._members.get(name, default)
        if type(value) not in {int, float} or not 0 <= value <= most:
            raise ActionError(f"{name} must be a number from 0 to {most:.0f}.")
        return float(value)


def place_calls(world: PageWorld, members: Members) -> None:
    """Place one call, or many of the same kind."""
    caller = members.text("caller", allowed=list(world.callers))
    count = members.number("count", default=1, most=MAX_CALLS_AT_ONCE)
    kind = {
        "starts_legacy": members.flag("starts_legacy"),
        "is_policy_recording": members.flag("is_policy_recording"),
    }
    media = members.optional_text("media_hosted_region")
    for _ in range(int(count)):
        world.place_call(caller, **kind, media_hosted_region=media)


def set_traffic(world: PageWorld, members: Members) -> None:
    """Let calls come at a steady rate, or none."""
    rate = members.number("calls_per_second", default=0, most=MAX_CALLS_PER_SECOND)
    if rate:
        world.start_traffic(rate)
    else:
        world.stop_traffic()


def set_fault(world: PageWorld, members: Members) -> None:
    """Inject a fault, or heal it."""
    fault = members.text("fault", allowed=list(FAULTS))
    region = members.optional_text("region", allowed=_codes(world))
    if FAULTS[fault].is_regional != (region is not None):
        raise ActionError("This fault needs a region, or must not have one.")
    if members.flag("is_on"):
        world.inject(fault, region)
    else:
        world.heal(fault, region)


def heal_all(world: PageWorld, _members: Members) -> None:
    """Heal everything."""
    world.heal_all()


def set_rules(world: PageWorld, members: Members) -> None:
    """Give the regions, or one of them, other rules."""
    rules, problems = read_rules(members.text("rules"))
    if problems:
        raise ActionError(*problems)
    region = members.optional_text("region", allowed=_codes(world))
    try:
        world.set_rules(rules, region)
    except RulesError as error:
        raise ActionError(*error.problems) from error


def _codes(world: PageWorld) -> list[str]:
    return [region["code"] for region in world.snapshot()["regions"]]
