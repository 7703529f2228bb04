"""Services with a bot in this process: its events, its failures, its credentials."""

import itertools
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.calls import Action, Bot, Incoming, play_prompt, redirect, transfer, user
from shared.calls import reject as reject_call
from shared.core.notices import certificate_notices
from shared.edge.telemetry import log_event
from shared.service import Service
from tests.queries.played import Own, Recorder, recording
from tests.simulator.platform.notifications import (
    Call,
    batch,
    established,
    incoming,
    item,
)
from tests.simulator.report.lines import LogLine
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import TENANT_ID
from tests.support.bot_calls import by_path
from tests.support.servers import json_reply, status
from tests.support.service import WEBHOOK, ScriptedNeighbours, receive

SALES = user("550fae72-d251-43ec-868c-373732c2704f")
_REFUSED = {"error": {"code": "7504", "message": "made up"}}
_REGION = "neu"
_SETTINGS = {
    "CALLING_REGION": _REGION,
    "CALLING_REGION_HOSTS": '{"neu": "weu.example"}',
}


class Stage:
    """A service with a bot, and what it is sent."""

    def __init__(self, neighbours: ScriptedNeighbours, own: Own) -> None:
        self._neighbours = neighbours
        self._own = own

    @contextmanager
    def service(self, bot: Bot, **settings: str) -> Iterator[Service]:
        service = self._neighbours.service(bot, **_SETTINGS, **settings)
        try:
            yield service
        finally:
            service.close()

    def ring(self, service: Service, outcome: str | None = "answered") -> Call:
        """Send an incoming call; ``outcome`` is the column that it counts in."""
        call = Call(tenant_id=TENANT_ID)
        receive(service, self._neighbours.post(incoming(call, WEBHOOK)))
        self._own.events[_REGION, "incoming"] += 1
        if outcome:
            self._own.outcomes[_REGION, outcome] += 1
        return call

    def tell(self, service: Service, event: str, *items: dict[str, object]) -> None:
        request = self._neighbours.post(batch(*items), partition="default")
        receive(service, request)
        self._own.events[_REGION, event] += len(items)


def play_bots(authority: Authority, own: Own) -> list[LogLine]:
    """Play, count in ``own``, and return the lines of all services."""
    with ScriptedNeighbours(authority) as neighbours, recording() as recorder:
        stage = Stage(neighbours, own)
        refuse = {"transfer": lambda *_: json_reply(_REFUSED, 403)}
        neighbours.graph.script = by_path(refuse, status(202))
        recorder.app = "func-neu"
        _play_handlers(stage, own)
        _play_incoming(stage, own)
        _count_actions(neighbours, own)
        _notice_the_certificate()
        _play_credentials(stage, own)
        _play_keys(stage, neighbours, own, recorder)
        return recorder.lines


def _bot() -> Bot:
    bot = Bot()
    bot.established(lambda _event: play_prompt("https://cdn.example/hello.wav"))
    bot.operation_completed(lambda _event: transfer(SALES))

    @bot.tone
    def fail(_event: object) -> None:
        raise LookupError

    return bot


def _play_handlers(stage: Stage, own: Own) -> None:
    """Four calls are established, one fails in a handler, one in a transfer."""
    with stage.service(_bot()) as service:
        calls = [stage.ring(service) for _ in range(4)]
        for call in calls:
            up = established(call, is_audio_active=True)["value"][0]
            stage.tell(service, "established", up)
            own.established[_REGION] += 1
        own.calls["bot"] = calls[0].call_id
        pressed = {"toneInfo": {"tone": "tone1", "sequenceId": 1}}
        stage.tell(service, "tone", item(calls[0], "updated", "established", pressed))
        own.failures["bot-failed"] += 1
        stage.tell(service, "operation_completed", _operation(calls[1]))
        own.failures["action-refused"] += 1
        result = {"resultInfo": {"code": 500, "subcode": 1005}}
        ended = item(calls[2], "deleted", "terminated", result)
        stage.tell(service, "terminated", ended)
        own.ends[500, 1005] += 1


def _operation(call: Call) -> dict[str, object]:
    data = {
        "@odata.type": "#microsoft.graph.playPromptOperation",
        "status": "completed",
        "id": "op-1",
    }
    path = f"/communications/calls/{call.call_id}/operations/op-1"
    return {"changeType": "deleted", "resourceUrl": path, "resourceData": data}


def _play_incoming(stage: Stage, own: Own) -> None:
    """Handlers reject a call, send one on, and fail with one: it is answered."""
    choices: Iterator[Action | None] = itertools.chain(
        [reject_call(), redirect(SALES)], itertools.repeat(None)
    )
    bot = Bot()

    @bot.incoming
    def choose(_event: Incoming) -> Action:
        chosen = next(choices)
        if chosen is None:
            raise LookupError
        return chosen

    with stage.service(bot) as service:
        stage.ring(service, "rejected")
        stage.ring(service, "sent_on")
        stage.ring(service, "answered")
        own.failures["bot-failed"] += 1


def _count_actions(neighbours: ScriptedNeighbours, own: Own) -> None:
    for request in neighbours.graph.requests:
        name = request.target.rpartition("/")[2]
        own.actions[_REGION, name, name != "transfer"] += 1


def _notice_the_certificate() -> None:
    """Tell of a certificate that ends in a day; the next request logs it."""
    now = time.time()
    for notice in certificate_notices(now + 24 * 60 * 60, now=now):
        log_event(logging.WARNING, "health.notice", notice=notice)


def _play_credentials(stage: Stage, own: Own) -> None:
    with stage.service(Bot(), MicrosoftAppPassword="wrong") as service:
        own.calls["credential-refused"] = stage.ring(service, "lost").call_id
    own.failures["credential-refused"] += 1


def _play_keys(
    stage: Stage, neighbours: ScriptedNeighbours, own: Own, recorder: Recorder
) -> None:
    """A provider that is out of order: the call gets 503, and has no id yet."""
    neighbours.provider.follow(status(500))
    recorder.app = "func-cold"
    with stage.service(Bot()) as service:
        request = neighbours.incoming()
        receive(service, request)
        receive(service, request)
    own.refused["anybody, our fault", "signing-keys-none"] += 2
