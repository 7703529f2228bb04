"""shared.edge.outbound: what is trusted, and nothing followed or borrowed."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from shared.edge.outbound import open_session
from shared.edge.sessions import BoundedAdapter
from tests.simulator.services.authority import Authority
from tests.support.outbound import fail, get
from tests.support.servers import (
    FaultServer,
    Peer,
    Request,
    ScriptedServer,
    hang,
    http,
    reply,
    status,
)
from tests.unit.conftest import Serve


@pytest.mark.requirement("R8", "R22")
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    session: requests.Session, serve: Serve, code: int
) -> None:
    """A redirect is a reply like any other."""
    elsewhere = serve(status(200))
    answer = get(session, serve(status(code, Location=elsewhere.url)).url)

    assert answer.status == code
    assert elsewhere.connections == 0


@pytest.mark.requirement("R22")
def test_proxies_and_credentials_of_the_environment_are_ignored(
    session: requests.Session,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """No variable can reroute a request or add a password to it."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    peer = serve(status(204))
    with ScriptedServer(status(204), None) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        answer = get(session, peer.url)

    assert answer.status == 204
    assert proxy.connections == 0
    assert "authorization" not in peer.requests[0].headers


def test_cookies_are_not_kept(session: requests.Session, serve: Serve) -> None:
    peer = serve(status(200, Set_Cookie="who=me; Path=/"))
    get(session, peer.url)
    get(session, peer.url)

    assert ["cookie" in request.headers for request in peer.requests] == [False] * 2


def test_a_connection_serves_more_than_one_exchange(
    session: requests.Session, serve: Serve
) -> None:
    """A ringing call has no time for another handshake with a distant Graph."""
    peer = serve(status(202))
    for _ in range(5):
        get(session, peer.url)

    assert peer.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced(
    session: requests.Session, serve: Serve
) -> None:
    """Servers close idle connections at any time."""

    def answer_once(_request: Request, peer: Peer) -> None:
        peer.send(reply(202))

    peer = serve(answer_once)
    assert get(session, peer.url).status == 202
    peer.wait_for_connections()
    assert get(session, peer.url).status == 202


@pytest.mark.requirement("R22")
def test_an_unknown_authority_is_refused(serve: Serve) -> None:
    """Without the bundle, only the usual authorities are trusted."""
    with open_session("", connections=1) as session:
        error, _seconds = fail(session, serve(hang).url)

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
    authority: Authority,
    names: tuple[str, ...],
    days: int,
    complaint: str,
) -> None:
    """Certificates by an authority in the bundle are verified as well."""
    end = datetime.now(UTC) + timedelta(days=days)
    bad = authority.server_context(*names, not_after=end)
    with FaultServer(http(hang, bad)) as peer:
        error, _seconds = fail(session, peer.url)

    assert complaint in str(error.__cause__)


@pytest.mark.requirement("R22")
def test_tls_before_1_2_is_refused(
    session: requests.Session, authority: Authority
) -> None:
    old = authority.server_context()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with FaultServer(http(hang, old)) as peer:
        fail(session, peer.url)


def test_the_bundle_is_added_to_the_usual_authorities(
    session: requests.Session,
) -> None:
    """With a private authority, Microsoft's certificates are still trusted."""
    with open_session("", connections=1) as usual:
        few = authorities_of(usual)
    many = authorities_of(session)

    assert few > 50
    assert many == few + 1


def authorities_of(session: requests.Session) -> int:
    """Count the authorities that a session trusts."""
    adapter = session.get_adapter("https://graph.example")
    assert isinstance(adapter, BoundedAdapter)
    return len(adapter.context.get_ca_certs())
