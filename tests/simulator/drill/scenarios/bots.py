"""The menu bot in every region: whatever happens, nobody hears a prompt twice.

Callers follow the scripts of the example; notifications come twice and overtake each
other. The regions keep what calls remember in one store.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, cycle

from shared.core.reasons import Reason
from tests.simulator.caller.stories import BOTS, STORIES
from tests.simulator.drill.oracle import belongs_to, lands_in
from tests.simulator.drill.scenario import Load, scenario
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.drill.scripted_calls import (
    Script,
    ToldCall,
    expect_as_told,
    expect_nothing_twice,
    follow,
)
from tests.simulator.environment import WorldOptions
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.wire import Wire
from tests.simulator.services.call_control import CallRequest
from tests.simulator.services.graph_api import Fault
from tests.simulator.services.graph_faults import refused

_MENU = WorldOptions(bot=BOTS / "menu.py", remembers=True)
_MENU_STORIES = [story for story in STORIES if story.bot == "menu"]
_DYING = "sea"
_CALLS = 45
_CALLS_BESIDE = 15
_DEATHS = 4
# Events between a start of the process and its next death.
_EVENTS_BETWEEN = 12
_MOMENTS = ("prompt", "write")
_UNAVAILABLE = Reason.STATE_UNAVAILABLE.value


@scenario(load=Load.WAITS, options=_MENU)
def menu_calls(run: ScenarioRun) -> None:
    """A menu in every region.

    Callers of the whole world go through the menu, press wrong keys, say nothing, or
    ask to hear it again. Each hears every prompt once and in the order of the script.
    """
    calls = follow(run, _scripts(list(CALLERS), _CALLS))
    expect_as_told(run, calls, "everywhere")
    expect_nothing_twice(run, calls)
    regions = {call.region for call in calls}
    is_everywhere = regions == set(run.world.regions)
    run.expect("every region answers some", is_everywhere, sorted(map(str, regions)))
    run.notes["prompts heard"] = sum(call.heard for call in calls)


@scenario(load=Load.WAITS, options=_MENU)
def menu_process_dies(run: ScenarioRun) -> None:
    """A process dies in the middle of an event.

    The process of sea is killed while it handles an event of a call, just after Graph
    has begun a prompt or just before the store has taken what it writes; then another
    one starts. The platform sends again what got no reply. Nobody hears a prompt twice
    while the store is reached in time, and only calls of which an event was under way
    go otherwise than their script says.
    """
    near = [key for key in CALLERS if _stays_there(run, key)]
    deaths = _Deaths(run)
    run.phase("deaths")
    with deaths.watching():
        calls = follow(run, _scripts(near, _CALLS))
    run.expect(f"it dies {_DEATHS} times", deaths.number == _DEATHS, deaths.number)
    # Where a new process did not reach the store in time it knows of no claims.
    known = [call for call in calls if _UNAVAILABLE not in call.notes]
    expect_nothing_twice(run, known)
    run.notes["calls whose state was unavailable"] = len(calls) - len(known)
    is_judged = 2 * len(known) > len(calls)
    run.expect("most calls reach the store in time", is_judged, len(known))
    others = [call for call in known if "connection-lost" not in call.errors]
    hit = sum("connection-lost" in call.errors for call in calls)
    run.expect("each death meets a call", hit >= _DEATHS, hit)
    expect_as_told(run, others, "calls that no death met")
    run.notes["calls that a death met"] = hit
    run.notes["of these, otherwise than told"] = sum(bool(c.wrong) for c in calls)
    run.phase("afterwards")
    run.expect_all_healthy()
    expect_as_told(run, follow(run, _scripts(near, _CALLS_BESIDE)), "afterwards")


@scenario(load=Load.WAITS, options=_MENU)
def menu_store_down(run: ScenarioRun) -> None:
    """The store of what calls remember is down.

    The store fails for one request in twelve, then for all of them. Nobody hears a
    prompt twice; a call that goes otherwise than its script says has the note
    state-unavailable in the log. Before and after that, all go as told.
    """
    keys = list(CALLERS)
    before = follow(run, _scripts(keys, _CALLS_BESIDE))
    expect_as_told(run, before, "before")
    storage = run.world.storage
    for what, every in (("the store fails at times", 12), ("the store is down", 1)):
        run.phase(what)
        storage.standing_fault = _failing(every)
        try:
            calls = follow(run, _scripts(keys, _CALLS))
        finally:
            storage.standing_fault = Fault
        _expect_noted(run, calls, what)
    run.phase("healed")
    expect_as_told(run, follow(run, _scripts(keys, _CALLS_BESIDE)), "afterwards")


def _scripts(keys: Sequence[str], calls: int) -> list[Script]:
    """Let callers follow the menu's scripts in turn, each on its own rough wire."""
    places, stories = cycle(keys), cycle(_MENU_STORIES)
    return [
        Script(next(places), next(stories), Wire.rough(seed)) for seed in range(calls)
    ]


