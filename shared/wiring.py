"""The parts of the service, each made as the settings say. Nothing is opened here."""

import time
from typing import NamedTuple

from shared.core.answering_health import AnsweringHealth
from shared.core.bot import Bot
from shared.core.context import RuleContext
from shared.core.notices import bot_notices
from shared.core.ports import KeySource, PeerHealth
from shared.core.regions import RegionPolicy
from shared.core.tokens import TokenPolicy
from shared.core.verified_tokens import VerifiedTokens
from shared.edge.answering import CallAnswering
from shared.edge.blob_store import BlobStore
from shared.edge.call_control import PLACES, PLACES_PER_TENANT, CallControl
from shared.edge.call_memory import CallMemory
from shared.edge.dispatcher import Dispatcher
from shared.edge.entra import EntraClient
from shared.edge.event_runs import EventRuns
from shared.edge.follow_ups import FollowUps
from shared.edge.graph import GraphClient
from shared.edge.graph_tokens import GraphTokens
from shared.edge.handler_runs import HandlerRuns
from shared.edge.health_check import HealthCheck
from shared.edge.identity_tokens import IdentityClient, IdentityTokens
from shared.edge.notices import Notices
from shared.edge.openid import OpenIdProvider
from shared.edge.peers import PeerHealthCache
from shared.edge.signing_keys import SigningKeyCache
from shared.edge.state_store import MemoryStore
from shared.edge.turns import Turns
from shared.settings import Settings


def identity_provider(settings: Settings) -> OpenIdProvider:
    """Make what fetches the platform's signing keys."""
    return OpenIdProvider(
        configuration_url=settings.openid_configuration_url,
        key_set_host=settings.key_set_host,
        metadata_issuer=settings.metadata_issuer,
        ca_bundle=settings.ca_bundle,
    )


def signing_keys(provider: OpenIdProvider) -> SigningKeyCache:
    """Make what keeps the platform's signing keys."""
    return SigningKeyCache(provider.fetch)


def notices(settings: Settings, bot: Bot, provider: OpenIdProvider) -> Notices:
    """Make what tells the operator of what should be seen to."""
    return Notices(
        lasting=tuple(
            bot_notices(
                has_handlers=bot.has_handlers,
                keeps_state=bot.handles_follow_ups,
                answers=settings.answer,
                region=settings.region,
                state_url=settings.state_url,
            )
        ),
        certificate_ends_at=settings.credential.certificate_ends_at,
        clock_difference=lambda: provider.clock_difference_seconds,
    )


def peers(settings: Settings) -> PeerHealthCache:
    """Make what watches the other regions."""
    return PeerHealthCache(
        {
            region: HealthCheck(
                host,
                region=region,
                own_region=settings.region,
                ca_bundle=settings.ca_bundle,
            )
            for region, host in settings.region_hosts.items()
            if region != settings.region
        }
    )


def graph(settings: Settings) -> GraphClient:
    """Make the client of Graph."""
    return GraphClient(
        graph_url=settings.graph_url,
        ca_bundle=settings.ca_bundle,
        connections=2 * PLACES,
    )


def entra(settings: Settings) -> EntraClient:
    """Make the client of Entra."""
    return EntraClient(
        settings.credential, graph_url=settings.graph_url, ca_bundle=settings.ca_bundle
    )


class Calls(NamedTuple):
    """What takes calls and their events.

    Attributes:
        controls: one for incoming calls, and one for all that follows, so that neither
            keeps the other from its places.
    """

    dispatcher: Dispatcher
    answering: CallAnswering
    health: AnsweringHealth
    controls: tuple[CallControl, ...]
    store: MemoryStore | BlobStore

    def load(self) -> None:
        """Open what the first event would have to wait for. Blocking, for threads."""
        self.store.load()

    def close(self) -> None:
        """End threads and sessions."""
        for control in self.controls:
            control.close()
        self.store.close()


def calls(
    settings: Settings, bot: Bot, graph_client: GraphClient, entra_client: EntraClient
) -> Calls:
    """Make what takes calls and their events."""
    # A bot of one tenant has no others to share with.
    is_for_one = len(settings.tenants) == 1
    per_tenant = PLACES if is_for_one else PLACES_PER_TENANT
    tokens = GraphTokens(entra_client)
    for_incoming, for_events = (
        CallControl(graph_client, tokens, places_per_tenant=per_tenant)
        for _ in range(2)
    )
    turns = Turns()
    store = _state_store(settings)
    health = AnsweringHealth(time.monotonic)
    runs = EventRuns(HandlerRuns(), CallMemory(store))
    answering = CallAnswering(
        bot,
        runs,
        for_incoming,
        turns,
        health,
        callback_host=settings.callback_host,
        partitions=settings.partitions,
    )
    follow_ups = FollowUps(bot, runs, for_events, turns)
    dispatcher = Dispatcher(bot, runs, answering, follow_ups, settings.partitions)
    controls = (for_incoming, for_events)
    return Calls(dispatcher, answering, health, controls, store)


def _state_store(settings: Settings) -> MemoryStore | BlobStore:
    """Make what keeps what the bot remembers of calls."""
    if not settings.state_url:
        return MemoryStore()
    client = IdentityClient(
        settings.credential.identity_client_id, ca_bundle=settings.ca_bundle
    )
    return BlobStore(
        settings.state_url,
        tokens=IdentityTokens(client),
        ca_bundle=settings.ca_bundle,
    )


def rule_context(
    settings: Settings,
    bot: Bot,
    keys: KeySource,
    peer_health: PeerHealth,
    policy: RegionPolicy,
) -> RuleContext:
    """Make what the rules know beside the POST."""
    return RuleContext(
        token_policy=TokenPolicy(
            audience=settings.app_id,
            issuers=settings.issuers,
            leeway_seconds=settings.token_leeway_seconds,
        ),
        verified_tokens=VerifiedTokens(leeway_seconds=settings.token_leeway_seconds),
        keys=keys,
        clock=time.time,
        monotonic=time.monotonic,
        peers=peer_health,
        region_policy=policy,
        own_region=settings.region,
        region_hosts=settings.region_hosts,
        redirect_status=settings.redirect_status,
        allowed_tenants=settings.tenants,
        partitions=settings.partitions,
        answers_calls=settings.answer,
        bot_events=bot.told_events if settings.answer else frozenset(),
    )
