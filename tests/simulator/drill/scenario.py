"""What a scenario is, how it runs, and the calls that scenarios place."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.simulator.drill.scenario_run import Check, Phase, ScenarioRun
from tests.simulator.environment import World, WorldOptions
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall, RetryPolicy

# Calls come from one part of the world after another, so that every stretch of traffic
# comes from all of them.
_STRIDE = 5
_KEYS = [key for first in range(_STRIDE) for key in list(CALLERS)[first::_STRIDE]]

type Play = Callable[[ScenarioRun], None]


class Load(StrEnum):
    """What a scenario needs of the machine.

    ``WAITS``: it mostly waits, so several run side by side. ``HEAVY``: it needs the
    whole machine and runs alone.
    """

    QUICK = "quick"
    WAITS = "waits"
    HEAVY = "heavy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Something that goes wrong, and what must come of it.

    Attributes:
        name: on the command line.
        title: what happens, in a few words.
        explanation: what happens and what must come of it, in sentences.
        play: makes it happen and states what must hold.
        retries: of the platform. Where regions or DNS fail, the platform announces each
            call once, so that nothing proved rests on an assumption about it.
        options: of its world. One with options of its own needs ``Load.WAITS``: the
            other scenarios share their worlds.
    """

    name: str
    title: str
    explanation: str
    play: Play
    load: Load = Load.QUICK
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    options: WorldOptions = field(default_factory=WorldOptions)


def scenario(
    *,
    load: Load = Load.QUICK,
    retries: RetryPolicy | None = None,
    options: WorldOptions | None = None,
) -> Callable[[Play], Scenario]:
    """Make a scenario of a function.

    The function's name becomes the scenario's, the first line of its docstring the
    title, and the rest the explanation.
    """

    def make(play: Play) -> Scenario:
        title, _, explanation = inspect.cleandoc(play.__doc__ or "").partition("\n")
        return Scenario(
            name=play.__name__.replace("_", "-"),
            title=title.removesuffix("."),
            explanation=" ".join(explanation.split()),
            play=play,
            load=load,
            retries=retries or RetryPolicy(),
            options=options or WorldOptions(),
        )

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """A scenario that has run; ``entries`` are its events as JSON has them."""

    name: str
    title: str
    explanation: str
    seconds: float
    checks: Sequence[Check]
    phases: Sequence[Phase] = ()
    notes: dict[str, float | int | str] = field(default_factory=dict)
    entries: Sequence[dict[str, Any]] = field(default=(), repr=False)

    @property
    def is_passed(self) -> bool:
        """Whether something was expected and all of it held."""
        return bool(self.checks) and all(check.is_met for check in self.checks)


def play(scenario: Scenario, world: World) -> ScenarioResult:
    """Run a scenario to its end; if it raises an exception, it has failed."""
    run = ScenarioRun(world)
    started_at = world.journal.now_seconds
    world.platform.retries = scenario.retries
    try:
        scenario.play(run)
    except Exception as error:  # noqa: BLE001 - one broken scenario ends no drill
        run.expect("the scenario runs to its end", False, repr(error))
    finally:
        world.platform.before_redirect = None
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        explanation=scenario.explanation,
        seconds=world.journal.now_seconds - started_at,
        checks=run.checks,
        phases=run.phases,
        notes=run.notes,
        entries=[entry.to_json() for entry in run.entries],
    )


def home_calls(**members: Any) -> list[PlacedCall]:
    """Return one call from every caller, hosted where the caller is."""
    members = {"follow_ups": "none", **members}
    return [PlacedCall(caller=key, **members) for key in _KEYS]


def travelling_calls(**members: Any) -> list[PlacedCall]:
    """Return calls that are hosted far from the caller: most belong elsewhere."""
    half = len(_KEYS) // 2
    hosts = _KEYS[half:] + _KEYS[:half]
    callers = [CALLERS[key] for key in _KEYS]
    return [
        PlacedCall(
            caller=host,
            country_code=caller.country_code,
            caller_region=caller.region,
            **{"follow_ups": "none", **members},
        )
        for host, caller in zip(hosts, callers, strict=True)
    ]


def mixed_calls(**members: Any) -> list[PlacedCall]:
    """Return home calls and travelling calls, alternating."""
    pairs = zip(home_calls(**members), travelling_calls(**members), strict=True)
    return [call for pair in pairs for call in pair]
