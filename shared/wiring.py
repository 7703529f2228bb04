"""The parts of the service, each made as the settings say. Nothing is opened here."""

import time

from shared.core.context import RuleContext
from shared.core.ports import KeySource, PeerHealth
from shared.core.regions import RegionPolicy
from shared.core.tokens import TokenPolicy
from shared.core.verified_tokens import VerifiedTokens
from shared.edge.answering import PLACES, PLACES_PER_TENANT, CallAnswering
from shared.edge.entra import EntraClient
from shared.edge.graph import GraphClient
from shared.edge.graph_tokens import GraphTokens
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


def notices(settings: Settings, provider: OpenIdProvider) -> Notices:
    """Make what tells the operator of what should be seen to."""
    return Notices(
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
        graph_url=settings.graph_url, ca_bundle=settings.ca_bundle, connections=PLACES
    )


def entra(settings: Settings) -> EntraClient:
    """Make the client of Entra."""
    return EntraClient(
        settings.credential, graph_url=settings.graph_url, ca_bundle=settings.ca_bundle
    )


def answering(
    settings: Settings, graph_client: GraphClient, entra_client: EntraClient
) -> CallAnswering:
    """Make what answers calls."""
    # A bot of one tenant has no others to share with.
    is_for_one = len(settings.tenants) == 1
    return CallAnswering(
        graph=graph_client,
        tokens=GraphTokens(entra_client),
        callback_host=settings.callback_host,
        partitions=settings.partitions,
        places_per_tenant=PLACES if is_for_one else PLACES_PER_TENANT,
    )


def rule_context(
    settings: Settings,
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
    )
