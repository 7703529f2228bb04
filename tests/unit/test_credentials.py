"""shared.edge.credentials: the three kinds, through azure-identity, from Entra.

Entra and the managed identity endpoint are simulated over real sockets, Entra over TLS.
"""

import asyncio
import logging
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator

import pytest
from starlette.responses import JSONResponse, Response

from shared.credential_settings import CredentialKind
from shared.edge.entra import CredentialError
from tests.simulator.services.entra import ASSERTION_AUDIENCE, IssuedToken
from tests.support.entra import (
    APP_ID,
    IDENTITY_CLIENT_ID,
    SECRET,
    TENANT_ID,
    EntraWorld,
    ask,
)

CUT_TOKEN = "the-first-part-of-a-token"


@pytest.fixture(scope="module")
def started_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntraWorld]:
    """Start the servers once."""
    with EntraWorld(tmp_path_factory.mktemp("bot")) as world:
        yield world


@pytest.fixture
def world(started_world: EntraWorld, monkeypatch: pytest.MonkeyPatch) -> EntraWorld:
    """Return the servers as new, and the environment of a function app."""
    started_world.reset()
    monkeypatch.setenv("IDENTITY_ENDPOINT", started_world.identity.endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", started_world.identity.header)
    return started_world


@pytest.mark.parametrize("kind", list(CredentialKind))
def test_each_kind_gets_a_token_for_graph_in_the_tenant_of_the_call(
    world: EntraWorld, kind: CredentialKind
) -> None:
    """Entra accepts the proof, and nothing else is asked of it."""
    issued = world.get(kind)

    assert issued == IssuedToken(
        tenant_id=TENANT_ID,
        client_id=APP_ID,
        scope="https://graph.example:8443/.default",
        kind=kind.value,
    )
    assert world.asked == [TENANT_ID]


@pytest.mark.parametrize("client_id", [IDENTITY_CLIENT_ID, ""], ids=["user", "system"])
def test_the_managed_identity_stands_in_for_a_secret(
    world: EntraWorld, client_id: str
) -> None:
    """Its assertion is for the token exchange, from the identity that was chosen."""
    world.get(CredentialKind.MANAGED_IDENTITY, identity_client_id=client_id)

    [query] = world.identity.requests
    assert query["resource"] == ASSERTION_AUDIENCE
    assert query.get("client_id", "") == client_id


def test_the_assertion_serves_several_tenants(world: EntraWorld) -> None:
    """The identity endpoint is not asked again while the assertion lives."""
    credentials = world.credentials(kind=CredentialKind.MANAGED_IDENTITY)

    async def ask_twice() -> None:
        await ask(credentials)
        await ask(credentials, IDENTITY_CLIENT_ID)

    asyncio.run(ask_twice())
    assert len(world.identity.requests) == 1
    assert len(world.asked) == 2


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
    world: EntraWorld,
    caplog: pytest.LogCaptureFixture,
    kind: CredentialKind,
    make_fault: Callable[[], Response],
) -> None:
    """Also with every logger at its most talkative."""
    caplog.set_level(logging.DEBUG)
    world.entra.fault = make_fault
    with pytest.raises(CredentialError):
        world.get(kind)

    lines = [r.message for r in caplog.records if r.name == "calling"]
    assert len(lines) == 1
    assert '"reason":"credential-unavailable"' in lines[0]
    assert TENANT_ID in lines[0]
    assert_no_secret_in(caplog, world)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7), ({"Retry-After": "soon"}, None), ({}, None)],
)
@pytest.mark.parametrize("kind", list(CredentialKind))
def test_a_failure_tells_when_to_ask_again(
    world: EntraWorld,
    kind: CredentialKind,
    status: int,
    headers: dict[str, str],
    seconds: float | None,
) -> None:
    """Whoever throttles us is left alone for so long."""
    world.entra.fault = lambda: JSONResponse({"error": "x"}, status, headers)
    with pytest.raises(CredentialError) as failed:
        world.get(kind)

    assert failed.value.retry_after_seconds == seconds


def test_the_line_about_a_failure_has_entras_code(
    world: EntraWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """It is what an operator looks up."""
    with pytest.raises(CredentialError, match=r"\w+ AADSTS7000215"):
        world.get(CredentialKind.CLIENT_SECRET, app_password="wrong")
    assert '"detail":"ClientAuthenticationError AADSTS7000215"' in caplog.text


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("kind", list(CredentialKind))
def test_success_leaves_no_secret_in_the_log(
    world: EntraWorld, caplog: pytest.LogCaptureFixture, kind: CredentialKind
) -> None:
    """Neither the secret, nor the assertion, nor the token."""
    caplog.set_level(logging.DEBUG)
    world.get(kind)
    assert_no_secret_in(caplog, world)


def assert_no_secret_in(caplog: pytest.LogCaptureFixture, world: EntraWorld) -> None:
    """Search everything that was logged, arguments and all."""
    logged = "\n".join(
        f"{record.getMessage()} {vars(record)}" for record in caplog.records
    )
    hidden = [
        SECRET,
        world.identity.header,
        *world.entra.issued,
        *world.registration.assertions,
        CUT_TOKEN,
        "PRIVATE KEY",
        "client_assertion=ey",
    ]
    assert [secret for secret in hidden if secret in logged] == []


@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.requirement("R22")
def test_a_redirect_of_entra_is_not_followed(world: EntraWorld, status: int) -> None:
    """A secret is posted to the configured host only."""
    elsewhere = {"Location": f"{world.entra.url}/elsewhere"}
    world.entra.fault = lambda: Response(status_code=status, headers=elsewhere)
    with pytest.raises(CredentialError):
        world.get(CredentialKind.CLIENT_SECRET)
    assert world.asked == [TENANT_ID]


@pytest.mark.requirement("R22")
def test_a_proxy_of_the_environment_gets_nothing(
    world: EntraWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets go the direct way."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")

    world.get(CredentialKind.CLIENT_SECRET)
    world.get(CredentialKind.MANAGED_IDENTITY)
    assert len(world.entra.issued) == 2


def test_entra_must_be_trusted(world: EntraWorld) -> None:
    """Without the bundle its certificate is nobody's."""
    credentials = world.credentials(ca_bundle="")
    with pytest.raises(CredentialError):
        asyncio.run(ask(credentials))
    assert world.entra.requests == []


def test_a_bundle_that_has_gone_bad_is_a_credential_error(world: EntraWorld) -> None:
    """Nothing else escapes, whatever happens to the file after start."""
    credentials = world.credentials(ca_bundle="/nowhere.pem")
    with pytest.raises(CredentialError, match="FileNotFoundError"):
        asyncio.run(ask(credentials))


def test_a_slow_entra_costs_no_more_than_the_caller_has(world: EntraWorld) -> None:
    """The token that comes later serves the next caller."""
    credentials = world.credentials()
    world.entra.delay_seconds = 0.8

    async def ask_twice() -> float:
        started = time.monotonic()
        with pytest.raises(CredentialError, match="in time"):
            await ask(credentials, seconds=0.2)
        seconds = time.monotonic() - started
        await ask(credentials)
        return seconds

    assert asyncio.run(ask_twice()) < 0.6
    assert len(world.asked) == 1


def test_loading_imports_what_the_first_token_needs_and_asks_nobody() -> None:
    """In a fresh process, as the warm-up function does it."""
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
    world: EntraWorld, login_url: str, is_asked: bool
) -> None:
    """It would ask Microsoft about a private authority."""
    options = world.client(login_url=login_url)._authority_options()
    assert options == {
        "authority": login_url,
        "disable_instance_discovery": not is_asked,
    }
