"""shared.edge.entra: the three kinds, through azure-identity, from Entra.

Entra and the managed identity endpoint are simulated over real sockets, Entra over TLS.
"""

import asyncio
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse, Response

from shared.credential_settings import CredentialKind
from shared.edge.telemetry import write_events
from shared.edge.token_client import CredentialError
from tests.simulator.services.entra import ASSERTION_AUDIENCE, IssuedToken
from tests.simulator.services.signing import APP_ID, TENANT_ID
from tests.support.clock import at_most
from tests.support.entra import (
    IDENTITY_CLIENT_ID,
    SECRET,
    TokenServers,
    ask,
)

CUT_TOKEN = "the-first-part-of-a-token"


@pytest.mark.parametrize("kind", list(CredentialKind))
def test_each_kind_gets_a_token_for_graph_in_the_tenant_of_the_call(
    servers: TokenServers, kind: CredentialKind
) -> None:
    """Entra accepts the proof, and nothing else is asked of Entra."""
    issued = servers.get(kind)

    assert issued == IssuedToken(
        tenant_id=TENANT_ID,
        client_id=APP_ID,
        scope="https://graph.example:8443/.default",
        kind=kind.value,
    )
    assert servers.asked == [TENANT_ID]


@pytest.mark.parametrize("client_id", [IDENTITY_CLIENT_ID, ""], ids=["user", "system"])
def test_the_managed_identity_stands_in_for_a_secret(
    servers: TokenServers, client_id: str
) -> None:
    """Its assertion is made for the token exchange, by the chosen identity."""
    servers.get(CredentialKind.MANAGED_IDENTITY, identity_client_id=client_id)

    [query] = servers.identity.requests
    assert query["resource"] == ASSERTION_AUDIENCE
    assert query.get("client_id", "") == client_id


def test_the_assertion_serves_several_tenants(servers: TokenServers) -> None:
    """The identity endpoint is asked once while the assertion lives."""
    credentials = servers.credentials(kind=CredentialKind.MANAGED_IDENTITY)

    async def ask_twice() -> None:
        await ask(credentials)
        await ask(credentials, IDENTITY_CLIENT_ID)

    asyncio.run(ask_twice())
    assert len(servers.identity.requests) == 1
    assert len(servers.asked) == 2


def token_reply(token: object) -> Response:
    """Return Entra's usual reply with this for a token."""
    return JSONResponse(
        {"token_type": "Bearer", "expires_in": 3600, "access_token": token}
    )


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    "make_fault",
    [
        pytest.param(
            lambda: JSONResponse(
                {
                    "error": "invalid_client",
                    "error_description": f"AADSTS7000215: not {SECRET}",
                },
                401,
            ),
            id="refused",
        ),
        pytest.param(lambda: Response("<html>", 502), id="bad-gateway"),
        pytest.param(lambda: Response("{", 200), id="garbage"),
        pytest.param(lambda: JSONResponse({"token_type": "Bearer"}), id="no-token"),
        pytest.param(
            lambda: Response(f"<p>client_secret={SECRET}", 401, media_type="text/html"),
            id="echo",
        ),
        pytest.param(
            lambda: Response(
                f'{{"token_type":"Bearer","access_token":"{CUT_TOKEN}',
                media_type="text/html",
            ),
            id="cut-off",
        ),
        *(
            pytest.param(lambda token=token: token_reply(token), id=f"token-{token!r}")
            for token in (None, 5, "", "a\r\nb: c", "a b", "t\u00f6ken", "{}")
        ),
    ],
)
@pytest.mark.parametrize("kind", list(CredentialKind))
def test_a_failure_is_one_error_and_one_line_without_secrets(
    servers: TokenServers,
    caplog: pytest.LogCaptureFixture,
    kind: CredentialKind,
    make_fault: Callable[[], Response],
) -> None:
    """This holds with every logger at its most verbose, too."""
    caplog.set_level(logging.DEBUG)
    servers.entra.fault = make_fault
    with pytest.raises(CredentialError):
        servers.get(kind)
    write_events()

    lines = [r.message for r in caplog.records if r.name == "calling"]
    assert len(lines) == 1
    assert '"reason":"credential-' in lines[0]
    assert TENANT_ID in lines[0]
    assert_no_secret_in(caplog, servers)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7), ({"Retry-After": "soon"}, None), ({}, None)],
)
@pytest.mark.parametrize("kind", list(CredentialKind))
def test_a_failure_tells_when_to_ask_again(
    servers: TokenServers,
    kind: CredentialKind,
    status: int,
    headers: dict[str, str],
    seconds: float | None,
) -> None:
    """A server that throttles us is left alone for that long."""
    servers.entra.fault = lambda: JSONResponse({"error": "x"}, status, headers)
    with pytest.raises(CredentialError) as failed:
        servers.get(kind)

    assert failed.value.retry_after_seconds == seconds