def _stays_there(run: ScenarioRun, key: str) -> bool:
    """Tell whether the region that dies is the one that takes a caller's calls."""
    call = PlacedCall(caller=key)
    found = lands_in(run.world, call)
    return found == belongs_to(run.world, call, lands_in=found) == _DYING


def _failing(every: int) -> Callable[[], Fault]:
    """Return what lets one request in so many fail."""
    numbers = count()
    return lambda: Fault() if next(numbers) % every else refused(503)


def _expect_noted(run: ScenarioRun, calls: Sequence[ToldCall], what: str) -> None:
    """Expect that the log notes the store's state for each call that went wrong."""
    expect_nothing_twice(run, calls)
    wrong = [call for call in calls if call.wrong]
    silent = [call.wrong for call in wrong if _UNAVAILABLE not in call.notes]
    found = "; ".join(silent) or f"{len(wrong)} of {len(calls)} calls went wrong"
    run.expect(f"{what}: every wrong call has the note", not silent, found)
    noted = sum(_UNAVAILABLE in call.notes for call in calls)
    run.expect(f"{what}: the log notes it", noted > 0, noted)
    run.notes[f"calls that went otherwise, {what}"] = len(wrong)


class _Deaths:
    """Kills the process of a region in the middle of events, and starts another one.

    Attributes:
        number: how often it has died.
    """

    def __init__(self, run: ScenarioRun) -> None:
        self.number = 0
        self._world = run.world
        self._events = 0
        self._lock = threading.Lock()
        self._starts: list[threading.Thread] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Kill during the block."""
        graph, storage = self._world.neighbours.graph, self._world.storage
        before_reply, before_writing = graph.before_reply, storage.before_writing
        graph.before_reply = self._play
        storage.before_writing = lambda _path: self._note("write")
        try:
            yield
        finally:
            graph.before_reply, storage.before_writing = before_reply, before_writing
            for start in self._starts:
                start.join()

    def _play(self, asked: CallRequest) -> None:
        if asked.control == "playPrompt":
            self._note("prompt")

    def _note(self, moment: str) -> None:
        """Take in that an event has come so far; kill if it is the moment."""
        with self._lock:
            self._events += 1
            is_due = self._events > _EVENTS_BETWEEN and self.number < _DEATHS
            is_up = self._world.regions[_DYING].state == "running"
            if (
                not (is_due and is_up)
                or moment != _MOMENTS[self.number % len(_MOMENTS)]
            ):
                return
            self._world.inject("region-killed", _DYING)
            self.number += 1
            start = threading.Thread(target=self._start)
            self._starts.append(start)
            start.start()

    def _start(self) -> None:
        self._world.heal("region-killed", _DYING)
        with self._lock:
            self._events = 0


SCENARIOS = (menu_calls, menu_process_dies, menu_store_down)
