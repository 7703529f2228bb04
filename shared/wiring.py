"""The parts of the service, each made as the settings say. Nothing is opened here."""

import time
from collections.abc import Callable

from shared.core.answering_health import Answering
from shared.core.bot import Bot
from shared.core.context import RuleContext
from shared.core.event_types import Event
from shared.core.notices import bot_notices
from shared.core.ports import KeySource, PeerHealth
from shared.core.regions import RegionPolicy
from shared.core.tokens import TokenPolicy
from shared.core.verified_tokens import VerifiedTokens
from shared.edge.health_check import HealthCheck
from shared.edge.notices import Notices
from shared.edge.openid import OpenIdProvider
from shared.edge.peers import PeerHealthCache
from shared.edge.signing_keys import SigningKeyCache
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
                has_unreachable=bool(settings.delivery.instances)
                and bot.handles_more_than_incoming,
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


def rule_context(
    settings: Settings,
    bot: Bot,
    keys: KeySource,
    peer_health: PeerHealth,
    *,
    own_answering: Callable[[], Answering],
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
        region_policy=RegionPolicy(settings.region_rules),
        own_region=settings.region,
        region_hosts=settings.region_hosts,
        redirect_status=settings.redirect_status,
        allowed_tenants=settings.tenants,
        partitions=settings.partitions,
        answers_calls=settings.answer,
        bot_events=_bot_events(settings, bot),
        delivers=bool(settings.delivery.instances),
        own_answering=own_answering,
    )


def _bot_events(settings: Settings, bot: Bot) -> frozenset[type[Event]]:
    """Return what the bot is told: with instances, nothing but incoming calls."""
    if settings.delivery.instances or not settings.answer:
        return frozenset()
    return bot.told_events
