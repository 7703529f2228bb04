"""tests.simulator.services.graph_api: what Graph says to answers and rejections."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import APP_ID, TENANT_ID

OTHER_TENANT = "1fdd12d0-4620-44ed-baec-459b611f84b2"
REJECT = {"reason": "none"}
ANSWER = {
    "callbackUri": "https://weu.calls.example.org/api/calls/default",
    "acceptedModalities": ["audio"],
    "mediaConfig": {
        "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
        "preFetchMedia": [],
    },
}
BODIES = {"answer": ANSWER, "reject": REJECT}


@pytest.fixture(scope="module")
def neighbours() -> Iterator[Neighbours]:
    with Neighbours() as running:
        yield running


def token_reply(
    neighbours: Neighbours, tenant_id: str = TENANT_ID
) -> requests.Response:
    """Ask Entra for a token for Graph."""
    return requests.post(
        f"{neighbours.entra.url}/{tenant_id}/oauth2/v2.0/token",
        data={
            "client_id": APP_ID,
            "client_secret": neighbours.registration.secret,
            "grant_type": "client_credentials",
            "scope": f"{neighbours.graph.url}/.default",
        },
        verify=str(neighbours.authority.bundle),
        timeout=10,
    )


def ask(
    neighbours: Neighbours,
    call_id: str,
    action: str,
    *,
    body: Any = None,
    tenant_id: str = TENANT_ID,
) -> tuple[int, str | None]:
    """Ask Graph, with a token of Entra; return the status and the error's code."""
    token = token_reply(neighbours, tenant_id).json()["access_token"]
    reply = requests.post(
        f"{neighbours.graph.graph_url}/communications/calls/{call_id}/{action}",
        json=BODIES[action] if body is None else body,
        headers={"Authorization": f"Bearer {token}"},
        verify=str(neighbours.authority.bundle),
        timeout=10,
    )
    return reply.status_code, reply.json()["error"]["code"] if reply.content else None


@pytest.mark.parametrize("reason", ["none", "Busy", "Forbidden"])
def test_a_ringing_call_can_be_rejected_once(
    neighbours: Neighbours, reason: str
) -> None:
    """Then it is gone: it can be neither rejected again nor answered."""
    call = neighbours.graph.ring(f"rejected-{reason}", TENANT_ID)

    assert ask(neighbours, call.call_id, "reject", body={"reason": reason}) == (
        202,
        None,
    )
    assert call.rejected_for == reason.lower()
    assert ask(neighbours, call.call_id, "reject") == (404, "8522")
    assert ask(neighbours, call.call_id, "answer") == (404, "8522")


def test_an_answered_call_can_be_neither_rejected_nor_answered_again(
    neighbours: Neighbours,
) -> None:
    call = neighbours.graph.ring("answered", TENANT_ID)

    assert ask(neighbours, "answered", "answer") == (202, None)
    assert ask(neighbours, "answered", "reject") == (409, "8501")
    assert ask(neighbours, "answered", "answer") == (409, "8501")
    assert (call.callback_uri, call.rejected_for) == (ANSWER["callbackUri"], None)


@pytest.mark.parametrize("action", ["answer", "reject"])
def test_a_call_that_is_over_or_of_another_tenant_is_refused(
    neighbours: Neighbours, action: str
) -> None:
    neighbours.graph.ring(f"over-{action}", TENANT_ID).is_over = True
    neighbours.graph.ring(f"foreign-{action}", OTHER_TENANT)

    assert ask(neighbours, f"over-{action}", action) == (404, "8522")
    assert ask(neighbours, f"foreign-{action}", action) == (403, "7505")
    assert ask(neighbours, "unknown", action) == (404, "8522")


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("reject", []),
        ("reject", {}),
        ("reject", {"reason": "tired"}),
        ("reject", {"reason": None}),
        ("reject", {**REJECT, "callbackUri": "http://x.example"}),
        ("reject", {**REJECT, "mediaConfig": {}}),
        ("answer", {**ANSWER, "callbackUri": "http://x.example"}),
        ("answer", {**ANSWER, "mediaConfig": {}}),
        ("answer", REJECT),
    ],
)
def test_a_malformed_body_is_refused(
    neighbours: Neighbours, action: str, body: Any
) -> None:
    call = neighbours.graph.ring("malformed", TENANT_ID)

    assert ask(neighbours, "malformed", action, body=body) == (400, "7500")
    assert not call.is_settled


def test_entra_refuses_a_tenant_that_has_not_consented(neighbours: Neighbours) -> None:
    neighbours.entra.without_consent.add(OTHER_TENANT)

    refused = token_reply(neighbours, OTHER_TENANT)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert refused.json()["error_description"].startswith("AADSTS65001: ")
    assert token_reply(neighbours).status_code == 200
    neighbours.entra.without_consent.clear()
    assert token_reply(neighbours, OTHER_TENANT).status_code == 200
