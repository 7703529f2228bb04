"""What the webhook would do with a notification, and why, as plain data.

``explain`` hands the notification to ``decide`` itself and then tells what each rule
saw. The token is the one thing that cannot be judged here: an acceptable one of the
given tenant is assumed, and what is known of the recorded one is told.
"""

import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from shared.core.bot import Bot
from shared.core.context import LogFacts, RuleContext
from shared.core.decisions import Decision, decide, refuse_without_settings
from shared.core.errors import WebhookError
from shared.core.handlers import State
from shared.core.key_sets import KeySet
from shared.core.tokens import TokenClaims
from shared.core.verified_tokens import VerifiedTokens, digest_of
from shared.core.webhook import WebhookRequest
from shared.settings import Settings, read_settings
from shared.wiring import rule_context
from tests.simulator.explain.handlers import HandlerAnswer, handlers_of
from tests.simulator.explain.recording import Recording
from tests.simulator.explain.region_choice import RegionChoice
from tests.simulator.explain.steps import RuleStep, Sight, tell_steps
from tests.simulator.explain.tenant import find_tenant
from tests.simulator.explain.verdict import Verdict, verdict_of

# Stands for a token that the rules have accepted.
_TOKEN = "assumed"
_LIFETIME_SECONDS = 300
# The decisions after which a bot gets what came.
_TOLD = frozenset({"answer", "accept", "redirect"})


class KnownEnvironment(Protocol):
    """What is to be known of an environment."""

    @property
    def name(self) -> str:
        """Such as ``prod``."""

    def app_settings(self, region: str) -> Mapping[str, str]:
        """Return the environment variables of the deployment of a region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be explained.

    Attributes:
        region: of the deployment that the notification reaches.
        tenant: of the token; ``None``: as the recording suggests.
        unhealthy: regions that are known to be down.
        bot: whose handlers are told; ``None``: no handlers are.
        state: what the call remembers.
    """

    recording: Recording
    environment: KnownEnvironment
    region: str
    tenant: str | None = None
    unhealthy: AbstractSet[str] = field(default_factory=frozenset)
    bot: Bot | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that the rules noticed beside the decision, as in the log's notes."""

    code: str
    cause: str
    cure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer: a verdict, and what led to it.

    Attributes:
        steps: rules 1 to 9, in order; one of them decides.
        choices: where each incoming call belongs, if the rules came to that question.
        notes: what the log would note beside the decision.
        handlers: who takes each item, if the bot is known and gets them.
    """

    environment: str
    region: str
    tenant: str
    steps: tuple[RuleStep, ...]
    choices: tuple[RegionChoice, ...]
    notes: tuple[Note, ...]
    verdict: Verdict
    handlers: tuple[HandlerAnswer, ...] = ()


class _AssumedKeys:
    """The key set under which the assumed token counts as verified."""

    def __init__(self) -> None:
        self._held = KeySet({})

    def current(self) -> KeySet:
        return self._held

    def keep_fresh(self) -> None:
        """Assumed keys do not age."""

    async def find(self, _key_id: str) -> KeySet:
        return self._held


class _AssumedPeers:
    """Health of the other regions, as the question has it."""

    def __init__(self, unhealthy: AbstractSet[str]) -> None:
        self._unhealthy = unhealthy

    def current(self, region: str) -> bool:
        return region not in self._unhealthy

    def keep_watch(self) -> None:
        """Nobody is looked at."""

    async def is_healthy(self, region: str, *, timeout_seconds: float = 0.0) -> bool:
        del timeout_seconds
        return self.current(region)


def explain(question: Question) -> Explanation:
    """Tell what the webhook would do; raises nothing, whatever was recorded."""
    report = read_settings(question.environment.app_settings(question.region))
    tenant = find_tenant(question.recording, question.tenant)
    request = _build_request(question.recording, question, report.settings)
    now = int(time.time())
    claims = TokenClaims(tenant.tenant_id, now + _LIFETIME_SECONDS, now)
    context = _assume(report.settings, claims, question.unhealthy)
    facts = LogFacts()
    outcome = _decide(request, context, facts)
    verdict = verdict_of(outcome, report.settings)
    seen = Sight(
        request=request,
        report=report,
        claims=claims,
        verdict=verdict,
        recording=question.recording,
        tenant=tenant,
        unhealthy=question.unhealthy,
    )
    return Explanation(
        environment=question.environment.name,
        region=question.region,
        tenant=tenant.tenant_id,
        steps=tell_steps(seen),
        choices=seen.choices,
        notes=tuple(
            Note(code=reason.value, cause=reason.cause, cure=reason.next_step)
            for reason in sorted(facts.notes)
        ),
        verdict=verdict,
        handlers=_handlers(question, verdict, tenant.tenant_id),
    )


def _handlers(
    question: Question, verdict: Verdict, tenant_id: str
) -> tuple[HandlerAnswer, ...]:
    """Tell who takes the items, here or where they are sent."""
    bot = question.bot
    if bot is None or verdict.decision not in _TOLD:
        return ()
    return handlers_of(
        question.recording, bot, tenant_id=tenant_id, state=question.state
    )


def _build_request(
    recording: Recording, question: Question, settings: Settings | None
) -> WebhookRequest:
    host = settings.callback_host if settings else question.region
    path = "" if recording.partition is None else f"/{recording.partition}"
    query = f"?{recording.raw_query}" if recording.raw_query else ""
    return WebhookRequest(
        url=f"https://{host}/api/calls{path}{query}",
        headers={**recording.headers, "authorization": f"Bearer {_TOKEN}"},
        body=recording.body,
        partition=recording.partition,
    )


def _assume(
    settings: Settings | None, claims: TokenClaims, unhealthy: AbstractSet[str]
) -> RuleContext | None:
    """Prepare the rules as the service does, with what is assumed at their ports."""
    if settings is None:
        return None
    keys = _AssumedKeys()
    peers = _AssumedPeers(unhealthy)
    verified = VerifiedTokens(leeway_seconds=0)
    verified.remember(digest_of(_TOKEN.encode()), keys.current(), claims)
    context = rule_context(
        settings, Bot(), keys, peers, own_answering=lambda: "unknown"
    )
    return context._replace(verified_tokens=verified)


def _decide(
    request: WebhookRequest, context: RuleContext | None, facts: LogFacts
) -> Decision | WebhookError:
    """Run ``decide``: with these ports nothing in it ever waits."""
    try:
        if context is None:
            refuse_without_settings(request)
        running = decide(request, context, facts)
        running.send(None)
    except StopIteration as end:
        decision: Decision = end.value
        return decision
    except WebhookError as refusal:
        return refusal
    running.close()
    message = "a decision waited for the world"
    raise AssertionError(message)
