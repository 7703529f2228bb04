"""Instances of their own for each region of a world, which people may let fail.

with World(file) as world, RegionalInstances(world, Way.FORWARD) as instances:
    instances.act("weu", "a", "dead")
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from tests.simulator.environment import World
from tests.simulator.instances.fleet import ELSEWHERE, HOME, Fleet
from tests.simulator.instances.instance import Instance
from tests.simulator.instances.passing_over import judge
from tests.simulator.instances.ways import Way, partitions_of
from tests.support.running import Running

SLOW_SECONDS = 2.0
_KEPT_POSTS = 100
_SHOWN_CALLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancesChosen:
    """Events of calls now go this way; all instances start anew."""

    way: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceChanged:
    """How the instance of a partition is now.

    Attributes:
        state: up, slow or dead.
        is_draining: it gets no new calls.
        held: how many calls it holds; ``calls`` are some of them.
        taken: how many notifications it has taken.
        passed_over_until: seconds of the journal until which its region gives it no
            new calls; 0: it does.
    """

    region: str
    partition: str
    host: str
    address: str
    state: str
    is_draining: bool
    held: int
    calls: Sequence[str]
    taken: int
    passed_over_until: float


class RegionalInstances(Running):
    """The instances of a world. Safe for threads.

    Attributes:
        way: how notifications reach them; ``Way.NONE``: there are none.
    """

    def __init__(self, world: World, way: Way = Way.NONE) -> None:
        """Plan those of ``world``; regions restart with them once this starts."""
        self.way = Way.NONE
        self._first = way
        self._world = world
        self._changing = threading.Lock()
        self._fleets: dict[str, Fleet] = {}
        self._machines = ExitStack()
        self._telling = threading.Lock()
        self._until: dict[tuple[str, str], float] = {}
        self._told: dict[tuple[str, str], InstanceChanged] = {}
        self._entries = world.journal.subscribe(since=0)
        self._reader = threading.Thread(target=self._read, daemon=True)

    def start(self, stack: ExitStack) -> None:
        """Start to read the journal, and choose the first way."""
        stack.callback(self._stop)
        self._reader.start()
        stack.callback(self._reader.join)
        stack.callback(self._entries.close)
        if self._first is not Way.NONE:
            self.choose(self._first)

    def choose(self, way: Way) -> None:
        """Let events go another way: all regions restart, with new instances."""
        with self._changing:
            self._stop()
            self.way = way
            self._world.journal.append(InstancesChosen(way=way.value))
            settings: dict[str, Mapping[str, str]] = {}
            if way is not Way.NONE:
                settings = {code: self._begin(code) for code in self._world.regions}
            self._tell_all()
            self._world.change_regional(settings)

    def act(self, region: str, partition: str, what: str) -> None:
        """Do one of ``FAULTS`` to an instance.

        Raises:
            KeyError: there is no such fault or instance.
        """
        with self._changing:
            fleet = self._fleets[region]
            FAULTS[what](fleet, fleet[partition])
            self._tell(region, partition)

    def cure_all(self) -> None:
        """Cure every instance that is slow or dead."""
        with self._changing:
            for region, fleet in self._fleets.items():
                for partition, instance in fleet.instances.items():
                    _cure(fleet, instance)
                    self._tell(region, partition)

    def snapshot(self) -> dict[str, Any]:
        """Return the state for a page that opens now; JSON can carry it."""
        with self._telling:
            told = [asdict(each) for each in self._told.values()]
        return {"way": self.way.value, "instances": told}

    def _begin(self, code: str) -> dict[str, str]:
        """Start the instances of a region; return the settings that it needs."""
        partitions = partitions_of(self._world.file, code)
        fleet = Fleet(
            self._world,
            partitions,
            answers=self.way is Way.OWN_MEDIA,
            label=f"bot-{code}",
            keeps=_KEPT_POSTS,
            on_taken=partial(self._tell, code),
        )
        self._fleets[code] = self._machines.enter_context(fleet)
        draining = [name for name, is_draining in partitions.items() if is_draining]
        return fleet.settings(draining=draining, **self.way.settings)

    def _stop(self) -> None:
        self._machines.close()
        self._machines = ExitStack()
        self._fleets = {}
        with self._telling:
            self._told, self._until = {}, {}

    def _read(self) -> None:
        """Learn from the journal which instances are passed over."""
        for entry in self._entries:
            for found in judge(entry):
                for key in [*self._told]:
                    if found.is_about(*key):
                        self._until[key] = found.until_seconds
                        self._tell(*key)

    def _tell_all(self) -> None:
        for region, fleet in self._fleets.items():
            for partition in fleet.instances:
                self._tell(region, partition)

    def _tell(self, region: str, partition: str) -> None:
        """Tell the journal how an instance is, if that has changed."""
        fleet = self._fleets.get(region)
        if fleet is None:
            return
        with self._telling:
            now = self._look(region, fleet[partition])
            before = self._told.get((region, partition))
            # What it took is told with the next change: most calls bring one soon.
            if before is not None and _shown(now) == _shown(before):
                return
            self._told[region, partition] = now
            self._world.journal.append(now)

    def _look(self, region: str, instance: Instance) -> InstanceChanged:
        bot, name = instance.bot, instance.name
        calls = [*bot.calls]
        return InstanceChanged(
            region=region,
            partition=name,
            host=bot.url.removeprefix("https://").partition("/")[0],
            address=instance.address,
            state=_state_of(instance),
            is_draining=partitions_of(self._world.file, region)[name],
            held=len(calls),
            calls=sorted(calls)[:_SHOWN_CALLS],
            taken=bot.taken,
            passed_over_until=self._until.get((region, name), 0.0),
        )


def _shown(change: InstanceChanged) -> tuple[object, ...]:
    known = asdict(change)
    return tuple(value for name, value in known.items() if name != "taken")


def _state_of(instance: Instance) -> str:
    if not instance.is_up:
        return "dead"
    return "slow" if instance.bot.delay_seconds else "up"


def _slow(_fleet: Fleet, instance: Instance) -> None:
    """Take two seconds for each reply."""
    instance.bot.delay_seconds = SLOW_SECONDS


def _dead(_fleet: Fleet, instance: Instance) -> None:
    """Refuse connections."""
    instance.stop_machine()


def _restart(_fleet: Fleet, instance: Instance) -> None:
    """Forget the calls."""
    instance.restart()


def _move(fleet: Fleet, instance: Instance) -> None:
    """Go on at another address, with the calls."""
    address = HOME if instance.address == ELSEWHERE else ELSEWHERE
    fleet.move(instance.name, address)


def _cure(_fleet: Fleet, instance: Instance) -> None:
    """Reply at once, with the memory as it is."""
    instance.bot.delay_seconds = 0.0
    if not instance.is_up:
        instance.start_machine()


FAULTS: Mapping[str, Callable[[Fleet, Instance], None]] = {
    "slow": _slow,
    "dead": _dead,
    "restart": _restart,
    "move": _move,
    "cure": _cure,
}
