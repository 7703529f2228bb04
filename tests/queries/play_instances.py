"""Deliveries to two instances, one of which fails, and a process that cannot answer."""

import json
import time
from contextlib import ExitStack
from typing import NamedTuple

from shared.calls import Bot
from shared.core.answering_health import CALLS_IN_A_ROW
from shared.core.webhook import WebhookRequest
from shared.service import Service
from tests.queries.played import PARTITIONS, Own, recording
from tests.simulator.platform.notifications import Call, incoming
from tests.simulator.report.lines import LogLine
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import TENANT_ID
from tests.support.servers import (
    Peer,
    Request,
    Script,
    ScriptedServer,
    hang_up,
    reply,
    status,
)
from tests.support.service import WEBHOOK, ScriptedNeighbours, receive

TAKES_SECONDS = 0.03
_SETTINGS = {
    "CALLING_REGION": "frc",
    "CALLING_REGION_HOSTS": '{"frc": "weu.example"}',
}
# Of the four seconds that a delivery has, so much is over when these are made.
_SECONDS_AGO = 2.0
_SECONDS_AGO_IF_REPEATED = 3.5


class _Delivery(NamedTuple):
    """What an instance does with a delivery, and what becomes of it; how often."""

    partition: str
    script: Script
    reason: str
    status: int | None
    times: int


def _take(_request: Request, peer: Peer) -> bytes:
    peer.hang(TAKES_SECONDS)
    return reply(202)


_GOOD, _BAD = PARTITIONS
_DELIVERIES = (
    _Delivery(_GOOD, _take, "delivered", 202, 6),
    _Delivery(_GOOD, status(404), "instance-without-call", 404, 1),
    _Delivery(_BAD, status(503), "delivery-unavailable", 503, 4),
    _Delivery(_BAD, hang_up, "delivery-unavailable", None, 1),
    _Delivery(_BAD, status(400), "delivery-refused", 400, 2),
)


def play_deliveries(authority: Authority, own: Own) -> list[LogLine]:
    """Deliver, count in ``own``, and return the lines."""
    with (
        ScriptedNeighbours(authority) as neighbours,
        recording() as recorder,
        ExitStack() as stack,
    ):
        context = authority.server_context()
        servers = {
            name: stack.enter_context(ScriptedServer(status(202), context))
            for name in PARTITIONS
        }
        urls = {name: server.url for name, server in servers.items()}
        service = neighbours.service(
            Bot(), **_SETTINGS, CALLING_PARTITIONS=json.dumps(urls)
        )
        stack.callback(service.close)
        recorder.app = "func-frc"
        for delivery in _DELIVERIES:
            servers[delivery.partition].script = delivery.script
            for _ in range(delivery.times):
                request = neighbours.follow_up(partition=delivery.partition)
                _deliver(service, request, delivery, own)
        for name, server in servers.items():
            own.delivery_attempts[name] = len(server.requests)
        return recorder.lines


def _deliver(
    service: Service, request: WebhookRequest, delivery: _Delivery, own: Own
) -> None:
    is_repeated = delivery.reason == "delivery-unavailable"
    ago = _SECONDS_AGO_IF_REPEATED if is_repeated else _SECONDS_AGO
    began_at = time.monotonic()
    receive(service, request, seconds_ago=ago)
    took_ms = (time.monotonic() - began_at) * 1000
    name, slowest = delivery.partition, own.slowest_deliveries_ms
    slowest[name] = max(took_ms, slowest.get(name, 0.0))
    own.deliveries[name, delivery.reason] += 1
    if delivery.status is not None:
        own.delivery_statuses.setdefault(name, set()).add(delivery.status)


def play_failing_process(authority: Authority) -> list[LogLine]:
    """Let Graph fail for all calls of a process, and return the lines."""
    with ScriptedNeighbours(authority) as neighbours, recording() as recorder:
        neighbours.graph.script = status(503, Retry_After="60")
        recorder.app = "func-frc"
        service = neighbours.service(Bot(), **_SETTINGS)
        for _ in range(CALLS_IN_A_ROW):
            call = Call(tenant_id=TENANT_ID)
            receive(service, neighbours.post(incoming(call, WEBHOOK)))
        service.close()
        return recorder.lines
