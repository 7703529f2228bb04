"""CALLING_KEY_SET_HOST: the one host that may have the signing keys."""

import asyncio
import ssl
from collections.abc import Iterator

import pytest

from shared.core.provider_reasons import ProviderReason
from shared.edge.openid import OpenIdProvider, ProviderError
from shared.settings import read_settings
from tests.simulator.services.authority import Authority
from tests.simulator.services.openid_provider import IdentityProvider
from tests.simulator.services.signing import APP_ID, ISSUER, SigningKey
from tests.support.rules import KEY
from tests.support.service import Make, ScriptedNeighbours


@pytest.fixture
def keys_elsewhere(tls: ssl.SSLContext) -> Iterator[IdentityProvider]:
    """A second host, which publishes the platform's key."""
    with IdentityProvider(tls, KEY) as provider:
        yield provider


@pytest.fixture
def provider(
    tls: ssl.SSLContext, keys_elsewhere: IdentityProvider
) -> Iterator[IdentityProvider]:
    """A provider whose configuration puts the key set on the second host."""
    with IdentityProvider(tls, SigningKey("its-own")) as provider:
        provider.members = {"jwks_uri": f"{keys_elsewhere.url}/v1/keys"}
        yield provider


def fetched(
    provider: IdentityProvider, authority: Authority, key_set_host: str
) -> list[str] | ProviderReason:
    """Return the key ids that are fetched, or why there are none."""
    client = OpenIdProvider(
        configuration_url=provider.configuration_url,
        key_set_host=key_set_host,
        metadata_issuer=ISSUER,
        ca_bundle=str(authority.bundle),
    )
    try:
        return [*client.fetch().keys]
    except ProviderError as error:
        return error.reason


def test_keys_are_fetched_from_the_host_that_is_set(
    provider: IdentityProvider, keys_elsewhere: IdentityProvider, authority: Authority
) -> None:
    """GCC High keeps them on another host than the configuration."""
    assert fetched(provider, authority, keys_elsewhere.host) == [KEY.key_id]
    assert fetched(provider, authority, "") is ProviderReason.HOST


@pytest.mark.requirement("R8")
def test_keys_on_any_other_host_are_not_fetched(
    provider: IdentityProvider, keys_elsewhere: IdentityProvider, authority: Authority
) -> None:
    """Neither on the configuration's own host, nor on a host of a similar name."""
    set_host = keys_elsewhere.host
    for url in (
        f"{provider.url}/v1/keys",
        f"https://{set_host}.evil.example/v1/keys",
        f"https://{set_host}@evil.example/v1/keys",
        f"http://{set_host}/v1/keys",
        f"https://{set_host.partition(':')[0]}/v1/keys",
    ):
        provider.members = {"jwks_uri": url}
        provider.requests.clear()
        assert fetched(provider, authority, set_host) is ProviderReason.HOST
        assert len(provider.requests) == 1
    assert keys_elsewhere.requests == []


@pytest.mark.parametrize("value", ["https://keys.example", "keys.example/x", "a b"])
def test_a_key_set_host_that_is_no_host_is_a_problem(value: str) -> None:
    good = {"MicrosoftAppId": APP_ID, "CALLING_ANSWER": "false"}

    assert read_settings({**good, "CALLING_KEY_SET_HOST": value}).problems == (
        "CALLING_KEY_SET_HOST: must be a host name, with or without a port.",
    )


def test_the_service_fetches_from_the_host_of_its_settings(
    neighbours: ScriptedNeighbours, make: Make, keys_elsewhere: IdentityProvider
) -> None:
    neighbours.provider.members = {"jwks_uri": f"{keys_elsewhere.url}/v1/keys"}

    service = make(CALLING_KEY_SET_HOST=keys_elsewhere.host)

    assert asyncio.run(service.health({})).status == 200
    assert len(keys_elsewhere.requests) == 1
