"""Everything that is no incoming call: legacy notifications, follow-ups, partitions."""

from typing import Any

import pytest

from tests.scenario.calls import call
from tests.simulator.deployments import Deployments
from tests.simulator.platform.notifications import (
    established,
    legacy_incoming,
    terminated,
)


@pytest.mark.parametrize("path", ["/api/calls", "/api/calls/media-a"])
def test_a_legacy_notification_is_204_on_both_routes(
    app: Deployments, path: str
) -> None:
    reply = app.post(legacy_incoming(call("SG")), path=path)

    assert (reply.status, reply.body) == (204, b"")
    assert "Content-Length" not in reply.headers


@pytest.mark.parametrize(
    "body",
    [
        established(call(), is_audio_active=True),
        terminated(call()),
        {"value": []},
        {"value": [None, 1, "x", {}]},
        {"value": [{"resourceUrl": "/app/calls/../../users"}]},
        {"@odata.type": "#microsoft.graph.participantJoiningNotification", "call": {}},
    ],
)
@pytest.mark.parametrize("path", ["/api/calls", "/api/calls/media-b", "/api/calls/old"])
def test_every_other_notification_is_202(
    app: Deployments, body: dict[str, Any], path: str
) -> None:
    """On both routes; also for a partition that is not listed."""
    assert app.post(body, path=path).status == 202


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("media-a", 202),
        ("a" * 32, 202),
        ("a" * 33, 404),
        ("Media-a", 404),
        ("-a", 404),
        ("a_b", 404),
        ("%2e%2e", 404),
        ("a%20b", 404),
    ],
)
def test_a_partition_that_cannot_be_is_404_after_the_token(
    app: Deployments, name: str, status: int
) -> None:
    """Without a good token it is 401."""
    path = f"/api/calls/{name}"

    assert app.post({"value": []}, path=path).status == status
    if name != "%2e%2e":  # the host resolves dot segments before routing
        assert app.post({"value": []}, path=path, token="x").status == 401
