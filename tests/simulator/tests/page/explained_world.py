"""The simulated world without processes: its regions reply as ``explain`` says.

The calling platform, DNS, faults, rules and the journal are the real ones. A region has
no process; what it would reply, and log, is what ``explain`` answers. So the tests of
the page start in a moment, and every call goes exactly where the rules say.
"""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from infra.environment import Environment
from shared.settings import read_settings
from tests.simulator.environment import Region, World, WorldOptions
from tests.simulator.environment.events import LogWritten
from tests.simulator.explain.explanation import Explanation, Question, explain
from tests.simulator.explain.recording import Recording
from tests.simulator.options import DEFAULT_FILE
from tests.simulator.page.state import unhealthy_of
from tests.simulator.platform.calls import CallReport, PlacedCall, RetryPolicy
from tests.simulator.platform.transport import PostReply, Transport
from tests.simulator.services.resolver import StubResolver
from tests.simulator.services.traffic_manager import EndpointChanged, ProbeAnswered

_CALL_SECONDS = 20.0
_PID = 4711
_WEBHOOK_PATH = "/api/calls"


class ExplainedRegion(Region):
    """A region without a process; it changes its state at once."""

    world: "ExplainedWorld"
    has_problems = False

    def start(self, settings: Mapping[str, str], **_options: Any) -> None:
        self.has_problems = bool(read_settings(settings).problems)
        self._change("running", _PID)

    restart = start

    def kill(self) -> None:
        self._change("stopped", None)

    def suspend(self) -> None:
        self._change("hanging", _PID)

    def resume(self) -> None:
        self._change("running", _PID)

    def _change(self, state: str, pid: int | None) -> None:
        super()._change(state, pid)
        status = 503 if self.has_problems else 200
        self.world.probe(self.code, status if state == "running" else None)


class ExplainingTransport(Transport):
    """Resolves names as the real one does, and replies without sending anything."""

    def __init__(self, world: "ExplainedWorld") -> None:
        resolver = StubResolver(world.name_server.address)
        super().__init__(resolver, world.neighbours.authority.client_context())
        self._world = world

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        source: str,
        on_resolved: Any = None,
        **_options: Any,
    ) -> PostReply:
        parts = urlsplit(url)
        address = self._resolve(parts.hostname or "", source, on_resolved)[0]
        region = next(r for r in self._world.regions.values() if r.address == address)
        if region.state != "running":
            error = (
                "connection-refused" if region.state == "stopped" else "reply-timeout"
            )
            return PostReply(address=address, headers={}, error=error, took_seconds=0)
        if parts.path != _WEBHOOK_PATH:
            return PostReply(
                address=address, status=202, headers={}, took_seconds=0.004
            )
        recording = Recording(
            body=body,
            headers={name.lower(): value for name, value in headers.items()},
            raw_query=parts.query,
        )
        verdict = self._world.reply(region, recording).verdict
        replied = {"Location": verdict.location} if verdict.location else {}
        return PostReply(
            address=address, status=verdict.status, headers=replied, took_seconds=0.006
        )


class ExplainedWorld(World):
    """The world of ``infra/params/prod.json`` without processes."""

    def __init__(self) -> None:
        options = WorldOptions(retries=RetryPolicy.none())
        super().__init__(Environment.read(DEFAULT_FILE), options)

    def start(self, stack: ExitStack) -> None:
        # Nobody asks these, but the regions' settings name them.
        for server in (self.neighbours.provider, self.neighbours.entra):
            server.host = "127.0.0.1:1"
        self.neighbours.identity.host = self.neighbours.graph.host = "127.0.0.1:1"
        stack.callback(self.journal.close)
        stack.enter_context(self.name_server)
        self._connect()
        stack.callback(self._calls.shutdown, cancel_futures=True)
        stack.callback(self.platform.stop)
        stack.callback(self.traffic.close)
        for code in self.regions:
            self._rollout.start(code)

    def place_call(
        self, call: PlacedCall | str = "amsterdam", **members: Any
    ) -> Future[CallReport]:
        """Place a call, and wait until all of it has been told."""
        future = super().place_call(call, **members)
        future.result(_CALL_SECONDS)
        return future

    @property
    def name(self) -> str:
        return self.file.name

    def app_settings(self, region: str) -> Mapping[str, str]:
        return self.settings_of(region)

    def probe(self, code: str, status: int | None) -> None:
        """Let Traffic Manager know a region's health; one probe decides, not three."""
        error = None if status else "connection-refused"
        self.journal.append(
            ProbeAnswered(region=code, status=status, error=error, took_seconds=0.012)
        )
        health = self.traffic_manager._health[code]
        if health.is_degraded == (status == 200):
            health.is_degraded = status != 200
            self.journal.append(EndpointChanged(region=code, status=health.status))

    def reply(self, region: Region, recording: Recording) -> Explanation:
        """Explain a POST to a region; log it, and tell Graph if it is answered."""
        explanation = explain(
            Question(
                recording=recording,
                environment=self,
                region=region.code,
                tenant=self.neighbours.tenant_id,
                unhealthy=unhealthy_of(self.snapshot()),
            )
        )
        verdict = explanation.verdict
        data = json.loads(recording.body).get("value", [{}])[0].get("resourceData", {})
        line = {
            "event": "notification.handled",
            "reason": verdict.reason,
            "status": verdict.status,
            "call_id": data.get("id"),
            "decision": verdict.decision,
            "redirect_region": verdict.region,
            "region": region.code,
        }
        known = {name: value for name, value in line.items() if value is not None}
        self.journal.append(
            LogWritten(region=region.code, call_id=data.get("id"), line=known)
        )
        for answer in verdict.answers:
            ringing = self.neighbours.graph.calls[answer.call_id]
            ringing.callback_uri = answer.callback_uri
            ringing.rejected_for = None if answer.callback_uri else "none"
        return explanation

    def _plan_region(self, code: str, location: str, address: str) -> Region:
        region = ExplainedRegion(
            code=code,
            location=location,
            address=address,
            host=f"{self.file.host_name(code)}:{self.port}",
            certificate=self.neighbours.authority.certificate,
            journal=self.journal,
        )
        region.world = self
        return region

    def _transport(self) -> Transport:
        return ExplainingTransport(self)
