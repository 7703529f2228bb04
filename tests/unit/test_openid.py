"""shared.edge.openid: two documents, nothing trusted on the way."""

import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.core.provider_reasons import ProviderReason
from shared.edge.openid import MAX_DOCUMENT_BYTES, OpenIdProvider, ProviderError
from tests.simulator.services.signing import ISSUER, SigningKey
from tests.support.servers import (
    Certificates,
    FaultServer,
    Peer,
    Request,
    Script,
    hang,
    http,
    json_reply,
    reply,
    send_enormous,
)

CONFIGURATION_PATH = "/v1/.well-known/OpenIdConfiguration"
KEY_SET_PATH = "/v1/keys"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return an authority of our own."""
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(certificates: Certificates) -> ssl.SSLContext:
    """Return TLS for loopback."""
    return certificates.context()


@pytest.fixture(scope="module")
def key() -> SigningKey:
    """Return the platform's signing key."""
    return SigningKey("the-key")


def provider_for(server: FaultServer, bundle: str) -> OpenIdProvider:
    """Return what is tested, pointed at a server."""
    return OpenIdProvider(
        configuration_url=server.url + CONFIGURATION_PATH,
        metadata_issuer=ISSUER,
        ca_bundle=bundle,
    )


def scripted(
    key: SigningKey, *, key_set: Script | None = None, **members: Any
) -> Script:
    """Serve good documents, but for what is changed."""

    def answer(request: Request, peer: Peer) -> bytes | None:
        if request.target == CONFIGURATION_PATH:
            url = f"https://{request.headers['host']}{KEY_SET_PATH}"
            document = {"issuer": ISSUER, "jwks_uri": url, **members}
            return json_reply({k: v for k, v in document.items() if v is not None})
        return key_set(request, peer) if key_set else json_reply({"keys": [key.jwk()]})

    return answer


def reason_of(script: Script, certificates: Certificates) -> ProviderReason:
    """Return why fetching fails."""
    with FaultServer(http(script, certificates.context())) as server:
        return failure(provider_for(server, certificates.bundle))


def failure(provider: OpenIdProvider) -> ProviderReason:
    """Return why this provider fails."""
    with pytest.raises(ProviderError) as caught:
        provider.fetch()
    return caught.value.reason


def test_both_documents_are_read(
    certificates: Certificates, context: ssl.SSLContext, key: SigningKey
) -> None:
    """The configuration names the key set, and the key set holds the key."""
    seen: list[Request] = []

    def answer(request: Request, peer: Peer) -> bytes | None:
        seen.append(request)
        return scripted(key)(request, peer)

    with FaultServer(http(answer, context)) as server:
        key_set = provider_for(server, certificates.bundle).fetch()

    expected = key.private.public_key().public_numbers()
    assert key_set.keys["the-key"].public_numbers() == expected
    assert [(r.method, r.target) for r in seen] == [
        ("GET", CONFIGURATION_PATH),
        ("GET", KEY_SET_PATH),
    ]
    assert server.connections == 1


@pytest.mark.requirement("R8", "R10")
@pytest.mark.parametrize(
    ("script", "reason"),
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
@pytest.mark.parametrize("document", ["configuration", "key set"])
def test_a_bad_document_is_refused(
    certificates: Certificates,
    key: SigningKey,
    document: str,
    script: bytes,
    reason: ProviderReason,
) -> None:
    """Whatever is wrong with either document has a reason of its own."""

    def answer(_request: Request, _peer: Peer) -> bytes:
        return script

    chosen = answer if document == "configuration" else scripted(key, key_set=answer)
    assert reason_of(chosen, certificates) == reason


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
    certificates: Certificates,
    key: SigningKey,
    members: dict[str, Any],
    reason: ProviderReason,
) -> None:
    """A document that points elsewhere is not followed there."""
    fetched: list[str] = []

    def answer(request: Request, peer: Peer) -> bytes | None:
        fetched.append(request.target)
        host = request.headers["host"]
        put: Any = {
            name: value.replace("{host}", host) if isinstance(value, str) else value
            for name, value in members.items()
        }
        return scripted(key, **put)(request, peer)

    assert reason_of(answer, certificates) == reason
    assert fetched == [CONFIGURATION_PATH]


def test_the_same_host_may_be_spelt_another_way(
    certificates: Certificates, context: ssl.SSLContext, key: SigningKey
) -> None:
    """Hosts compare without case."""

    def answer(request: Request, peer: Peer) -> bytes | None:
        host = request.headers["host"].replace("localhost", "LOCALHOST")
        script = scripted(key, jwks_uri=f"https://{host}{KEY_SET_PATH}")
        return script(request, peer)

    with FaultServer(http(answer, context)) as server:
        server.url = server.url.replace("127.0.0.1", "localhost")
        key_set = provider_for(server, certificates.bundle).fetch()

    assert "the-key" in key_set.keys


