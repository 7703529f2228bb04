"""Redirects: whether a call has been redirected already, and where to send it next.

Microsoft's words: "Redirects for region affinity",
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qsl

from shared.core import routes, rules
from shared.core.attempts import KEPT_FOR_GRAPH_SECONDS, budget_seconds
from shared.core.conditions import Origin, read_facts
from shared.core.context import LogFacts, RuleContext
from shared.core.notifications import CallNotification
from shared.core.reasons import Reason
from shared.core.regions import RegionRule
from shared.core.webhook import WebhookRequest

# Marks a call that has been redirected. A query survives a redirect; a header may not.
_HOP = "hop"
# How long a call waits at most for a region of which nothing recent is known.
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """Reply 302 (or 307): another region should have the call.

    Attributes:
        region: its code.
        location: of the reply.
        status: of the reply.
        reason: ``redirected``, or ``evacuated`` if a call among them would have stayed.
    """

    region: str
    location: str
    status: int
    reason: Reason = Reason.REDIRECTED

    rule: ClassVar = rules.REDIRECT
    name: ClassVar = "redirect"

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside the reason."""
        return {"redirect_region": self.region}


def redirect_location(host: str) -> str:
    """Build the ``Location`` of a redirect: absolute, marked as the one hop allowed."""
    return f"https://{host}{routes.CALLS}?{_HOP}=1"


def was_redirected(raw_query: str) -> bool:
    """Tell whether the query has ``hop``, with any value or none, however spelt."""
    if not raw_query:
        return False
    parameters = parse_qsl(raw_query, keep_blank_values=True, encoding="latin-1")
    return any(name.casefold() == _HOP for name, _value in parameters)


class PlacedCall(NamedTuple):
    """An incoming call, and the rule that says which regions should have it."""

    call: CallNotification
    rule: RegionRule


def place_calls(
    calls: Iterable[CallNotification],
    tenant_id: str,
    headers: Mapping[str, str],
    context: RuleContext,
) -> Sequence[PlacedCall]:
    """Find the rule of each incoming call of one POST.

    Args:
        calls: of the POST.
        tenant_id: of its token.
        headers: of the POST.
        context: what the settings say.
    """
    policy = context.region_policy
    return [
        PlacedCall(
            call,
            policy.find_rule(
                read_facts(Origin(call, tenant_id, headers), policy.conditions)
            ),
        )
        for call in calls
    ]


async def find_redirect(
    placed: Sequence[PlacedCall],
    request: WebhookRequest,
    context: RuleContext,
    facts: LogFacts,
) -> RedirectTo | None:
    """Find the one other region to which all these calls belong, if there is one.

    Args:
        placed: the incoming calls of one POST, at least one.
        request: the POST.
        context: what the settings say.
        facts: gets a note where a redirect is suppressed or a region is unhealthy.
    """
    own = context.own_region
    belong_here = all(rule.prefers(own) for _call, rule in placed)
    if was_redirected(request.raw_query):
        if not belong_here:
            facts.notes.add(Reason.REDIRECT_SUPPRESSED)
        return None
    if belong_here and context.own_answering() != "failing":
        return None
    budget = min([budget_seconds(call) for call, _rule in placed])
    waits_until = request.received_at + budget - KEPT_FOR_GRAPH_SECONDS
    # Every call is looked at, so that an unhealthy region is noted in any order.
    chosen = [
        await _choose(rule, waits_until, context, facts) for _call, rule in placed
    ]
    regions = {choice.region for choice in chosen}
    if len(regions) > 1 or own in regions:
        return None
    [region] = regions
    is_evacuated = any(choice.is_evacuated for choice in chosen)
    return RedirectTo(
        region,
        redirect_location(context.region_hosts[region]),
        context.redirect_status,
        Reason.EVACUATED if is_evacuated else Reason.REDIRECTED,
    )


class _Choice(NamedTuple):
    region: str
    is_evacuated: bool = False


async def _choose(
    rule: RegionRule, waits_until: float, context: RuleContext, facts: LogFacts
) -> _Choice:
    """Choose the region of a call.

    A call that would stay leaves a region that cannot answer at present: for another
    one of its rule, else, unless the rule is strict, for any other.
    """
    own = context.own_region
    region = await _first_healthy(rule.regions or (own,), waits_until, context, facts)
    if region != own or context.own_answering() != "failing":
        return _Choice(region)
    others = [*rule.regions, *(() if rule.is_strict else _regions_after_own(context))]
    refuge = await _first_healthy(
        [other for other in others if other != own], waits_until, context, LogFacts()
    )
    return _Choice(refuge, is_evacuated=refuge != own)


def _regions_after_own(context: RuleContext) -> Sequence[str]:
    """Return all other regions, beginning with the one after our own."""
    codes = [*context.region_hosts]
    if context.own_region not in codes:
        return codes
    place = codes.index(context.own_region)
    return codes[place + 1 :] + codes[:place]


async def _first_healthy(
    regions: Sequence[str],
    waits_until: float,
    context: RuleContext,
    facts: LogFacts,
) -> str:
    """Return the first healthy region, asking no longer than ``waits_until``.

    Our own counts as healthy, and is the answer if no other is.
    """
    for region in regions:
        if region == context.own_region:
            return region
        is_healthy = context.peers.current(region)
        if is_healthy is None:
            seconds = min(waits_until - context.monotonic(), _LOOK_SECONDS)
            is_healthy = await context.peers.is_healthy(
                region, timeout_seconds=max(seconds, 0)
            )
        if is_healthy:
            return region
        facts.notes.add(Reason.REGION_UNHEALTHY)
    return context.own_region
