"""What people do on the page: each action is checked and carried out."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.environment import RulesError
from tests.simulator.environment.faults import FAULTS
from tests.simulator.page.port import ShownEnvironment
from tests.simulator.page.rules_text import read_rules

MAX_CALLS_AT_ONCE = 500
MAX_CALLS_PER_SECOND = 50.0
_MAX_TEXT = 64


class ActionError(ValueError):
    """The action cannot be done; ``problems`` are sentences for people."""

    def __init__(self, *problems: str) -> None:
        """Keep the sentences."""
        super().__init__(" ".join(problems))
        self.problems = problems


class RequestFields:
    """Reads the fields of a request and checks their types."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        """Read from a JSON object."""
        self._members = members

    def text(self, name: str, *, allowed: Sequence[str] | None = None) -> str:
        """Return a text; if ``allowed`` is given, one of these."""
        value = self._members.get(name)
        if type(value) is not str:
            raise ActionError(f"{name} must be a string.")
        if allowed is not None and value not in allowed:
            raise ActionError(f"{name} must be one of {', '.join(allowed)}.")
        return value

    def optional_text(
        self, name: str, *, allowed: Sequence[str] | None = None
    ) -> str | None:
        """Return a short text; None if it is missing or empty."""
        if self._members.get(name) in {None, ""}:
            return None
        value = self.text(name, allowed=allowed)
        if len(value) > _MAX_TEXT:
            raise ActionError(f"{name} is too long.")
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean; a missing one is false."""
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


def place_calls(environment: ShownEnvironment, fields: RequestFields) -> None:
    """Place one call, or several of the same kind."""
    caller = fields.text("caller", allowed=list(environment.callers))
    count = fields.number("count", default=1, most=MAX_CALLS_AT_ONCE)
    kind = {
        "starts_legacy": fields.flag("starts_legacy"),
        "is_policy_recording": fields.flag("is_policy_recording"),
    }
    media = fields.optional_text("media_hosted_region")
    for _ in range(int(count)):
        environment.place_call(caller, **kind, media_hosted_region=media)


def set_traffic(environment: ShownEnvironment, fields: RequestFields) -> None:
    """Place calls at a steady rate, or stop."""
    rate = fields.number("calls_per_second", default=0, most=MAX_CALLS_PER_SECOND)
    if rate:
        environment.start_traffic(rate)
    else:
        environment.stop_traffic()


def set_fault(environment: ShownEnvironment, fields: RequestFields) -> None:
    """Inject a fault or heal it."""
    fault = fields.text("fault", allowed=list(FAULTS))
    region = fields.optional_text("region", allowed=_codes(environment))
    if FAULTS[fault].is_regional != (region is not None):
        need = "needs a" if FAULTS[fault].is_regional else "takes no"
        raise ActionError(f"The fault {fault} {need} region.")
    if fields.flag("is_on"):
        environment.inject(fault, region)
    else:
        environment.heal(fault, region)


def set_rules(environment: ShownEnvironment, fields: RequestFields) -> None:
    """Give the regions, or one of them, other rules."""
    rules, problems = read_rules(fields.text("rules"))
    if problems:
        raise ActionError(*problems)
    region = fields.optional_text("region", allowed=_codes(environment))
    try:
        environment.set_rules(rules, region)
    except RulesError as error:
        raise ActionError(*error.problems) from error


def _codes(environment: ShownEnvironment) -> list[str]:
    return [region["code"] for region in environment.snapshot()["regions"]]
