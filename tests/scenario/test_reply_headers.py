"""What every reply carries: caching, connection, the ids of the request."""

from tests.scenario.calls import call, ring
from tests.simulator.deployments import Deployments
from tests.simulator.platform.notifications import legacy_incoming


def test_replies_carry_their_headers(app: Deployments) -> None:
    """They are not stored, close the connection, and echo the ids that came."""
    ids = {
        "X-Microsoft-Skype-Message-ID": "bd5e378a-cd0c-401b-8878-48220e22332e",
        "X-Microsoft-Skype-Chain-ID": "adb3f75d-cfdc-4b4f-a145-b4708d6f99bf",
    }
    for body, extra in (
        ({"value": []}, {}),
        ({}, {}),
        ({"value": []}, {"Scenario-ID": "8f2ccf1d-0882-477c-b486-03a8eff290a0"}),
        (legacy_incoming(call()), {}),
        (ring(app, call("SG")), {}),
    ):
        reply = app.post(body, headers={**ids, **extra})
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Connection"] == "close"
        assert reply.headers["Client-Request-Id"] == ids["X-Microsoft-Skype-Message-ID"]
        scenario = extra.get("Scenario-ID", ids["X-Microsoft-Skype-Chain-ID"])
        assert reply.headers["Scenario-Id"] == scenario


def test_ids_that_are_no_safe_header_values_are_not_echoed(app: Deployments) -> None:
    """UTF-8 reaches the handler; the host would answer 500 if it were sent back."""
    headers = {"X-Microsoft-Skype-Message-ID": "é".encode(), "Scenario-ID": b"a\tb"}
    reply = app.post({"value": []}, headers=headers)  # type: ignore[arg-type]

    assert reply.status == 202
    assert "Client-Request-Id" not in reply.headers
    assert "Scenario-Id" not in reply.headers
