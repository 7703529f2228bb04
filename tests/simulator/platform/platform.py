"""The calling platform: places calls at the webhook and follows them to their end.

Documented (https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
and https://learn.microsoft.com/graph/api/call-answer): the legacy form may come first;
204 brings the Graph form, to the registered webhook; 302 names the deployment that
gets the notification; a call that nobody has answered after 15 s (policy recording:
5 s) is lost; follow-ups go to the callbackUri of the answer, or to the registered
webhook where the bot gave none (https://learn.microsoft.com/graph/api/call-reject).

Assumed, because Microsoft publishes nothing about it: a redirected POST carries the
same body and token, and a POST that got no connection, no reply or 503 is sent again
as ``RetryPolicy`` says. With ``RetryPolicy.none()`` the platform gives up at once.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.simulator.platform import notifications
from tests.simulator.platform.callers import CALLERS, Caller
from tests.simulator.platform.calls import (
    MAX_HOPS,
    ORDINARY_SECONDS,
    REDIRECTS,
    CallReport,
    Outcome,
    PlacedCall,
    RetryPolicy,
)
from tests.simulator.platform.events import (
    CallEnded,
    CallPlaced,
    StepEnded,
)
from tests.simulator.platform.notifications import Call
from tests.simulator.platform.steps import Steps
from tests.simulator.platform.transport import Timeouts
from tests.simulator.services.call_control import CallRequest, RingingCall
from tests.simulator.services.graph_api import GraphApi

type OnControl = Callable[[CallRequest], None]


@dataclass(slots=True, kw_only=True)
class _Ring:
    """A call that rings, as one data centre announces it.

    Attributes:
        body, what: the notification that is sent next.
        ends_at: when the call is lost, on the monotonic clock.
    """

    call: Call
    report: CallReport
    caller: Caller
    token: str
    body: Any
    what: str
    ends_at: float


class CallingPlatform:
    """Places calls; safe for threads.

    Attributes:
        webhook: where calls are announced.
        retries: when a notification is sent again.
        before_redirect: called with the 302 before it is followed.
    """

    before_redirect: Callable[[StepEnded], None] | None = None

    def __init__(
        self,
        *,
        webhook: str,
        steps: Steps,
        graph: GraphApi,
        retries: RetryPolicy | None = None,
    ) -> None:
        """Announce calls at ``webhook``; ask ``graph`` which were answered."""
        self.webhook = webhook
        self.retries = retries or RetryPolicy()
        self._steps = steps
        self._graph = graph
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Give up the calls that ring."""
        self._stopping.set()

    def call_of(self, placed: PlacedCall) -> Call:
        """Make the call, with fresh ids."""
        caller = CALLERS[placed.caller]
        return Call(
            tenant_id=placed.tenant_id or self._steps.tokens.tenant_id,
            country_code=placed.country_code or caller.country_code,
            caller_region=placed.caller_region or caller.region,
            is_policy_recording=placed.is_policy_recording,
            media_hosted_region=placed.media_hosted_region,
            is_group=placed.is_group_call,
            caller_id=placed.caller_id or notifications.new_id(),
            caller_kind=placed.caller_kind,
            language_id=placed.language_id,
        )

    def place(self, placed: PlacedCall, call: Call | None = None) -> CallReport:
        """Place a call and follow it to its end."""
        ring = self._place(placed, call or self.call_of(placed), None)
        if ring.report.outcome not in {Outcome.LOST, Outcome.REFUSED}:
            self._follow_up(ring)
        return ring.report

    def announce(
        self, placed: PlacedCall, call: Call, on_control: OnControl | None = None
    ) -> CallReport:
        """Place a call and return what became of it; send no follow-ups.

        ``on_control`` is told of what the bot asks of Graph, on Graph's thread.
        """
        return self._place(placed, call, on_control).report

    def _place(
        self, placed: PlacedCall, call: Call, on_control: OnControl | None
    ) -> _Ring:
        report = CallReport(call_id=call.call_id, placed=placed)
        journal = self._steps.journal
        entry = journal.append(
            CallPlaced(
                call_id=call.call_id,
                chain_id=call.chain_id,
                caller=placed.caller,
                country_code=call.country_code,
                caller_region=call.caller_region,
                is_policy_recording=placed.is_policy_recording,
                starts_legacy=placed.starts_legacy,
            )
        )
        ringing = self._graph.ring(call.call_id, call.tenant_id)
        ringing.is_group, ringing.on_control = call.is_group, on_control
        ringing.is_policy_recording = call.is_policy_recording
        started_at = time.monotonic()
        ring = self._ring(call, report, ends_at=started_at + placed.limit_seconds)
        duplicate = self._announce_beside(ring)
        self._announce_until_settled(ring)
        if duplicate is not None:
            duplicate.join(placed.limit_seconds)
        report.answer_seconds = time.monotonic() - started_at
        self._settle(ring)
        journal.append(
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
        return ring

    def send(
        self, call: Call, report: CallReport, what: str, body: Any, url: str
    ) -> StepEnded:
        """POST one follow-up of a call."""
        return self._steps.send(
            call,
            url,
            body,
            what=what,
            report=report,
            caller=CALLERS[report.placed.caller],
            timeouts=self._timeouts(ORDINARY_SECONDS),
            headers={"Scenario-ID": call.chain_id},
        )

    def send_until_taken(
        self,
        call: Call,
        report: CallReport,
        what: str,
        body: Any,
        url: str,
        retries: RetryPolicy | None = None,
    ) -> None:
        """POST one follow-up; again where ``retries`` (by default its own) says so."""
        policy = retries or self.retries
        pause_seconds = policy.first_pause_seconds
        for attempt in range(policy.attempts):
            if attempt and self._stopping.wait(pause_seconds):
                return
            if attempt:
                pause_seconds = min(2 * pause_seconds, policy.longest_pause_seconds)
            step = self.send(call, report, what, body, url)
            if step.status is not None and step.status not in policy.statuses:
                return

    def _ring(self, call: Call, report: CallReport, *, ends_at: float) -> _Ring:
        placed = report.placed
        is_legacy = placed.starts_legacy
        return _Ring(
            call=call,
            report=report,
            caller=CALLERS[placed.caller],
            token=self._steps.token(call, placed.token_variant),
            body=notifications.legacy_incoming(call)
            if is_legacy
            else notifications.incoming(call, self.webhook),
            what="legacy" if is_legacy else "incoming",
            ends_at=ends_at,
        )

    def _announce_beside(self, ring: _Ring) -> threading.Thread | None:
        """Announce a simultaneous duplicate, if there is one, in a thread."""
        placed = ring.report.placed
        if placed.simultaneous_caller is None:
            return None
        duplicate = replace(
            ring,
            report=CallReport(call_id=ring.call.call_id, placed=placed),
            caller=CALLERS[placed.simultaneous_caller],
            what="duplicate",
        )
        thread = threading.Thread(
            target=self._announce_until_settled, args=(duplicate,), daemon=True
        )
        thread.start()
        return thread

    def _announce_until_settled(self, ring: _Ring) -> None:
        """Announce the call until it is taken, refused, or out of time."""
        report, retries = ring.report, self.retries
        pause_seconds = retries.first_pause_seconds
        while True:
            report.attempts += 1
            step = self._announce(ring)
            if step is None or self._ringing(ring).is_settled:
                return
            report.why = step.error or f"status-{step.status}"
            if step.status is not None and step.status not in retries.statuses:
                return
            pause = max(pause_seconds, step.retry_after_seconds or 0.0)
            pause_seconds = min(2 * pause_seconds, retries.longest_pause_seconds)
            if report.attempts >= retries.attempts:
                return
            if time.monotonic() + pause >= ring.ends_at:
                return
            if self._stopping.wait(pause):
                report.why = "world-stopped"
                return

    def _announce(self, ring: _Ring) -> StepEnded | None:
        """POST, follow 204 and 302, and return the last step; None: it was taken."""
        url, what, hops = self.webhook, ring.what, 0
        while True:
            seconds = ring.ends_at - time.monotonic()
            if seconds <= 0:
                ring.report.why = "out-of-time"
                return None
            step = self._announce_once(ring, url, what, seconds)
            if step.status == 204 and what == "legacy":
                ring.body = notifications.incoming(ring.call, self.webhook)
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
            "X-Microsoft-Skype-Caller-Region": ring.call.caller_region or "",
            **ring.report.placed.headers,
        }
        return self._steps.send(
            ring.call,
            url,
            ring.body,
            what=what,
            report=ring.report,
            caller=ring.caller,
            timeouts=self._timeouts(seconds),
            token=ring.token,
            headers=headers,
        )

    def _timeouts(self, seconds: float) -> Timeouts:
        retries = self.retries
        return Timeouts(
            min(retries.connect_seconds, seconds), min(retries.reply_seconds, seconds)
        )

    def _ringing(self, ring: _Ring) -> RingingCall:
        return self._graph.calls[ring.call.call_id]

    def _settle(self, ring: _Ring) -> None:
        """Only an answer or a rejection through Graph, in time, saves a call."""
        report, ringing = ring.report, self._ringing(ring)
        is_in_time = time.monotonic() <= ring.ends_at
        if ringing.callback_uri is not None and is_in_time:
            report.outcome, report.why = Outcome.ANSWERED, None
            report.callback_uri = ringing.callback_uri
            # An instance is in no region: then it is the one that took the call.
            at_host = self._steps.region_of_host(ringing.callback_uri)
            report.region = at_host or report.steps[-1].region
            return
        if ringing.is_turned_away and is_in_time:
            is_rejected = ringing.rejected_for is not None
            report.outcome = Outcome.REJECTED if is_rejected else Outcome.REDIRECTED
            report.why = None
            report.region = report.steps[-1].region
            return
        ringing.is_over = True
        if report.path and report.path[-1] in {401, 403}:
            report.outcome = Outcome.REFUSED
        elif not is_in_time:
            report.why = "out-of-time"
        report.why = report.why or "not-answered"

    def _follow_up(self, ring: _Ring) -> None:
        """Send what follows an answer, a rejection or a redirect."""
        call, report = ring.call, ring.report
        placed, ringing = report.placed, self._ringing(ring)
        if placed.is_duplicated:
            self._announce_once(ring, self.webhook, "duplicate", ORDINARY_SECONDS)
        follow_ups = notifications.follow_ups(
            call, placed.follow_ups, is_rejected=report.outcome is not Outcome.ANSWERED
        )
        for what, body in follow_ups:
            if self._stopping.is_set():
                return
            ringing.is_established |= what == "established"
            ringing.is_over |= what == "terminated"
            self.send(call, report, what, body, report.callback_uri or self.webhook)