@pytest.mark.requirement("R9", "R10")
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"keys": []}, ProviderReason.NO_KEY),
        (
            {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]},
            ProviderReason.NO_KEY,
        ),
        ({"keys": {}}, ProviderReason.MALFORMED),
        ({}, ProviderReason.MALFORMED),
        ([], ProviderReason.MALFORMED),
    ],
    ids=str,
)
def test_a_set_without_a_usable_key_is_refused(
    certificates: Certificates,
    key: SigningKey,
    document: object,
    reason: ProviderReason,
) -> None:
    """An empty set must never replace a good one."""
    script = scripted(key, key_set=lambda *_: json_reply(document))
    assert reason_of(script, certificates) == reason


@pytest.mark.requirement("R8")
def test_both_documents_share_one_deadline(
    certificates: Certificates,
    context: ssl.SSLContext,
    key: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two slow documents do not add up to twice the time."""
    monkeypatch.setattr("shared.edge.openid.FETCH_SECONDS", 0.6)

    def answer_slowly(request: Request, peer: Peer) -> bytes | None:
        peer.hang(0.4)
        return scripted(key)(request, peer)

    started = time.monotonic()
    with FaultServer(http(answer_slowly, context)) as server:
        reason = failure(provider_for(server, certificates.bundle))
        seconds = time.monotonic() - started

    assert reason == ProviderReason.TIMEOUT
    assert seconds < 1.8


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    "make_key_set",
    [
        pytest.param(lambda: hang, id="never-answers"),
        pytest.param(
            lambda: lambda _request, peer: peer.drip(reply(200, b"{}")), id="drips"
        ),
    ],
)
def test_a_slow_key_set_times_out(
    certificates: Certificates,
    key: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
    make_key_set: Callable[[], Script],
) -> None:
    """The reason says that time was up, not that nobody was there."""
    monkeypatch.setattr("shared.edge.openid.FETCH_SECONDS", 0.5)
    script = scripted(key, key_set=make_key_set())
    assert reason_of(script, certificates) == ProviderReason.TIMEOUT


@pytest.mark.requirement("R8")
def test_an_enormous_key_set_is_too_large(
    certificates: Certificates, key: SigningKey
) -> None:
    """256 MiB are refused after the first."""

    def answer(_request: Request, peer: Peer) -> None:
        send_enormous(peer)

    script = scripted(key, key_set=answer)
    assert reason_of(script, certificates) == ProviderReason.TOO_LARGE


def test_nobody_there_is_unreachable(
    certificates: Certificates, context: ssl.SSLContext
) -> None:
    """A refused connection is no timeout."""
    with FaultServer(http(hang, context)) as server:
        provider = provider_for(server, certificates.bundle)
    assert failure(provider) == ProviderReason.UNREACHABLE


def test_a_foreign_authority_is_unreachable(
    context: ssl.SSLContext, key: SigningKey
) -> None:
    """Without trusted TLS there is no provider."""
    with FaultServer(http(scripted(key), context)) as server:
        assert failure(provider_for(server, "")) == ProviderReason.UNREACHABLE


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=str)
def test_a_bundle_that_has_gone_bad_is_unreachable(
    context: ssl.SSLContext, key: SigningKey, tmp_path: Path, content: bytes | None
) -> None:
    """The file was good at start and may be replaced later: still our own error."""
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    with FaultServer(http(scripted(key), context)) as server:
        reason = failure(provider_for(server, str(bundle)))
    assert reason == ProviderReason.UNREACHABLE


def test_the_algorithms_that_the_configuration_lists_do_not_matter(
    certificates: Certificates, context: ssl.SSLContext, key: SigningKey
) -> None:
    """The real document says RSA256, which is no algorithm."""
    script = scripted(key, id_token_signing_alg_values_supported=["none", "HS256"])
    with FaultServer(http(script, context)) as server:
        assert provider_for(server, certificates.bundle).fetch().keys


def test_unknown_members_are_no_errors(
    certificates: Certificates, context: ssl.SSLContext, key: SigningKey
) -> None:
    """The documents may grow."""
    key_set = json.dumps({"keys": [{**key.jwk(), "new": [1]}], "next": 1}).encode()
    script = scripted(key, key_set=lambda *_: reply(200, key_set), new={"a": 1})
    with FaultServer(http(script, context)) as server:
        assert provider_for(server, certificates.bundle).fetch().keys
