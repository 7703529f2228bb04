"""The calling platform: places calls at a webhook and behaves as Teams does.

It posts the legacy form first where the scenario says so, posts again in Graph form
after a 204, follows a 302 or 307 by posting the same body and token to its Location,
and gives a call up that nobody has answered in time. An answered call's follow-ups go
to its callbackUri. What is documented, observed and inferred of this:
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import requests

from tests.simulator.platform import notifications
from tests.simulator.platform.notifications import Call
from tests.simulator.services.authority import Authority
from tests.simulator.services.graph_api import GraphApi
from tests.simulator.services.signing import TokenFactory

ORDINARY_SECONDS = 15.0
POLICY_RECORDING_SECONDS = 5.0
MAX_HOPS = 3

_REDIRECTS = (302, 307)
_GRAPH_AGAIN = 204


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    LOST = "lost"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One POST of the platform and its reply."""

    what: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass(slots=True)
class CallRecord:
    """Everything that happened to a call."""

    call: Call
    steps: list[Step] = field(default_factory=list)
    outcome: Outcome = Outcome.LOST
    callback_uri: str | None = None

    @property
    def path(self) -> list[int]:
        """The statuses in order."""
        return [step.status for step in self.steps]

    @property
    def hops(self) -> int:
        """How often the call was redirected."""
        return sum(step.status in _REDIRECTS for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How the platform treats one call."""

    starts_legacy: bool = False
    token_variant: str = "good"
    headers: Mapping[str, str] = field(default_factory=dict)
    sends_follow_ups: bool = True


class CallingPlatform:
    """Places calls. One for each thread."""

    def __init__(
        self,
        *,
        authority: Authority,
        tokens: TokenFactory,
        graph: GraphApi | None,
        watch: Callable[[Call, Step], None] | None = None,
    ) -> None:
        """Trust ``authority``; ask ``graph`` which calls were answered."""
        self._tokens = tokens
        self._graph = graph
        self._watch = watch or (lambda _call, _step: None)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(authority.bundle)

    def place(
        self, call: Call, webhook: str, scenario: Scenario | None = None
    ) -> CallRecord:
        """Place a call at the webhook and follow it to its end."""
        scenario = scenario or Scenario()
        record = CallRecord(call)
        if self._graph is not None:
            self._graph.ring(call.call_id, call.tenant_id)
        started_at = time.monotonic()
        status = self._announce(record, webhook, scenario)
        self._settle(record, status, time.monotonic() - started_at)
        if record.callback_uri is not None and scenario.sends_follow_ups:
            self._follow_up(record, record.callback_uri)
        return record

    def post(
        self,
        call: Call,
        url: str,
        body: object,
        *,
        what: str,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Step:
        """Post one notification with a fresh token, following nothing."""
        sent = {
            "Accept": "application/json",
            "User-Agent": "Microsoft-Skype/3.0,(Calling/1.0)",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token or self._tokens.mint()}",
            "X-Microsoft-Skype-Chain-ID": call.chain_id,
            "X-Microsoft-Skype-Message-ID": notifications.new_id(),
            **(headers or {}),
        }
        started_at = time.monotonic()
        response = self._session.post(
            url,
            data=json.dumps(body).encode(),
            headers=sent,
            allow_redirects=False,
            timeout=30,
        )
        step = Step(
            what=what,
            url=url,
            status=response.status_code,
            headers=response.headers,
            body=response.content,
            seconds=time.monotonic() - started_at,
        )
        self._watch(call, step)
        return step

    def _announce(self, record: CallRecord, webhook: str, scenario: Scenario) -> int:
        """Post the incoming call until a deployment has taken or refused it."""
        call = record.call
        headers = {
            "X-Microsoft-Skype-Caller-Region": call.caller.region or "",
            **scenario.headers,
        }
        token = self._tokens.variant(scenario.token_variant)

        def post(url: str, body: Any, what: str) -> Step:
            step = self.post(call, url, body, what=what, token=token, headers=headers)
            record.steps.append(step)
            return step

        if scenario.starts_legacy:
            step = post(webhook, notifications.legacy_incoming(call), "legacy")
            if step.status != _GRAPH_AGAIN:
                return step.status
        body = notifications.incoming(call, webhook)
        step = post(webhook, body, "incoming")
        while step.status in _REDIRECTS and record.hops <= MAX_HOPS:
            step = post(step.headers["Location"], body, "redirected")
        return step.status

    def _settle(self, record: CallRecord, status: int, seconds: float) -> None:
        """Tell how the call ended: only an answer through Graph, in time, saves it."""
        call = record.call
        ringing = self._graph.calls.get(call.call_id) if self._graph else None
        is_recording = call.is_policy_recording
        limit = POLICY_RECORDING_SECONDS if is_recording else ORDINARY_SECONDS
        if (
            ringing is not None
            and ringing.callback_uri is not None
            and seconds <= limit
        ):
            record.outcome = Outcome.ANSWERED
            record.callback_uri = ringing.callback_uri
        elif status in {401, 403}:
            record.outcome = Outcome.REFUSED
        if ringing is not None and record.callback_uri is None:
            ringing.is_over = True

    def _follow_up(self, record: CallRecord, callback_uri: str) -> None:
        call = record.call
        for what, body in (
            ("establishing", notifications.establishing(call)),
            ("established", notifications.established(call, is_audio_active=False)),
            ("established", notifications.established(call, is_audio_active=True)),
            ("roster", notifications.roster(call)),
            ("terminated", notifications.terminated(call)),
        ):
            headers = {"Scenario-ID": call.chain_id}
            step = self.post(call, callback_uri, body, what=what, headers=headers)
            record.steps.append(step)
