"""shared.edge.outbound: what is trusted, and nothing followed or borrowed."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from shared.edge.outbound import (
    OutboundError,
    OutboundReply,
    exchange,
    open_session,
)
from tests.support.servers import (
    Certificates,
    FaultServer,
    Peer,
    Request,
    hang,
    http,
    json_reply,
    reply,
)

ENOUGH_SECONDS = 5.0
SHORT_SECONDS = 0.6
# Three times what is expected, on a busy machine.
PATIENCE_SECONDS = 3 * SHORT_SECONDS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return an authority of our own."""
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(certificates: Certificates) -> ssl.SSLContext:
    """Return TLS for loopback."""
    return certificates.context()


@pytest.fixture
def session(certificates: Certificates) -> Iterator[requests.Session]:
    """Open a session that trusts the authority."""
    with open_session(certificates.bundle, connections=4) as opened:
        yield opened


def get(
    session: requests.Session,
    url: str,
    *,
    seconds: float = ENOUGH_SECONDS,
    max_bytes: int = 1024,
) -> OutboundReply:
    """Send a GET."""
    return exchange(
        session,
        "GET",
        url,
        headers={"Accept": "application/json"},
        ends_at=time.monotonic() + seconds,
        max_bytes=max_bytes,
    )


def fail(
    session: requests.Session, url: str, *, seconds: float = ENOUGH_SECONDS
) -> tuple[OutboundError, float]:
    """Send a GET that brings no reply; return the error and how long it took."""
    started = time.monotonic()
    with pytest.raises(OutboundError) as caught:
        get(session, url, seconds=seconds)
    return caught.value, time.monotonic() - started


@pytest.mark.requirement("R8", "R22")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    session: requests.Session, context: ssl.SSLContext, status: int
) -> None:
    """A redirect is a reply like any other."""
    with (
        FaultServer(http(lambda *_: json_reply({}), context)) as elsewhere,
        FaultServer(
            http(lambda *_: reply(status, Location=elsewhere.url), context)
        ) as peer,
    ):
        answer = get(session, peer.url)

    assert answer.status == status
    assert elsewhere.connections == 0


@pytest.mark.requirement("R22")
def test_proxies_and_credentials_of_the_environment_are_ignored(
    session: requests.Session,
    context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A variable that somebody sets reroutes nothing and adds no password."""
    seen: list[Request] = []

    def answer(request: Request, _peer: Peer) -> bytes:
        seen.append(request)
        return reply(204)

    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with (
        FaultServer(http(answer, None)) as proxy,
        FaultServer(http(answer, context)) as peer,
    ):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        status = get(session, peer.url).status

    assert status == 204
    assert proxy.connections == 0
    assert "authorization" not in seen[0].headers


def test_cookies_are_not_kept(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """One call's reply says nothing to the next."""
    seen: list[Request] = []

    def answer(request: Request, _peer: Peer) -> bytes:
        seen.append(request)
        return reply(200, Set_Cookie="who=me; Path=/")

    with FaultServer(http(answer, context)) as peer:
        get(session, peer.url)
        get(session, peer.url)

    assert [("cookie" in request.headers) for request in seen] == [False, False]


def test_a_connection_serves_more_than_one_exchange(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """A handshake with a distant Graph costs time that a ringing call does not have."""
    with FaultServer(http(lambda *_: reply(202), context)) as peer:
        for _ in range(5):
            get(session, peer.url)

    assert peer.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """Servers close idle connections at any time."""

    def answer_once(_request: Request, peer: Peer) -> None:
        peer.send(reply(202))

    with FaultServer(http(answer_once, context)) as peer:
        assert get(session, peer.url).status == 202
        for thread in peer._threads[1:]:
            thread.join(ENOUGH_SECONDS)
        assert get(session, peer.url).status == 202


@pytest.mark.requirement("R22")
def test_an_unknown_authority_is_refused(context: ssl.SSLContext) -> None:
    """Without the bundle the usual authorities decide."""
    with (
        open_session("", connections=1) as session,
        FaultServer(http(hang, context)) as peer,
    ):
        error, _seconds = fail(session, peer.url)

    assert "CERTIFICATE_VERIFY_FAILED" in str(error.__cause__)


@pytest.mark.requirement("R22")
@pytest.mark.parametrize(
    ("names", "days", "complaint"),
    [
        pytest.param((), -1, "expired", id="expired"),
        pytest.param(("graph.example",), 1, "IP address mismatch", id="wrong-host"),
    ],
)
def test_a_certificate_must_be_valid_and_name_the_host(
    session: requests.Session,
    certificates: Certificates,
    names: tuple[str, ...],
    days: int,
    complaint: str,
) -> None:
    """Verification is on, host names included, also for an authority of the bundle."""
    end = datetime.now(UTC) + timedelta(days=days)
    bad = certificates.context(*names, not_after=end)
    with FaultServer(http(hang, bad)) as peer:
        error, _seconds = fail(session, peer.url)

    assert complaint in str(error.__cause__)


@pytest.mark.requirement("R22")
def test_tls_before_1_2_is_refused(
    session: requests.Session, certificates: Certificates
) -> None:
    """Old versions are not negotiated."""
    old = certificates.context()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with FaultServer(http(hang, old)) as peer:
        fail(session, peer.url)


def test_the_bundle_is_added_to_the_usual_authorities(
    session: requests.Session,
) -> None:
    """A private authority does not cost Microsoft's its trust."""
    with open_session("", connections=1) as usual:
        few = authorities_of(usual)
    many = authorities_of(session)

    assert few > 50
    assert many == few + 1


def authorities_of(session: requests.Session) -> int:
    """Count the authorities that a session trusts."""
    adapter = session.get_adapter("https://graph.example")
    pool = adapter.poolmanager.connection_pool_kw  # type: ignore[attr-defined]
    return len(pool["ssl_context"].get_ca_certs())