def test_the_line_about_a_failure_has_entras_code(
    servers: TokenServers, caplog: pytest.LogCaptureFixture
) -> None:
    """Operators look this code up."""
    with pytest.raises(CredentialError, match=r"\w+ AADSTS7000215"):
        servers.get(CredentialKind.CLIENT_SECRET, app_password="wrong")
    write_events()
    assert '"detail":"ClientAuthenticationError AADSTS7000215"' in caplog.text


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("kind", list(CredentialKind))
def test_success_leaves_no_secret_in_the_log(
    servers: TokenServers, caplog: pytest.LogCaptureFixture, kind: CredentialKind
) -> None:
    caplog.set_level(logging.DEBUG)
    servers.get(kind)
    assert_no_secret_in(caplog, servers)


def assert_no_secret_in(
    caplog: pytest.LogCaptureFixture, servers: TokenServers
) -> None:
    """Search everything that was logged, arguments and all."""
    logged = "\n".join(
        f"{record.getMessage()} {vars(record)}" for record in caplog.records
    )
    hidden = [
        SECRET,
        servers.identity.header,
        *servers.entra.issued,
        *servers.registration.assertions,
        CUT_TOKEN,
        "PRIVATE KEY",
        "client_assertion=ey",
    ]
    assert [secret for secret in hidden if secret in logged] == []


@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.requirement("R22")
def test_a_redirect_of_entra_is_not_followed(
    servers: TokenServers, status: int
) -> None:
    """A secret is posted to the configured host only."""
    elsewhere = {"Location": f"{servers.entra.url}/elsewhere"}
    servers.entra.fault = lambda: Response(status_code=status, headers=elsewhere)
    with pytest.raises(CredentialError):
        servers.get(CredentialKind.CLIENT_SECRET)
    assert servers.asked == [TENANT_ID]


@pytest.mark.requirement("R22")
def test_a_proxy_of_the_environment_gets_nothing(
    servers: TokenServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")

    servers.get(CredentialKind.CLIENT_SECRET)
    servers.get(CredentialKind.MANAGED_IDENTITY)
    assert len(servers.entra.issued) == 2


def test_entra_must_be_trusted(servers: TokenServers) -> None:
    """Without the bundle, Entra's certificate is from an unknown authority."""
    credentials = servers.credentials(ca_bundle="")
    with pytest.raises(CredentialError):
        asyncio.run(ask(credentials))
    assert servers.entra.requests == []


def test_a_bundle_that_has_gone_bad_is_a_credential_error(
    servers: TokenServers,
) -> None:
    """No other error escapes if the file disappears after start."""
    credentials = servers.credentials(ca_bundle="/nowhere.pem")
    with pytest.raises(CredentialError, match="FileNotFoundError"):
        asyncio.run(ask(credentials))


def test_a_slow_entra_costs_no_more_than_the_caller_has(servers: TokenServers) -> None:
    """The token that arrives later serves the next caller."""
    credentials = servers.credentials()
    servers.entra.delay_seconds = 0.8

    async def ask_twice() -> None:
        with at_most(0.6), pytest.raises(CredentialError, match="in time"):
            await ask(credentials, seconds=0.2)
        await ask(credentials)

    asyncio.run(ask_twice())
    assert len(servers.asked) == 1


def test_loading_imports_what_the_first_token_needs_and_asks_nobody() -> None:
    """The warm-up function does the same in a fresh process."""
    script = textwrap.dedent("""
        import sys
        from shared.credential_settings import CredentialKind, CredentialSettings
        from shared.edge.entra import EntraClient
        before = {"azure.identity", "msal", "requests"} & sys.modules.keys()
        EntraClient(
            CredentialSettings(
                kind=CredentialKind.CLIENT_SECRET, app_id="", login_url="",
                federation_audience="", identity_client_id="", app_password="",
                certificate_path="",
            ),
            graph_url="https://graph.example", ca_bundle="",
        ).load()
        after = {"azure.identity", "msal", "requests"} & sys.modules.keys()
        print(len(before), len(after))
    """)
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "3"]


@pytest.mark.parametrize(
    ("login_url", "is_asked"),
    [
        ("https://login.microsoftonline.com", True),
        ("https://login.microsoftonline.us", True),
        ("https://login.example", False),
        ("https://login.microsoftonline.com.example", False),
    ],
)
def test_instance_discovery_is_for_microsofts_hosts_only(
    servers: TokenServers, login_url: str, is_asked: bool
) -> None:
    """Discovery would ask Microsoft about a private authority."""
    options = servers.client(login_url=login_url)._authority_options()
    assert options == {
        "authority": login_url,
        "disable_instance_discovery": not is_asked,
    }


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_identity_endpoint_is_asked_again_after_a_passing_fault(
    servers: TokenServers, status: int
) -> None:
    """Msal would repeat its 429 or 5xx for seconds, or for as long as it says."""
    kind = CredentialKind.MANAGED_IDENTITY
    credentials = servers.credentials(kind=kind)
    headers = {"Retry-After": "7"}
    servers.identity.fault = lambda: Response(status_code=status, headers=headers)
    with pytest.raises(CredentialError) as failed:
        asyncio.run(ask(credentials))
    assert failed.value.retry_after_seconds == 7

    servers.identity.fault = None
    assert asyncio.run(ask(credentials)) in servers.entra.issued
    assert len(servers.identity.requests) == 2
