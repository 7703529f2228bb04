"""What a scenario is: a name, what it costs, and a play with expectations."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from tests.simulator.drill.stage import Check, Phase, Stage
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall, RetryPolicy

# From one part of the world after another, so that no stretch of traffic is of one.
_STRIDE = 5
_KEYS = [key for first in range(_STRIDE) for key in list(CALLERS)[first::_STRIDE]]


class Load(StrEnum):
    """What a scenario needs of the machine.

    ``WAITS``: mostly time, so several play side by side. ``HEAVY``: all of it, alone.
    """

    QUICK = "quick"
    WAITS = "waits"
    HEAVY = "heavy"


class Scenario(ABC):
    """One scenario; it plays in a world of its own, or in one that is well.

    Attributes:
        name: of the command line.
        title, explanation: what happens and what must come of it, in sentences.
        retries: of the platform. Where regions or DNS fail it is one that announces a
            call once: what is proved does not rest on an assumption.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    explanation: ClassVar[str]
    load: ClassVar[Load] = Load.QUICK
    retries: ClassVar[RetryPolicy] = RetryPolicy()

    @abstractmethod
    def play(self, stage: Stage) -> None:
        """Let things happen, and note on the stage what must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """A scenario that has been played; ``entries`` are its events as JSON has them."""

    name: str
    title: str
    explanation: str
    seconds: float
    checks: Sequence[Check]
    phases: Sequence[Phase]
    notes: dict[str, float | int | str]
    entries: Sequence[dict[str, Any]] = field(repr=False)

    @property
    def is_passed(self) -> bool:
        """Whether something was expected and all of it held."""
        return bool(self.checks) and all(check.is_met for check in self.checks)


def play(scenario: Scenario, stage: Stage) -> ScenarioResult:
    """Play a scenario to its end; an exception of its own fails it."""
    world = stage.world
    started_at = world.journal.now_seconds
    world.platform.retries = scenario.retries
    try:
        scenario.play(stage)
    except Exception as error:  # noqa: BLE001 - one broken scenario ends no drill
        stage.expect("the scenario plays to its end", False, repr(error))
    finally:
        world.platform.before_redirect = None
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        explanation=scenario.explanation,
        seconds=world.journal.now_seconds - started_at,
        checks=stage.checks,
        phases=stage.phases,
        notes=stage.notes,
        entries=[entry.to_json() for entry in stage.entries],
    )


def home_calls(**members: Any) -> list[PlacedCall]:
    """Return a call of every caller, hosted where the caller is."""
    members = {"follow_ups": "none", **members}
    return [PlacedCall(caller=key, **members) for key in _KEYS]


def travelling_calls(**members: Any) -> list[PlacedCall]:
    """Return calls that are hosted far from the caller: most belong elsewhere."""
    members = {"follow_ups": "none", **members}
    callers = [CALLERS[key] for key in _KEYS]
    half = len(_KEYS) // 2
    return [
        PlacedCall(
            caller=host,
            country_code=caller.country_code,
            caller_region=caller.region,
            **members,
        )
        for host, caller in zip(_KEYS[half:] + _KEYS[:half], callers, strict=True)
    ]


def mixed_calls(**members: Any) -> list[PlacedCall]:
    """Return home and travelling calls in turn."""
    pairs = zip(home_calls(**members), travelling_calls(**members), strict=True)
    return [call for pair in pairs for call in pair]
