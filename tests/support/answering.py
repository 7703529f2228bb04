"""Answering calls through a Graph that follows a script, over TLS."""

import asyncio
import itertools
import time
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from shared.core.answering_health import AnsweringHealth
from shared.core.bot import Bot
from shared.core.event_types import Call as BotCall
from shared.core.event_types import Incoming
from shared.core.notifications import CallNotification, read_notification
from shared.core.outcomes import ActionOutcome, ItemOutcome
from shared.core.partitions import build_callback_uri, choose_partition
from shared.core.reasons import Reason
from shared.edge.answering import CallAnswering
from shared.edge.call_control import CallControl
from shared.edge.call_memory import CallMemory
from shared.edge.event_runs import EventRuns
from shared.edge.graph import GraphClient
from shared.edge.handler_runs import HandlerRuns
from shared.edge.state_store import MemoryStore
from shared.edge.turns import Turns
from tests.simulator.platform.notifications import Call, incoming
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import TENANT_ID
from tests.support.running import Running
from tests.support.servers import ScriptedServer, status

if TYPE_CHECKING:
    from shared.edge.token_client import CredentialError

HOST = "weu.example"
ORDINARY_SECONDS = 12.0
POLICY_SECONDS = 4.0


def make_call(*, is_policy_recording: bool = False) -> CallNotification:
    """Return an incoming call."""
    call = Call(tenant_id=TENANT_ID, is_policy_recording=is_policy_recording)
    notification = read_notification(incoming(call, "https://x.example/")["value"][0])
    assert notification is not None
    assert notification.is_incoming_call
    return notification


def ended(
    reason: Reason,
    attempts: int = 0,
    status: int | None = None,
    code: str | None = None,
    entra_code: str | None = None,
    action: str = "answer",
) -> ItemOutcome:
    """Return the end of an incoming call whose one action ended like that."""
    last = ActionOutcome(action, reason, attempts, status, code, entra_code)
    return ItemOutcome(reason, (last,), is_incoming=True)


class FakeCredentials:
    """Stands in for Entra: hands out numbered tokens, or raises ``error``."""

    def __init__(self) -> None:
        self.tenants = {TENANT_ID}
        self.numbers = itertools.count(1)
        self.held = ""
        self.error: CredentialError | None = None

    async def token(self, tenant_id: str, *, timeout_seconds: float) -> str:
        assert tenant_id in self.tenants
        assert timeout_seconds > 0
        if self.error is not None:
            raise self.error
        self.held = self.held or f"token-{next(self.numbers)}"
        return self.held

    def forget(self, tenant_id: str, token: str) -> None:
        assert (tenant_id, token) == (TENANT_ID, self.held)
        self.held = ""


class AnsweringHarness(Running):
    """``CallAnswering`` with its Graph, which accepts answers unless scripted."""

    def __init__(
        self,
        authority: Authority,
        bot: Bot | None = None,
        *,
        threads: int = 16,
        places_per_tenant: int | None = None,
    ) -> None:
        self.credentials = FakeCredentials()
        self.graph = ScriptedServer(status(202), authority.server_context())
        self.client = GraphClient(
            graph_url=f"{self.graph.url}/v1.0",
            ca_bundle=str(authority.bundle),
            connections=threads,
        )
        self.control = CallControl(
            self.client,
            self.credentials,  # type: ignore[arg-type]
            places=threads,
            places_per_tenant=places_per_tenant or threads,
        )
        self.health = AnsweringHealth(time.monotonic)
        self.answering = CallAnswering(
            bot or Bot(),
            EventRuns(HandlerRuns(), CallMemory(MemoryStore())),
            self.control,
            Turns(),
            self.health,
            callback_uri_for=partial(build_callback_uri, HOST),
        )

    def start(self, stack: ExitStack) -> None:
        """Start Graph."""
        stack.callback(self.client.close)
        stack.callback(self.control.close)
        stack.enter_context(self.graph)

    def answer(
        self, call: CallNotification, *, left: float = ORDINARY_SECONDS
    ) -> ItemOutcome:
        """Answer a call that has ``left`` seconds of an ordinary budget."""
        [outcome] = self.answer_all([call], left=left)
        return outcome

    def answer_all(
        self, calls: Iterable[CallNotification], *, left: float = ORDINARY_SECONDS
    ) -> list[ItemOutcome]:
        """Answer calls that come at the same time."""

        async def run() -> list[ItemOutcome]:
            ago = ORDINARY_SECONDS - left
            return await asyncio.gather(
                *(self.begin(call, seconds_ago=ago) for call in calls)
            )

        return asyncio.run(run())

    def begin(
        self,
        call: CallNotification,
        *,
        seconds_ago: float = 0.0,
        tenant_id: str = TENANT_ID,
        token_age: float = 0.0,
    ) -> asyncio.Task[ItemOutcome]:
        """Start to answer a call that arrived a moment ago, on the running loop."""
        answer = self.answering.answer(
            call,
            Incoming(
                call=BotCall(
                    id=call.call_id,
                    tenant_id=tenant_id,
                    partition=choose_partition(call.call_id, ("p0", "p1")),
                ),
                is_policy_recording=call.is_policy_recording,
            ),
            received_at=time.monotonic() - seconds_ago,
            not_before=int(time.time() - seconds_ago - token_age),
        )
        return asyncio.ensure_future(answer)

    def tokens(self) -> list[str]:
        """Return the token of every request."""
        return [request.headers["authorization"] for request in self.graph.requests]
