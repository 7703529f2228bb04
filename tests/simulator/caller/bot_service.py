"""A deployment that serves one bot file, with everything around it.

    with BotService("tests/simulator/bots/menu.py") as service:
        with service.place() as call:
            call.hears("main")

One region, one process or several of them, each in Microsoft's worker library.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

from tests.localhost.process import LocalHost
from tests.simulator.caller.call import BotCall
from tests.simulator.platform.calls import PlacedCall, RetryPolicy
from tests.simulator.platform.conversation import CallPlan, Conversation
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.platform import CallingPlatform
from tests.simulator.platform.steps import Steps
from tests.simulator.platform.transport import Transport
from tests.simulator.services.blob_store import BlobStorage
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.ports import free_port
from tests.support.checkout import CHECKOUT

_PLACED = {field.name for field in fields(PlacedCall)}


class BotService(Neighbours):
    """The neighbours, and the processes of one deployment.

    Attributes:
        journal: what the platform tells.
        platform: places the calls.
        processes: of the deployment.
        storage: what calls remember, where there are several processes.
    """

    def __init__(
        self,
        bot: Path | str | None = None,
        *,
        processes: int = 1,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Plan the deployment; it starts with the ``with`` block.

        Args:
            bot: file with the bot, absolute or below the checkout; None: the
                checkout's own.
            processes: behind the one host; they get the notifications in turn, and
                share what calls remember.
            settings: of the deployment, and what the bot reads for itself.
        """
        super().__init__()
        self.journal = Journal()
        self._bot = None if bot is None else CHECKOUT / bot
        self._changes = settings or {}
        self._ports = [free_port() for _ in range(processes)]
        self.processes: list[LocalHost] = []
        self._reading = threading.Lock()
        self._read_to = [0] * processes
        self._lines: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.storage = BlobStorage(self.authority.certificate, self.entra)
        self.platform = self._platform()

    def start(self, stack: ExitStack) -> None:
        """Start the servers, then the processes."""
        super().start(stack)
        stack.enter_context(self.storage)
        settings = self.settings(**self._own_settings(), **self._changes)
        for port in self._ports:
            process = LocalHost(
                settings,
                port=port,
                certificate=self.authority.certificate,
                warms_up=True,
                bot=self._bot,
            )
            self.processes.append(stack.enter_context(process))

    def _own_settings(self) -> dict[str, str]:
        settings = {"CALLING_GLOBAL_HOST": f"127.0.0.1:{self._ports[0]}"}
        if len(self._ports) > 1:
            settings["CALLING_STATE_URL"] = self.storage.container_url
        return settings

    def place(self, *, may_fail: bool = False, **members: Any) -> BotCall:
        """Place a call; use it as a ``with`` block.

        Args:
            may_fail: let the end of the block pass although a handler failed.
            members: of ``CallPlan`` and ``PlacedCall``.
        """
        conversation = Conversation(plan_of(**members), self.platform, self.graph)
        return BotCall(conversation, self.lines_of, may_fail=may_fail)

    def log_lines(self) -> list[str]:
        """Return what the processes have logged so far, one process after the other."""
        return [line for process in self.processes for line in process.log_lines()]

    def lines_of(self, call_id: str) -> list[dict[str, Any]]:
        """Return the log lines about one call."""
        with self._reading:
            for number, process in enumerate(self.processes):
                lines, self._read_to[number] = process.log_since(self._read_to[number])
                for line in map(_read_line, lines):
                    self._lines[str(line.get("call_id"))].append(line)
            return [*self._lines[call_id]]

    def _platform(self) -> CallingPlatform:
        transport = Transport(
            None,
            self.authority.client_context(),
            processes={self._ports[0]: self._ports},
        )
        return CallingPlatform(
            webhook=f"https://127.0.0.1:{self._ports[0]}/api/calls",
            steps=Steps(
                transport=transport,
                tokens=self.tokens,
                journal=self.journal,
                region_of_host=lambda _url: None,
                source_address="127.0.0.1",
            ),
            graph=self.graph,
            retries=RetryPolicy(),
        )


def _read_line(line: str) -> dict[str, Any]:
    """Read a line of the log; not every line is the product's."""
    return dict(json.loads(line)) if line.startswith("{") else {}


def plan_of(**members: Any) -> CallPlan:
    """Make a plan from members of ``CallPlan`` and of the ``PlacedCall`` in it."""
    placed = {name: members.pop(name) for name in _PLACED & members.keys()}
    return CallPlan(placed=PlacedCall(**placed), **members)
