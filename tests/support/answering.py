"""A Graph that follows a script over TLS, and the answering that talks to it."""

import asyncio
import itertools
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self

from shared.core.answers import AnswerOutcome
from shared.core.notifications import CallNotification, read_notification
from shared.edge.answering import CallAnswering
from shared.edge.graph import GraphClient
from tests.simulator.platform.notifications import Call, incoming
from tests.support.servers import Certificates, FaultServer, Peer, Request, Script, http
from tests.support.servers import reply as http_reply

if TYPE_CHECKING:
    from shared.edge.entra import CredentialError

TENANT_ID = "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87"
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


def status(code: int, **headers: str) -> Script:
    """Return a script that replies with a status."""
    return lambda *_: http_reply(code, b"", **headers)


class FakeCredentials:
    """The port to Entra: numbered tokens, or none."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.held = ""
        self.error: CredentialError | None = None

    async def token(self, tenant_id: str, *, timeout_seconds: float) -> str:
        assert tenant_id == TENANT_ID
        assert timeout_seconds > 0
        if self.error is not None:
            raise self.error
        self.held = self.held or f"token-{next(self.numbers)}"
        return self.held

    def forget(self, tenant_id: str, token: str) -> None:
        assert (tenant_id, token) == (TENANT_ID, self.held)
        self.held = ""


class AnsweringWorld:
    """Everything that answering a call needs.

    Attributes:
        scripts: one a request; the last one stays.
        requests: what Graph got, with the time.
    """

    def __init__(self, certificates: Certificates, *, threads: int = 16) -> None:
        self.scripts: list[Script] = [status(202)]
        self.requests: list[tuple[float, Request]] = []
        self.credentials = FakeCredentials()
        self.executor = ThreadPoolExecutor(threads)
        self.server = FaultServer(http(self._answer, certificates.context()))
        self.graph = GraphClient(
            graph_url=f"{self.server.url}/v1.0",
            ca_bundle=certificates.bundle,
            connections=threads,
        )
        self.answering = CallAnswering(
            graph=self.graph,
            tokens=self.credentials,  # type: ignore[arg-type]
            executor=self.executor,
            callback_host=HOST,
            partitions=("p0", "p1"),
        )

    def __enter__(self) -> Self:
        """Start Graph."""
        self.server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and the threads."""
        self.server.__exit__(kind, error, trace)
        self.executor.shutdown()
        self.graph.close()

    def _answer(self, request: Request, peer: Peer) -> bytes | None:
        self.requests.append((time.monotonic(), request))
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        return script(request, peer)

    def answer(
        self, call: CallNotification, *, left: float = ORDINARY_SECONDS
    ) -> AnswerOutcome:
        """Answer a call that has ``left`` seconds of an ordinary budget."""
        [outcome] = self.answer_all([call], left=left)
        return outcome

    def answer_all(
        self, calls: Iterable[CallNotification], *, left: float = ORDINARY_SECONDS
    ) -> list[AnswerOutcome]:
        """Answer calls that come at the same time."""

        async def run() -> list[AnswerOutcome]:
            received_at = time.monotonic() + left - ORDINARY_SECONDS
            return await asyncio.gather(
                *(
                    self.answering.answer(
                        call, tenant_id=TENANT_ID, received_at=received_at
                    )
                    for call in calls
                )
            )

        return asyncio.run(run())

    def tokens(self) -> list[str]:
        """Return the token of every request."""
        return [request.headers["authorization"] for _at, request in self.requests]
