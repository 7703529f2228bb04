"""shared.edge.openid: two documents, nothing trusted on the way."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.core.provider_reasons import ProviderReason
from shared.edge.openid import MAX_DOCUMENT_BYTES, OpenIdProvider, ProviderError
from tests.simulator.services.authority import Authority
from tests.simulator.services.openid_provider import (
    CONFIGURATION_PATH,
    KEY_SET_PATH,
    IdentityProvider,
)
from tests.simulator.services.signing import ISSUER
from tests.support.clock import at_most
from tests.support.rules import KEY
from tests.support.servers import (
    Script,
    drip_body,
    drip_headers,
    enormous,
    hang,
    json_reply,
    reply,
)


@pytest.fixture
def provider(tls: ssl.SSLContext) -> Iterator[IdentityProvider]:
    with IdentityProvider(tls, KEY) as provider:
        yield provider


@pytest.fixture
def client(provider: IdentityProvider, authority: Authority) -> OpenIdProvider:
    return client_of(provider.configuration_url, authority.bundle)


def client_of(configuration_url: str, ca_bundle: Path | str) -> OpenIdProvider:
    """Return what is tested, pointed at a provider."""
    return OpenIdProvider(
        configuration_url=configuration_url,
        metadata_issuer=ISSUER,
        ca_bundle=str(ca_bundle),
    )


def failure(client: OpenIdProvider) -> ProviderReason:
    """Fetch the keys, which must fail; return why it did."""
    with pytest.raises(ProviderError) as caught:
        client.fetch()
    return caught.value.reason


def test_both_documents_are_read(
    client: OpenIdProvider, provider: IdentityProvider
) -> None:
    """The configuration names the key set, and the key set holds the key."""
    key_set = client.fetch()

    expected = KEY.private.public_key().public_numbers()
    assert key_set.keys[KEY.key_id].public_numbers() == expected
    asked = [(request.method, request.target) for request in provider.requests]
    assert asked == [("GET", CONFIGURATION_PATH), ("GET", KEY_SET_PATH)]
    assert provider.connections == 1


@pytest.mark.requirement("R8", "R10")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(500), ProviderReason.STATUS),
        (reply(404), ProviderReason.STATUS),
        (reply(204), ProviderReason.STATUS),
        (reply(302, Location="https://127.0.0.1/"), ProviderReason.STATUS),
        (reply(200, b"<html>sorry</html>"), ProviderReason.MALFORMED),
        (reply(200, b""), ProviderReason.MALFORMED),
        (reply(200, b"\xff\xfe{}"), ProviderReason.MALFORMED),
        (reply(200, b"[" * 100_000), ProviderReason.MALFORMED),
        (reply(200, b'{"keys": [], "keys": []}'), ProviderReason.MALFORMED),
        (reply(200, bytes(MAX_DOCUMENT_BYTES + 1)), ProviderReason.TOO_LARGE),
        (b"nonsense\r\n\r\n", ProviderReason.UNREACHABLE),
    ],
    ids=lambda value: (
        value.value if isinstance(value, ProviderReason) else value[:14].decode()
    ),
)
@pytest.mark.parametrize("document", ["configuration", "key_set"])
def test_a_bad_document_is_refused(
    client: OpenIdProvider,
    provider: IdentityProvider,
    document: str,
    answer: bytes,
    reason: ProviderReason,
) -> None:
    setattr(provider, f"{document}_script", lambda *_: answer)
    assert failure(client) == reason


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"issuer": "https://api.botframework.com/"}, ProviderReason.ISSUER),
        ({"issuer": [ISSUER]}, ProviderReason.ISSUER),
        ({"issuer": None}, ProviderReason.ISSUER),
        ({"jwks_uri": None}, ProviderReason.MALFORMED),
        ({"jwks_uri": ["https://127.0.0.1/"]}, ProviderReason.MALFORMED),
        ({"jwks_uri": "https://[::1/keys"}, ProviderReason.MALFORMED),
        ({"jwks_uri": "https://evil.example/v1/keys"}, ProviderReason.HOST),
        ({"jwks_uri": "https://127.0.0.1/v1/keys"}, ProviderReason.HOST),
        ({"jwks_uri": "http://{host}/v1/keys"}, ProviderReason.HOST),
        ({"jwks_uri": "file:///etc/passwd"}, ProviderReason.HOST),
        ({"jwks_uri": "/v1/keys"}, ProviderReason.HOST),
        ({"jwks_uri": "//{host}/v1/keys"}, ProviderReason.HOST),
        ({"jwks_uri": "https://{host}@evil.example/keys"}, ProviderReason.HOST),
        ({"jwks_uri": "https://evil.example@{host}/keys"}, ProviderReason.HOST),
        ({"jwks_uri": "https://{host}\\@evil.example/"}, ProviderReason.HOST),
        ({"jwks_uri": "https://{host}.evil.example/"}, ProviderReason.HOST),
        ({"jwks_uri": ""}, ProviderReason.HOST),
    ],
    ids=str,
)
def test_the_configuration_must_name_the_issuer_and_a_key_set_on_its_own_host(
    client: OpenIdProvider,
    provider: IdentityProvider,
    members: dict[str, Any],
    reason: ProviderReason,
) -> None:
    """A document that points elsewhere is not followed there."""
    provider.members = members
    assert failure(client) == reason
    assert provider.fetches == [CONFIGURATION_PATH]


def test_the_host_may_be_spelt_in_other_case(
    provider: IdentityProvider, authority: Authority
) -> None:
    url = provider.configuration_url.replace("127.0.0.1", "localhost")
    host = provider.host.replace("127.0.0.1", "LOCALHOST")
    provider.members = {"jwks_uri": f"https://{host}{KEY_SET_PATH}"}
    assert KEY.key_id in client_of(url, authority.bundle).fetch().keys


@pytest.mark.requirement("R9", "R10")
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"keys": []}, ProviderReason.NO_KEY),
        ({"keys": [{"kty": "oct", "k": "c2Vj", "kid": "a"}]}, ProviderReason.NO_KEY),
        ({"keys": {}}, ProviderReason.MALFORMED),
        ({}, ProviderReason.MALFORMED),
        ([], ProviderReason.MALFORMED),
    ],
    ids=str,
)
def test_a_set_without_a_usable_key_is_refused(
    client: OpenIdProvider,
    provider: IdentityProvider,
    document: object,
    reason: ProviderReason,
) -> None:
    """An empty set must never replace a good one."""
    provider.key_set_script = lambda *_: json_reply(document)
    assert failure(client) == reason


@pytest.mark.requirement("R8")
def test_both_documents_share_one_deadline(
    client: OpenIdProvider, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two slow documents do not take twice the time."""
    monkeypatch.setattr("shared.edge.openid.FETCH_SECONDS", 0.6)
    provider.delay_seconds = 0.4
    with at_most(1.8):
        assert failure(client) == ProviderReason.TIMEOUT


