"""The calling platform, from the data centre that hosts the call.

Documented (https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
and https://learn.microsoft.com/graph/api/call-answer): the legacy form may come first;
204 brings the Graph form, to the registered webhook; 302 names the deployment that
gets the notification; a call that nobody has answered after 15 s (policy recording:
5 s) is lost; follow-ups go to the callbackUri of the answer.

Assumed, because Microsoft publishes nothing: a redirected POST carries the same body
and token; and a POST that got no connection, no reply or 503 comes again, as
``RetryPolicy`` says. ``RetryPolicy.none()`` is a platform that gives up at once.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulator.environment.calls import (
    REDIRECTS,
    CallReport,
    PlacedCall,
    RetryPolicy,
)
from tests.simulator.environment.events import (
    CallEnded,
    CallPlaced,
    EventLog,
    StepEnded,
    StepStarted,
)
from tests.simulator.environment.places import CALLERS, Caller
from tests.simulator.environment.transport import PostReply, Timeouts, Transport
from tests.simulator.platform import notifications
from tests.simulator.platform.notifications import Call
from tests.simulator.platform.platform import MAX_HOPS, ORDINARY_SECONDS, Outcome
from tests.simulator.services.graph_api import GraphApi
from tests.simulator.services.signing import TokenFactory


@dataclass(slots=True, kw_only=True)
class _Ring:
    """A call that rings."""

    call: Call
    report: CallReport
    caller: Caller
    token: str
    body: Any
    what: str
    ends_at: float
    pause_seconds: float


class Platform:
    """Places calls; safe for threads.

    Attributes:
        retries: when a notification comes again.
        before_redirect: called with the 302 before it is followed.
    """

    def __init__(
        self,
        *,
        webhook: str,
        transport: Transport,
        tokens: TokenFactory,
        graph: GraphApi,
        events: EventLog,
        region_of_host: Callable[[str], str | None],
        region_of_address: Callable[[str], str | None],
        retries: RetryPolicy | None = None,
    ) -> None:
        """Announce calls at ``webhook``; ask ``graph`` which were answered."""
        self.retries = retries or RetryPolicy()
        self.before_redirect: Callable[[StepEnded], None] | None = None
        self._webhook = webhook
        self._transport = transport
        self._tokens = tokens
        self._graph = graph
        self._events = events
        self._region_of_host = region_of_host
        self._region_of_address = region_of_address
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Give up whatever rings."""
        self._stopping.set()

    def call_of(self, placed: PlacedCall) -> Call:
        """Make the call, with fresh ids."""
        caller = CALLERS[placed.caller]
        return Call(
            tenant_id=self._tokens.tenant_id,
            caller=notifications.Caller(
                country_code=placed.country_code or caller.country_code,
                region=placed.caller_region or caller.region,
            ),
            is_policy_recording=placed.is_policy_recording,
            media_hosted_region=placed.media_hosted_region,
        )

    def place(self, placed: PlacedCall, call: Call | None = None) -> CallReport:
        """Place a call and follow it to its end."""
        call = call or self.call_of(placed)
        report = CallReport(call_id=call.call_id, placed=placed)
        entry = self._events.append(
            CallPlaced(
                call_id=call.call_id,
                chain_id=call.chain_id,
                caller=placed.caller,
                country_code=call.caller.country_code,
                caller_region=call.caller.region,
                is_policy_recording=placed.is_policy_recording,
                starts_legacy=placed.starts_legacy,
            )
        )
        self._graph.ring(call.call_id, call.tenant_id)
        started_at = time.monotonic()
        ring = self._ring(placed, call, report, started_at)
        twin = self._start_twin(placed, ring)
        self._announce_until_settled(ring)
        if twin is not None:
            twin.join(placed.limit_seconds)
        report.answer_seconds = time.monotonic() - started_at
        self._settle(ring, ends_at=started_at + placed.limit_seconds)
        self._events.append(
            CallEnded(
                call_id=call.call_id,
                caller=placed.caller,
                outcome=report.outcome.value,
                why=report.why,
                region=report.region,
                hops=report.hops,
                attempts=report.attempts,
                answer_seconds=report.answer_seconds,
                placed_at_seconds=entry.seconds,
            )
        )
        self._after(ring)
        return report

    def post(
        self,
        caller: Caller,
        call: Call,
        url: str,
        body: Any,
        *,
        what: str,
        report: CallReport,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = ORDINARY_SECONDS,
    ) -> StepEnded:
        """POST one notification of a call from a caller's data centre."""
        sent = {
            "Accept": "application/json",
            "User-Agent": "Microsoft-Skype/3.0,(Calling/1.0)",
            "Content-Type": "application/json",
            "X-Microsoft-Skype-Chain-ID": call.chain_id,
            "X-Microsoft-Skype-Message-ID": notifications.new_id(),
            **(headers or {}),
        }
        region = self._region_of_host(url)
        number = len(report.steps)
        self._events.append(
            StepStarted(
                call_id=call.call_id,
                step=number,
                what=what,
                url=url,
                region=region,
                attempt=report.attempts,
                headers=sent,
                notification=body,
            )
        )
        reply = self._transport.post(
            url,
            json.dumps(body).encode(),
            {**sent, "Authorization": f"Bearer {token or self._tokens.mint()}"},
            source=caller.address,
            timeouts=Timeouts(
                min(self.retries.connect_seconds, seconds),
                min(self.retries.reply_seconds, seconds),
            ),
            correlation=call.call_id,
        )
        step = self._ended(call, number, what, url, reply)
        report.steps.append(step)
        self._events.append(step)
        return step

    def _ended(
        self, call: Call, number: int, what: str, url: str, reply: PostReply
    ) -> StepEnded:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        address = reply.address
        return StepEnded(
            call_id=call.call_id,
            step=number,
            what=what,
            url=url,
            region=self._region_of_address(address) if address else None,
            address=address,
            status=reply.status,
            error=reply.error,
            location=headers.get("location"),
            retry_after_seconds=_seconds(headers.get("retry-after")),
            took_seconds=reply.took_seconds,
        )

    def _ring(
        self, placed: PlacedCall, call: Call, report: CallReport, started_at: float
    ) -> _Ring:
        is_legacy = placed.starts_legacy
        return _Ring(
            call=call,
            report=report,
            caller=CALLERS[placed.caller],
            token=self._tokens.variant(placed.token_variant),
            body=notifications.legacy_incoming(call)
            if is_legacy
            else notifications.incoming(call, self._webhook),
            what="legacy" if is_legacy else "incoming",
            ends_at=started_at + placed.limit_seconds,
            pause_seconds=self.retries.first_pause_seconds,
        )

    def _start_twin(self, placed: PlacedCall, ring: _Ring) -> threading.Thread | None:
        """Announce the same notification once more, at the same time."""
        if placed.twin_caller is None:
            return None
        twin = CALLERS[placed.twin_caller]
        report = CallReport(call_id=ring.call.call_id, placed=placed)
        other = _Ring(
            call=ring.call,
            report=report,
            caller=twin,
            token=ring.token,
            body=ring.body,
            what="duplicate",
            ends_at=ring.ends_at,
            pause_seconds=ring.pause_seconds,
        )
        thread = threading.Thread(
            target=self._announce_until_settled, args=(other,), daemon=True
        )
        thread.start()
        return thread

    def _announce_until_settled(self, ring: _Ring) -> None:
        """Announce the call until it is taken, refused, or the time is up."""
        report = ring.report
        while True:
            report.attempts += 1
            step = self._announce(ring)
            if step is None or self._is_answered(ring):
                return
            if not self._comes_again(step):
                report.why = _why(step)
                return
            report.why = _why(step)
            pause = max(ring.pause_seconds, step.retry_after_seconds or 0.0)
            ring.pause_seconds = min(
                2 * ring.pause_seconds, self.retries.longest_pause_seconds
            )
            if report.attempts >= self.retries.attempts:
                return
            if time.monotonic() + pause >= ring.ends_at:
                return
            if self._stopping.wait(pause):
                report.why = "world-stopped"
                return

    def _announce(self, ring: _Ring) -> StepEnded | None:
        """POST, follow 204 and 302, and return the last step; None: it was taken."""
        url, what, hops = self._webhook, ring.what, 0
        while True:
            seconds = ring.ends_at - time.monotonic()
            if seconds <= 0:
                ring.report.why = "out-of-time"
                return None
            step = self._announce_once(ring, url, what, seconds)
            if step.status == 204 and what == "legacy":
                ring.body = notifications.incoming(ring.call, self._webhook)
                ring.what = what = "incoming"
            elif step.status in REDIRECTS and step.location and hops < MAX_HOPS:
                hops += 1
                if self.before_redirect is not None:
                    self.before_redirect(step)
                url, what = step.location, "redirected"
            elif step.status == 202:
                return None
            else:
                return step

    def _announce_once(
        self, ring: _Ring, url: str, what: str, seconds: float
    ) -> StepEnded:
        headers = {
            "X-Microsoft-Skype-Caller-Region": ring.call.caller.region or "",
            **ring.report.placed.headers,
        }
        return self.post(
            ring.caller,
            ring.call,
            url,
            ring.body,
            what=what,
            report=ring.report,
            token=ring.token,
            headers=headers,
            seconds=seconds,
        )

    def _comes_again(self, step: StepEnded) -> bool:
        return step.status is None or step.status in self.retries.statuses

    def _is_answered(self, ring: _Ring) -> bool:
        return self._graph.calls[ring.call.call_id].callback_uri is not None

    def _settle(self, ring: _Ring, *, ends_at: float) -> None:
        """Only an answer through Graph, in time, saves a call."""
        report, ringing = ring.report, self._graph.calls[ring.call.call_id]
        is_in_time = time.monotonic() <= ends_at
        if ringing.callback_uri is not None and is_in_time:
            report.outcome, report.why = Outcome.ANSWERED, None
            report.callback_uri = ringing.callback_uri
            report.region = self._region_of_host(ringing.callback_uri)
            return
        ringing.is_over = True
        last = report.steps[-1] if report.steps else None
        if last is not None and last.status in {401, 403}:
            report.outcome = Outcome.REFUSED
        elif not is_in_time:
            report.why = "out-of-time"
        report.why = report.why or "not-answered"

    def _after(self, ring: _Ring) -> None:
        """Send what follows an answer."""
        report, call = ring.report, ring.call
        if report.callback_uri is None:
            return
        if report.placed.is_duplicated:
            self._announce_once(ring, self._webhook, "duplicate", ORDINARY_SECONDS)
        for what, body in _follow_ups(call, report.placed.follow_ups):
            if self._stopping.is_set():
                return
            self.post(
                ring.caller,
                call,
                report.callback_uri,
                body,
                what=what,
                report=report,
                headers={"Scenario-ID": call.chain_id},
            )


def _why(step: StepEnded) -> str:
    return step.error or f"status-{step.status}"


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdigit() else None


def _follow_ups(call: Call, order: str) -> Sequence[tuple[str, Any]]:
    if order == "none":
        return ()
    established = notifications.established(call, is_audio_active=True)
    in_order = (
        ("establishing", notifications.establishing(call)),
        ("established", notifications.established(call, is_audio_active=False)),
        ("established", established),
        ("roster", notifications.roster(call)),
        ("terminated", notifications.terminated(call)),
    )
    if order == "out-of-order":
        return (in_order[4], in_order[2], in_order[2], in_order[0], in_order[3])
    return in_order
