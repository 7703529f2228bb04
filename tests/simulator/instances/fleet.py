"""Instances in a world: their names, their settings, and their events."""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from tests.simulator.environment import World
from tests.simulator.instances.events import EventCheck, check_events, sent_events
from tests.simulator.instances.instance import Instance
from tests.simulator.instances.own_graph import OwnGraph
from tests.simulator.instances.platform_tokens import PlatformTokens
from tests.simulator.instances.stateful_bot import PATH, StatefulBot
from tests.simulator.services.ports import free_port
from tests.support.running import Running

HOME = "127.0.0.1"
# Where machines move to; regions have the addresses before it.
ELSEWHERE = "127.0.1.4"
_HEALTHY_SECONDS = 60.0


class Fleet(Running):
    """The instances of a world, one for each partition.

    Attributes:
        instances: by partition.
    """

    def __init__(
        self,
        world: World,
        names: Iterable[str] = "abc",
        *,
        answers: bool = False,
        label: str = "bot",
        keeps: int | None = None,
        on_taken: Callable[[str], object] = lambda _name: None,
    ) -> None:
        """Plan instances that answer calls themselves, or leave that to the regions.

        Args:
            world: whose calls they take.
            names: of the partitions.
            answers: they answer calls themselves.
            label: with what the names of their hosts begin.
            keeps: how many of the latest POSTs each keeps; None: all.
            on_taken: is told the name of an instance after each POST that it got.
        """
        self.world = world
        self._answers = answers
        self._label = label
        self._keeps = keeps
        self._on_taken = on_taken
        self.instances = {name: self._plan(name) for name in names}

    def start(self, stack: ExitStack) -> None:
        """Start them, each under a name of the world's zone."""
        for instance in self.instances.values():
            stack.enter_context(instance)
            self._point(instance)

    def __getitem__(self, name: str) -> Instance:
        """Return the instance of a partition."""
        return self.instances[name]

    def settings(
        self, *, draining: Iterable[str] = (), **further: str
    ) -> dict[str, str]:
        """Return the app settings of a region that delivers to them."""
        partitions = {
            name: {"url": each.bot.url, "draining": name in draining}
            for name, each in self.instances.items()
        }
        return {
            "CALLING_PARTITIONS": json.dumps(partitions),
            "CALLING_ANSWER": "false" if self._answers else "true",
            **further,
        }

    def roll_out(self, settings: Mapping[str, str]) -> None:
        """Restart all regions with these settings.

        Raises:
            RuntimeError: they do not become healthy.
        """
        world = self.world
        with ThreadPoolExecutor(len(world.regions)) as lanes:
            list(lanes.map(lambda code: world.override(code, settings), world.regions))
        if missing := world.wait_until_healthy(_HEALTHY_SECONDS):
            message = f"not healthy: {', '.join(missing)}"
            raise RuntimeError(message)

    def move(self, name: str, address: str = ELSEWHERE) -> None:
        """Let an instance go on at another address, and tell DNS."""
        self.instances[name].move(address)
        self._point(self.instances[name])

    def check(self, first: int = 0, calls: Iterable[str] | None = None) -> EventCheck:
        """Compare what was sent since an entry of the journal with what was taken.

        ``calls`` are those to look at; None: all.
        """
        sent = sent_events(self.world.journal.entries(first))
        if calls is not None:
            wanted = set(calls)
            sent = [event for event in sent if event.call_id in wanted]
        received = {name: each.bot.received for name, each in self.instances.items()}
        return check_events(sent, received)

    def _point(self, instance: Instance) -> None:
        name = self._host(instance.name)
        self.world.name_server.machines[name] = instance.address

    def _host(self, name: str) -> str:
        return f"{self._label}-{name}.{self.world.zone}"

    def _plan(self, name: str) -> Instance:
        neighbours = self.world.neighbours
        bundle = neighbours.authority.bundle
        port = free_port(HOME, ELSEWHERE)
        tokens = PlatformTokens(
            neighbours.provider.configuration_url,
            audience=neighbours.app_id,
            bundle=bundle,
        )
        graph = OwnGraph(
            login_url=neighbours.entra.url,
            graph_url=neighbours.graph.graph_url,
            client=(neighbours.app_id, neighbours.registration.secret),
            bundle=bundle,
        )
        bot = StatefulBot(
            url=f"https://{self._host(name)}:{port}{PATH}",
            tokens=tokens,
            graph=graph if self._answers else None,
            clock=lambda: self.world.journal.now_seconds,
            keeps=self._keeps,
            on_taken=partial(self._on_taken, name),
        )
        certificate = neighbours.authority.issue(self._host(name))
        return Instance(name, bot, certificate=certificate, address=HOME, port=port)
