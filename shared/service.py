"""The composition root: settings, rules and world put together once per process.

``Service.receive`` is the path of a POST: decide, carry the decision out, reply, log
one line. No exception leaves it. The only module-level state of the product is here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from shared.core.decisions import (
    Accept,
    AnswerCalls,
    AskForGraph,
    Decision,
    Deployment,
    RedirectTo,
    Trail,
    decide,
)
from shared.core.errors import (
    BodyTooLargeError,
    TokenRefusedError,
    UnexpectedError,
    WebhookError,
)
from shared.core.reasons import Reason
from shared.core.regions import RegionPolicy
from shared.core.tokens import TokenPolicy
from shared.core.transport import (
    Correlation,
    WebhookReply,
    WebhookRequest,
    refusal_of,
    reply_to,
)
from shared.core.verified_tokens import VerifiedTokens
from shared.edge.answering import CallAnswering, Outcome
from shared.edge.credentials import GraphCredentials
from shared.edge.graph import GraphClient
from shared.edge.health import health_reply
from shared.edge.openid import OpenIdProvider
from shared.edge.peers import HealthCheck, PeerHealthCache
from shared.edge.refusals import RefusalQueue
from shared.edge.signing_keys import SigningKeyCache
from shared.edge.telemetry import log_event, log_request, shorten_records
from shared.settings import Settings, SettingsReport, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# Answers wait for Graph on these threads, not on the event loop and not on the worker's
# own pool, which may be as small as five.
_THREADS = 128
_HEALTH_WAIT_SECONDS = 2.0
_WARM_UP_WAIT_SECONDS = 5.0
_MAX_LOGGED_ITEMS = 20
# Anybody can cause these, in any number; they let calls pass.
_REFUSALS_OF_STRANGERS = (BodyTooLargeError, TokenRefusedError)


class _Handled(NamedTuple):
    """A request that has its reply, with what the log should say about it."""

    reply: WebhookReply
    decision: str
    reason: Reason
    fields: Mapping[str, Any] = {}


class _World:
    """Everything that usable settings make possible."""

    def __init__(self, settings: Settings) -> None:
        """Put rules and world together; opens nothing yet."""
        provider = OpenIdProvider(
            configuration_url=settings.openid_configuration_url,
            metadata_issuer=settings.metadata_issuer,
            ca_bundle=settings.ca_bundle,
        )
        executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="calling")
        self.settings = settings
        self.executor = executor
        self.keys = SigningKeyCache(provider.fetch)
        self.graph = GraphClient(
            graph_url=settings.graph_url,
            ca_bundle=settings.ca_bundle,
            connections=_THREADS,
        )
        self.credentials = GraphCredentials(
            settings.credential,
            graph_url=settings.graph_url,
            ca_bundle=settings.ca_bundle,
            executor=executor,
        )
        self.answering = CallAnswering(
            graph=self.graph,
            credentials=self.credentials,
            executor=executor,
            callback_host=settings.callback_host,
            partitions=settings.partitions,
        )
        region_policy = RegionPolicy(settings.region_rules)
        self.peers = PeerHealthCache(
            {
                region: HealthCheck(
                    settings.region_hosts[region], ca_bundle=settings.ca_bundle
                )
                for region in region_policy.regions - {settings.region}
            }
        )
        self.deployment = _build_deployment(
            settings, self.keys, self.peers, region_policy
        )


class Service:
    """The front door of this deployment."""

    def __init__(self, report: SettingsReport) -> None:
        """Serve by ``report``; with problems, every POST gets 503."""
        self._report = report
        self._refusals = RefusalQueue()
        self._world = _World(report.settings) if report.settings else None
        if report.problems:
            log_event(logging.ERROR, "settings.unusable", problems=report.problems)
        if report.warnings:
            log_event(logging.WARNING, "settings.unknown", warnings=report.warnings)

    async def receive(
        self, request: WebhookRequest, *, received_at: float
    ) -> WebhookReply:
        """Handle a POST that arrived at ``received_at`` (``time.monotonic``)."""
        correlation = Correlation.of(request.headers)
        trail = Trail()
        try:
            deployment = self._world.deployment if self._world else None
            decision = await decide(request, deployment, trail)
            handled = await self._carry_out(decision, correlation, received_at)
        except WebhookError as error:
            if isinstance(error, _REFUSALS_OF_STRANGERS):
                await self._refusals.wait_turn()
            handled = _refuse(correlation, error)
        except Exception:  # nothing escapes: the host would answer 500
            logging.getLogger("calling").exception("unexpected error")
            handled = _refuse(correlation, UnexpectedError())
        log_request(
            request,
            correlation,
            trail,
            reason=handled.reason,
            status=handled.reply.status,
            fields={
                "decision": handled.decision,
                "duration_ms": int((time.monotonic() - received_at) * 1e4) / 10,
                "region": self._report.region or None,
                "key_age_seconds": self._key_age_seconds(),
                **handled.fields,
            },
        )
        return handled.reply

    async def health(self) -> WebhookReply:
        """Report health; the first probe loads the keys and waits for them a little."""
        if self._world is None:
            return health_reply(self._report, "none")
        self._world.peers.keep_watch()
        try:
            await self._world.keys.load(timeout_seconds=_HEALTH_WAIT_SECONDS)
        except Exception:  # such as no thread to be had: the report must still go out
            logging.getLogger("calling").exception("unexpected error")
        return health_reply(self._report, self._world.keys.freshness())

    async def warm_up(self) -> None:
        """Load before the first call what the first call would have to wait for."""
        world = self._world
        if world is None:
            return
        world.peers.keep_watch()
        if world.settings.answer:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(world.executor, world.graph.load)
            await loop.run_in_executor(world.executor, world.credentials.load)
        await world.keys.load(timeout_seconds=_WARM_UP_WAIT_SECONDS)

    async def _carry_out(
        self, decision: Decision, correlation: Correlation, received_at: float
    ) -> _Handled:
        match decision:
            case Accept():
                return _Handled(
                    reply=reply_to(correlation, HTTPStatus.ACCEPTED),
                    decision="accept",
                    reason=decision.reason,
                )
            case AnswerCalls():
                return await self._answer(decision, correlation, received_at)
            case RedirectTo():
                return self._redirect(decision, correlation)
            case AskForGraph():
                return _Handled(
                    reply=reply_to(correlation, HTTPStatus.NO_CONTENT),
                    decision="ask-for-graph",
                    reason=Reason.LEGACY_PROTOCOL,
                )
            case _:
                assert_never(decision)

    def _redirect(self, decision: RedirectTo, correlation: Correlation) -> _Handled:
        status = self._usable_world().settings.redirect_status
        return _Handled(
            reply=reply_to(correlation, status, {"Location": decision.location}),
            decision="redirect",
            reason=Reason.REDIRECTED,
            fields={"redirect_region": decision.region},
        )

    async def _answer(
        self, decision: AnswerCalls, correlation: Correlation, received_at: float
    ) -> _Handled:
        answering = self._usable_world().answering
        outcomes = await asyncio.gather(
            *(
                answering.answer(
                    call, tenant_id=decision.tenant_id, received_at=received_at
                )
                for call in decision.calls
            )
        )
        if any(outcome.is_unavailable for outcome in outcomes):
            retry = {"Retry-After": "1"}
            reply = reply_to(correlation, HTTPStatus.SERVICE_UNAVAILABLE, retry)
        else:
            reply = reply_to(correlation, HTTPStatus.ACCEPTED)
        is_one = len(outcomes) == 1
        return _Handled(
            reply=reply,
            decision="answer",
            reason=outcomes[0].reason if is_one else Reason.BATCH,
            fields=_fields_of(outcomes[0]) if is_one else _items_of(decision, outcomes),
        )

    def _usable_world(self) -> _World:
        if self._world is None:
            raise UnexpectedError
        return self._world

    def _key_age_seconds(self) -> int | None:
        age = self._world.keys.age_seconds() if self._world else None
        return None if age is None else int(age)


def _build_deployment(
    settings: Settings,
    keys: SigningKeyCache,
    peers: PeerHealthCache,
    region_policy: RegionPolicy,
) -> Deployment:
    return Deployment(
        token_policy=TokenPolicy(
            audience=settings.app_id,
            issuers=settings.issuers,
            leeway_seconds=settings.token_leeway_seconds,
        ),
        verified_tokens=VerifiedTokens(leeway_seconds=settings.token_leeway_seconds),
        keys=keys,
        clock=time.time,
        peers=peers,
        region_policy=region_policy,
        own_region=settings.region,
        region_hosts=settings.region_hosts,
        allowed_tenants=settings.tenants,
        partitions=settings.partitions,
        answers_calls=settings.answer,
    )


def _refuse(correlation: Correlation, error: WebhookError) -> _Handled:
    return _Handled(
        reply=refusal_of(correlation, error), decision="refuse", reason=error.reason
    )


def _fields_of(outcome: Outcome) -> dict[str, Any]:
    return {
        "attempts": outcome.attempts,
        "graph_status": outcome.graph_status,
        "graph_code": outcome.graph_code,
    }


def _items_of(decision: AnswerCalls, outcomes: list[Outcome]) -> dict[str, Any]:
    return {
        "items": [
            {"call_id": call.call_id, "reason": outcome.reason, **_fields_of(outcome)}
            for call, outcome in zip(decision.calls, outcomes, strict=True)
        ][:_MAX_LOGGED_ITEMS]
    }


_building = threading.Lock()
_service: Service | None = None


def get_service() -> Service:
    """Return the service of this process, built on the first request."""
    global _service  # noqa: PLW0603 - the one piece of module state
    if _service is None:
        with _building:
            if _service is None:
                shorten_records()
                _service = Service(read_settings(os.environ))
    return _service


async def receive(request: WebhookRequest) -> WebhookReply:
    """Handle a POST with the service of this process."""
    received_at = time.monotonic()
    return await get_service().receive(request, received_at=received_at)


async def health() -> WebhookReply:
    """Report the health of this process."""
    return await get_service().health()


async def warm_up() -> None:
    """Warm this process up; an error here must not keep calls out."""
    try:
        await get_service().warm_up()
    except Exception:  # the first call loads what this did not
        logging.getLogger("calling").exception("warm-up failed")
