"""A bot that is a managed identity itself (bot type UserAssignedMSI)."""

import asyncio
import logging

import pytest
from starlette.responses import JSONResponse

from shared.credential_settings import CredentialKind
from shared.edge.token_client import CredentialError
from shared.settings import read_settings
from tests.simulator.services.entra import IssuedToken
from tests.simulator.services.signing import APP_ID, TENANT_ID
from tests.support.entra import IDENTITY_CLIENT_ID, TokenServers, ask

OTHER_TENANT = "1fdd12d0-4620-44ed-baec-459b611f84b2"


def test_the_identitys_own_token_for_graph_is_used_without_federation(
    servers: TokenServers,
) -> None:
    """There is no registration that could trust an assertion."""
    issued = servers.get(CredentialKind.MANAGED_IDENTITY, identity_client_id=APP_ID)

    assert issued == IssuedToken(
        tenant_id=TENANT_ID,
        client_id=APP_ID,
        scope="https://graph.example:8443/.default",
        kind="the-identity",
    )
    [query] = servers.identity.requests
    assert query["resource"] == "https://graph.example:8443"
    assert query["client_id"] == APP_ID
    assert servers.entra.requests == []


def test_a_token_that_graph_refused_is_acquired_anew(servers: TokenServers) -> None:
    """azure-identity must not repeat the one that it has."""
    credentials = servers.credentials(
        kind=CredentialKind.MANAGED_IDENTITY, identity_client_id=APP_ID
    )

    async def ask_again() -> tuple[str, str]:
        first = await ask(credentials)
        credentials.forget(TENANT_ID, first)
        return first, await ask(credentials)

    first, second = asyncio.run(ask_again())
    assert first != second
    assert len(servers.identity.requests) == 2


@pytest.mark.parametrize(
    ("kind", "identity", "expected"),
    [
        ("managed-identity", APP_ID, True),
        ("managed-identity", APP_ID.upper(), True),
        ("managed-identity", IDENTITY_CLIENT_ID, False),
        ("managed-identity", "", False),
        ("client-secret", APP_ID, False),
    ],
)
def test_the_bot_is_the_identity_where_both_have_one_id(
    kind: str, identity: str, expected: bool
) -> None:
    """In any case: GUIDs have none."""
    report = read_settings(
        {
            "MicrosoftAppId": APP_ID,
            "WEBSITE_HOSTNAME": "app.azurewebsites.net",
            "CALLING_CREDENTIAL": kind,
            "CALLING_IDENTITY_CLIENT_ID": identity,
            "MicrosoftAppPassword": "secret",
        }
    )

    assert report.settings is not None
    assert report.settings.credential.is_bot_the_identity is expected


def test_an_identity_that_is_not_the_bot_gets_no_token_for_graph(
    servers: TokenServers,
) -> None:
    """The simulated endpoint is as strict as App Service's."""
    with pytest.raises(CredentialError):
        servers.get(
            CredentialKind.MANAGED_IDENTITY,
            identity_client_id=OTHER_TENANT,
            app_id=OTHER_TENANT,
        )


def test_a_failure_of_the_identity_endpoint_tells_when_to_ask_again(
    servers: TokenServers, caplog: pytest.LogCaptureFixture
) -> None:
    """Its text is not logged, with every logger at its most talkative."""
    caplog.set_level(logging.DEBUG)
    refusal = {"error": "throttled", "error_description": "too many of bot topsecret"}
    servers.identity.fault = lambda: JSONResponse(refusal, 429, {"Retry-After": "7"})

    with pytest.raises(CredentialError) as failed:
        servers.get(CredentialKind.MANAGED_IDENTITY, identity_client_id=APP_ID)

    assert failed.value.retry_after_seconds == 7
    assert len(servers.identity.requests) == 1
    assert "topsecret" not in caplog.text
