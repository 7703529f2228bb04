"""(k), (l) and (m): what an event costs that follows after the answer.

(k): the bot has handlers, but none for this event; the floor is (f), an incoming call
with a remembered token that is only accepted. (l): a handler returns one action; the
floor is an answer. (m): an instance gets the event; the floor is an answer, too. Graph
and the instance run in another process and reply at once.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from multiprocessing.connection import Connection

from shared import service as service_module
from shared.bot_file import BotFile
from shared.calls import Action, Bot, Established, mute
from shared.service import Service, build_service
from shared.settings import read_settings
from tests.localhost.worker import HttpCall, Worker
from tests.measure.bench.at_once import services
from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement, interleaved
from tests.measure.instance import LoadInstance
from tests.simulator.platform.notifications import (
    Call,
    batch,
    established,
    incoming,
    item,
    new_id,
)
from tests.simulator.services.neighbours import Neighbours
from tests.support.checkout import CHECKOUT

type _Piece = tuple[Service, Callable[[Call], object]]

ROUNDS = 25
CALLS = 200
_HOST = "calls.example.org"
_INVOCATION_ID = new_id()
_WEBHOOK = f"https://{_HOST}/api/calls"


def bot_with_one_handler() -> Bot:
    """Return a bot that takes one event, and does one thing then."""
    bot = Bot()

    @bot.established
    async def up(_event: Established) -> Action:
        return mute()

    return bot


def measure() -> list[Measurement]:
    """Run (k), (l) and (m)."""
    with services(_serve_world) as here:
        token, tenant, instance = here.recv()
        return _Bench(token, tenant, instance).measure()


def _serve_world(pipe: Connection) -> None:
    """Run the simulated services until told to stop."""
    with Neighbours() as world, LoadInstance(world.authority.certificate) as instance:
        world.graph.takes_any_call = True
        pipe.send(world.settings(CALLING_GLOBAL_HOST=_HOST))
        pipe.send((world.tokens.mint(x=new_id()), world.tenant_id, instance.url))
        pipe.recv()


class _Bench:
    """The worker library, and a service for each piece; all POSTs have one token."""

    def __init__(self, token: str, tenant_id: str, instance: str) -> None:
        self._headers = {"host": _HOST, "authorization": f"Bearer {token}"}
        self._tenant_id = tenant_id
        self._loop = asyncio.new_event_loop()
        self._worker = self._loop.run_until_complete(Worker.load(CHECKOUT))
        functions = self._worker.functions
        self._function = next(each for each in functions if each.name == "calls")
        handled = BotFile(bot_with_one_handler())
        self._accepting = build_service(
            read_settings({**os.environ, "CALLING_ANSWER": "false"}), handled
        )
        self._handling = build_service(read_settings(os.environ), handled)
        partitions = json.dumps({"a": instance})
        self._delivering = build_service(
            read_settings({**os.environ, "CALLING_PARTITIONS": partitions}), handled
        )

    def measure(self) -> list[Measurement]:
        """Compare an event that nobody wants, one with an action, and a delivery."""
        unwanted = self._compare(
            Row.UNWANTED,
            floor=(self._accepting, self._incoming),
            piece=(self._handling, self._tone),
        )
        one_action = self._compare(
            Row.ONE_ACTION,
            floor=(self._handling, self._incoming),
            piece=(self._handling, self._established),
        )
        delivery = self._compare(
            Row.DELIVERY,
            floor=(self._delivering, self._incoming),
            piece=(self._delivering, self._established),
        )
        return [unwanted, one_action, delivery]

    def _compare(self, row: Row, *, floor: _Piece, piece: _Piece) -> Measurement:
        pieces = {
            name: partial(self._post, each[0], iter(self._batches(each[1])))
            for name, each in (("floor", floor), ("piece", piece))
        }
        for warm_up in pieces.values():
            warm_up()
        times = interleaved(ROUNDS, CALLS, pieces)
        return Measurement.of(row, piece=times["piece"], floor=times["floor"])

    def _batches(self, make: Callable[[Call], object]) -> list[list[HttpCall]]:
        """Make all POSTs beforehand: one list a round, and one to warm up."""
        return [[self._call(make) for _ in range(CALLS)] for _ in range(ROUNDS + 1)]

    def _call(self, make: Callable[[Call], object]) -> HttpCall:
        body = json.dumps(make(Call(tenant_id=self._tenant_id))).encode()
        return HttpCall("POST", _WEBHOOK, self._headers, body, {}, {})

    def _post(self, service: Service, batches: Iterator[list[HttpCall]]) -> None:
        """Post a list of calls, one after the other."""
        service_module._service = service
        statuses = self._loop.run_until_complete(self._invoke_all(next(batches)))
        if statuses != {202}:
            raise RuntimeError(f"unexpected replies {statuses}")

    async def _invoke_all(self, calls: Iterable[HttpCall]) -> set[int]:
        results = [
            await self._worker.invoke(self._function, call, _INVOCATION_ID)
            for call in calls
        ]
        return {result.status if result else 0 for result in results}

    def _incoming(self, call: Call) -> object:
        return incoming(call, _WEBHOOK)

    def _established(self, call: Call) -> object:
        return established(call, is_audio_active=True)

    def _tone(self, call: Call) -> object:
        tone = {"toneInfo": {"tone": "tone1", "sequenceId": 1}}
        return batch(item(call, "updated", "established", tone))
