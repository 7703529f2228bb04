"""One step of a call: a POST, its reply, and what the journal is told of both."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.simulator.platform.callers import Caller
from tests.simulator.platform.calls import CallReport
from tests.simulator.platform.events import NameResolved, StepEnded, StepStarted
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.notifications import Call, new_id
from tests.simulator.platform.transport import PostReply, Timeouts, Transport
from tests.simulator.services.resolver import Resolved
from tests.simulator.services.signing import TokenFactory

_HEADERS = {
    "Accept": "application/json",
    "User-Agent": "Microsoft-Skype/3.0,(Calling/1.0)",
    "Content-Type": "application/json",
}
_PATIENT = Timeouts(connect_seconds=30.0, reply_seconds=30.0)

type FindRegion = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Sends steps; safe for threads.

    Attributes:
        transport: sends the POSTs.
        tokens: mints their tokens.
        journal: is told of every step.
        region_of_host: finds the region that a URL names.
        region_of_address: finds the region that listens on an address, where one host
            stands for several regions.
        source_address: of every POST; None: each caller's own.
    """

    transport: Transport
    tokens: TokenFactory
    journal: Journal
    region_of_host: FindRegion
    region_of_address: FindRegion = lambda _address: None
    source_address: str | None = None

    def token(self, call: Call, variant: str = "good") -> str:
        """Mint a token for a call: a good one of its tenant, or of ``VARIANTS``."""
        if variant == "good":
            return self.tokens.mint(tid=call.tenant_id)
        return self.tokens.variant(variant)

    def notify(
        self,
        url: str,
        body: object,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
        timeouts: Timeouts = _PATIENT,
    ) -> PostReply:
        """POST a notification by itself; the journal is not told of it.

        Args:
            url: where to.
            body: bytes are sent as they are, anything else as JSON.
            token: by default a good one.
            headers: more of them.
            source: the address that it comes from.
            timeouts: how long to wait.
        """
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        bearer = self.tokens.mint() if token is None else token
        sent = {**_HEADERS, "Authorization": f"Bearer {bearer}", **(headers or {})}
        return self.transport.post(url, data, sent, source=source, timeouts=timeouts)

    def send(
        self,
        call: Call,
        url: str,
        body: Any,
        *,
        what: str,
        report: CallReport,
        caller: Caller,
        timeouts: Timeouts,
        token: str | None = None,
        headers: Mapping[str, str],
    ) -> StepEnded:
        """POST one notification of a call and add the step to its report."""
        sent = {
            **_HEADERS,
            "X-Microsoft-Skype-Chain-ID": call.chain_id,
            "X-Microsoft-Skype-Message-ID": new_id(),
            **headers,
        }
        number = next(report.numbers)
        self.journal.append(
            StepStarted(
                call_id=call.call_id,
                step=number,
                what=what,
                url=url,
                region=self.region_of_host(url),
                attempt=report.attempts,
                headers=sent,
                notification=body,
            )
        )
        reply = self.transport.post(
            url,
            json.dumps(body).encode(),
            {**sent, "Authorization": f"Bearer {token or self.token(call)}"},
            source=self.source_address or caller.address,
            timeouts=timeouts,
            on_resolved=partial(self._note_resolved, call.call_id),
        )
        step = StepEnded(
            call_id=call.call_id,
            step=number,
            what=what,
            url=url,
            region=self._region_at(url, reply.address),
            address=reply.address,
            status=reply.status,
            error=reply.error,
            location=reply.headers.get("Location"),
            retry_after_seconds=_seconds(reply.headers.get("Retry-After")),
            took_seconds=reply.took_seconds,
        )
        report.steps.append(step)
        report.replies.append(reply)
        self.journal.append(step)
        return step

    def _region_at(self, url: str, address: str | None) -> str | None:
        if address is None:
            return None
        return self.region_of_address(address) or self.region_of_host(url)

    def _note_resolved(
        self, call_id: str, name: str, resolved: Resolved | None
    ) -> None:
        address = resolved.addresses[0] if resolved else None
        self.journal.append(
            NameResolved(
                call_id=call_id,
                name=name,
                address=address,
                region=self.region_of_address(address) if address else None,
                is_cached=bool(resolved and resolved.is_cached),
            )
        )


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdigit() else None
