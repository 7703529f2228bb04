"""The phone of a world: calls from any city to its bot, and what can be set for them.

with World(file, WorldOptions(bot=bot)) as world, Phone(world, bot) as phone:
    call = phone.call("amsterdam", kind="user")
    call.press("1")
    call.hang_up()
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from tests.simulator.environment import World
from tests.simulator.phone.bot_watch import BotWatch
from tests.simulator.phone.events import PhoneCalled, PhoneSwitched
from tests.simulator.phone.live_call import LiveCall, LiveHooks
from tests.simulator.phone.prompts import Prompts
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.conversation import CallPlan
from tests.simulator.platform.effects import ASKED
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.notifications import new_id
from tests.simulator.platform.wire import Wire
from tests.simulator.services.blob_store import BlobStorage
from tests.simulator.services.graph_api import Fault
from tests.simulator.services.graph_faults import refused, throttled
from tests.support.running import Running

KINDS = ("user", "guest", "phone")
MEMORY, STORE = "memory", "store"
# Every control that a bot can ask for once a call is answered, and the answer.
REFUSABLE = (
    "answer",
    "playPrompt",
    "recordResponse",
    "subscribeToTone",
    "cancelMediaProcessing",
    "transfer",
    "invite",
    "delete",
)
REFUSALS: Mapping[str, Callable[[], Fault]] = {
    "403": partial(refused, 403, "7503"),
    "400": partial(refused, 400, "7500"),
    "404": partial(refused, 404, "8522"),
    "429": throttled,
    "503": partial(refused, 503, "ServiceUnavailable"),
}
MAX_CALLS = 20
_MAX_AT_ONCE = 4
_RESTART_SECONDS = 20.0
_STATE_URL = "CALLING_STATE_URL"


class Phone(Running):
    """Calls the bot of a world. Safe for threads.

    Attributes:
        world: whose bot is called.
        prompts: of the bot.
        watch: looks at the bot's file.
        storage: where states are kept if the person wants that.
    """

    def __init__(
        self, world: World, bot: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Call the regions of ``world``, which serve ``bot``."""
        self.prompts = Prompts(bot)
        self.world = world
        self._clock = clock
        self._calls: OrderedDict[str, LiveCall] = OrderedDict()
        self._numbers = count(1)
        self.switches = PhoneSwitched(state_place=MEMORY, refusals={})
        neighbours = world.neighbours
        self.storage = BlobStorage(neighbours.authority.certificate, neighbours.entra)
        self.watch = BotWatch(
            bot,
            settings=lambda: world.settings_of(next(iter(world.regions))),
            restart=world.restart,
            tell=world.journal.append,
        )

    @property
    def journal(self) -> Journal:
        """What happens, in the calls and around them."""
        return self.world.journal

    @property
    def ca_bundle(self) -> str:
        """The certificates that whoever fetches a recording must trust."""
        return str(self.world.neighbours.authority.bundle)

    def restart(self) -> None:
        """Restart the regions, as after a change of the bot's file."""
        self.world.restart()

    def start(self, stack: ExitStack) -> None:
        """Start to look at the bot's file; at the end, all calls are hung up."""
        stack.enter_context(self.storage)
        stack.callback(self._hang_up_all)
        stack.enter_context(self.watch)

    def call(
        self,
        caller: str,
        *,
        kind: str = "user",
        caller_id: str | None = None,
        is_rough: bool = False,
    ) -> LiveCall:
        """Call the bot from a city.

        Args:
            caller: key of ``CALLERS``.
            kind: one of ``KINDS``.
            caller_id: of the user or guest, or the number; None: somebody new.
            is_rough: the wire repeats and reorders notifications.
        """
        usual = "+1206555" if kind == "phone" else new_id()
        if kind == "phone":
            usual += f"{next(self._numbers) % 10_000:04}"
        placed = PlacedCall(
            caller=caller,
            caller_id=caller_id or usual,
            caller_kind="guest" if kind == "guest" else None,
        )
        plan = CallPlan(
            placed=placed,
            lengths=self.prompts.lengths(),
            usually=ASKED,
            wire=Wire.rough(next(self._numbers)) if is_rough else Wire(),
        )
        return self._start(plan, kind)

    def _start(self, plan: CallPlan, kind: str) -> LiveCall:
        hooks = LiveHooks(
            tell=self.world.journal.append,
            before_post=self._wait_for_regions,
            clock=self._clock,
        )
        world, placed = self.world, plan.placed
        call = LiveCall(plan, world.platform, world.neighbours.graph, hooks)
        self._make_room()
        self._calls[call.call.call_id] = call
        world.journal.append(
            PhoneCalled(
                call_id=call.call.call_id,
                caller=placed.caller,
                caller_kind=kind,
                caller_id=call.call.caller_id,
                country_code=CALLERS[placed.caller].country_code,
            )
        )
        call.start()
        return call

    @property
    def calls(self) -> list[LiveCall]:
        """The latest calls, oldest first."""
        return [*self._calls.values()]

    def find(self, call_id: str) -> LiveCall | None:
        """Return one of the latest calls; ``None``: it is unknown, or too old."""
        return self._calls.get(call_id)

    def refuse(self, control: str, how: str | None) -> None:
        """Let Graph refuse a control: a key of ``REFUSALS``; None: no longer."""
        faults = self.world.neighbours.graph.standing_faults
        refusals = {k: v for k, v in self.switches.refusals.items() if k != control}
        if how is None:
            faults.pop(control, None)
        else:
            faults[control] = REFUSALS[how]
            refusals[control] = how
        self._switch(refusals=refusals)

    def keep_state_in(self, place: str) -> None:
        """Let the regions keep states in ``MEMORY`` or ``STORE``: a restart."""
        url = self.storage.container_url if place == STORE else ""
        self._switch(state_place=place)
        self.world.change_settings({_STATE_URL: url})

    def snapshot(self) -> dict[str, Any]:
        """Return what a page needs when it opens; JSON can carry it."""
        last = self.watch.last
        return {
            "bot": {"file": last.file, "state": last.state, "problem": last.problem},
            "prompts": [prompt._asdict() for prompt in self.prompts.all().values()],
            "statePlace": self.switches.state_place,
            "refusals": dict(self.switches.refusals),
            "refusable": REFUSABLE,
            "kinds": KINDS,
        }

    def _switch(self, **changes: Any) -> None:
        was = self.switches
        self.switches = PhoneSwitched(
            state_place=changes.get("state_place", was.state_place),
            refusals=changes.get("refusals", was.refusals),
        )
        self.world.journal.append(self.switches)

    def _make_room(self) -> None:
        """Forget the oldest calls, and let only a few go on."""
        going_on = [call for call in self._calls.values() if not call.is_over]
        for call in going_on[: max(0, len(going_on) - _MAX_AT_ONCE + 1)]:
            call.hang_up()
        while len(self._calls) >= MAX_CALLS:
            self._calls.popitem(last=False)

    def _hang_up_all(self) -> None:
        for call in self._calls.values():
            if not call.is_over:
                call.hang_up()
        for call in self._calls.values():
            call.wait_until_over(_RESTART_SECONDS)

    def _wait_for_regions(self) -> None:
        """Wait while regions restart: Azure's front end holds requests so long."""
        self.world.wait_for_restart(_RESTART_SECONDS)
