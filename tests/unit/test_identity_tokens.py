"""shared.edge.identity_tokens: the app's own tokens, for what is not Graph."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import closing

import pytest
from starlette.responses import Response

from shared.credential_settings import CredentialSettings
from shared.edge import telemetry
from shared.edge.identity_tokens import IdentityClient, IdentityTokens
from shared.edge.token_client import CredentialError
from shared.settings import read_settings
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import APP_ID, TENANT_ID
from tests.support.entra import IDENTITY_CLIENT_ID, TokenServers, ask

STORAGE = "https://storage.azure.com/.default"
INSTANCE = "api://instance.contoso.com/.default"


@pytest.fixture
def tokens(servers: TokenServers, authority: Authority) -> Iterator[IdentityTokens]:
    """Tokens of a user-assigned identity."""
    with closing(
        IdentityClient(IDENTITY_CLIENT_ID, ca_bundle=str(authority.bundle))
    ) as client:
        yield IdentityTokens(client)


def test_each_scope_has_a_token_of_its_own_which_is_kept(
    servers: TokenServers, tokens: IdentityTokens
) -> None:
    servers.identity.resources.add(INSTANCE.removesuffix("/.default"))

    async def story() -> list[str]:
        return [await ask(tokens, scope) for scope in (STORAGE, INSTANCE, STORAGE)]

    first, other, again = asyncio.run(story())
    assert first == again
    assert [servers.entra.issued[token].scope for token in (first, other)] == [
        STORAGE,
        INSTANCE,
    ]
    assert [query["client_id"] for query in servers.identity.requests] == [
        IDENTITY_CLIENT_ID
    ] * 2


def test_the_systems_identity_is_asked_for_by_no_id(
    servers: TokenServers, authority: Authority
) -> None:
    with closing(IdentityClient("", ca_bundle=str(authority.bundle))) as client:
        asyncio.run(ask(IdentityTokens(client), STORAGE))

    [query] = servers.identity.requests
    assert query["resource"] == "https://storage.azure.com"
    assert "client_id" not in query


def test_a_token_that_was_refused_is_replaced(tokens: IdentityTokens) -> None:
    async def story() -> list[str]:
        first = await ask(tokens, STORAGE)
        tokens.forget(STORAGE, first)
        return [first, await ask(tokens, STORAGE)]

    first, second = asyncio.run(story())
    assert first != second


def test_an_endpoint_that_fails_is_told_in_the_log(
    servers: TokenServers, tokens: IdentityTokens, caplog: pytest.LogCaptureFixture
) -> None:
    servers.identity.fault = lambda: Response(status_code=503)
    caplog.set_level(logging.INFO)

    with pytest.raises(CredentialError):
        asyncio.run(ask(tokens, STORAGE))
    telemetry.write_events()

    [line] = [json.loads(record.message) for record in caplog.records]
    assert line["event"] == "credential.failed"
    assert line["reason"] == "credential-unavailable"
    assert line["scope"] == STORAGE


@pytest.mark.parametrize("kind", ["managed-identity", "client-secret"])
@pytest.mark.parametrize("answers", ["true", "false"])
def test_the_identity_is_known_whatever_the_credential_is(
    kind: str, answers: str
) -> None:
    """A deployment that answers nothing delivers, as that identity."""
    credential = credential_of(CALLING_CREDENTIAL=kind, CALLING_ANSWER=answers)

    assert credential is not None
    assert credential.identity_client_id == IDENTITY_CLIENT_ID


def test_a_malformed_identity_is_a_problem_whatever_the_credential_is() -> None:
    assert (
        credential_of(
            CALLING_CREDENTIAL="client-secret", CALLING_IDENTITY_CLIENT_ID="no GUID"
        )
        is None
    )


def credential_of(**changes: str) -> CredentialSettings | None:
    """Return the credential of these settings; ``None`` if they have a problem."""
    environ = {
        "MicrosoftAppId": APP_ID,
        "MicrosoftAppPassword": "secret",
        "CALLING_IDENTITY_CLIENT_ID": IDENTITY_CLIENT_ID.upper(),
        "CALLING_TENANTS": TENANT_ID,
        "WEBSITE_HOSTNAME": "app.azurewebsites.net",
        **changes,
    }
    settings = read_settings(environ).settings
    return None if settings is None else settings.credential