@pytest.mark.requirement("R8")
@pytest.mark.parametrize("script", [hang, drip_body, drip_headers])
def test_a_slow_key_set_times_out(
    client: OpenIdProvider,
    provider: IdentityProvider,
    monkeypatch: pytest.MonkeyPatch,
    script: Script,
) -> None:
    """The reason says timeout, not unreachable."""
    monkeypatch.setattr("shared.edge.openid.FETCH_SECONDS", 0.5)
    provider.key_set_script = script
    assert failure(client) == ProviderReason.TIMEOUT


@pytest.mark.requirement("R8")
def test_an_enormous_key_set_is_too_large(
    client: OpenIdProvider, provider: IdentityProvider
) -> None:
    """Most of its 256 MiB are never read."""
    provider.key_set_script = enormous
    assert failure(client) == ProviderReason.TOO_LARGE


def test_nobody_there_is_unreachable(
    client: OpenIdProvider, provider: IdentityProvider
) -> None:
    provider.close()
    assert failure(client) == ProviderReason.UNREACHABLE


def test_a_foreign_authority_is_unreachable(provider: IdentityProvider) -> None:
    client = client_of(provider.configuration_url, "")
    assert failure(client) == ProviderReason.UNREACHABLE


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=str)
def test_a_bundle_that_has_gone_bad_is_unreachable(
    provider: IdentityProvider, tmp_path: Path, content: bytes | None
) -> None:
    """The file was good at start and may be replaced later."""
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    client = client_of(provider.configuration_url, bundle)
    assert failure(client) == ProviderReason.UNREACHABLE


def test_the_algorithms_that_the_configuration_lists_do_not_matter(
    client: OpenIdProvider, provider: IdentityProvider
) -> None:
    """The real document lists RSA256, which is no algorithm."""
    provider.members = {"id_token_signing_alg_values_supported": ["none", "HS256"]}
    assert client.fetch().keys


def test_the_documents_may_get_new_members(
    client: OpenIdProvider, provider: IdentityProvider
) -> None:
    key_set = {"keys": [{**KEY.jwk(), "new": [1]}], "next": 1}
    provider.members = {"new": {"a": 1}}
    provider.key_set_script = lambda *_: json_reply(key_set)
    assert client.fetch().keys
