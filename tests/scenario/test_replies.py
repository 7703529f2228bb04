"""Every row of the contract's replies, over TLS, by the production worker."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import requests

from tests.simulator.platform.notifications import (
    Call,
    Caller,
    batch,
    established,
    incoming,
    legacy_incoming,
    terminated,
)
from tests.simulator.services.signing import SigningKey
from tests.simulator.world import TENANT_ID, World

BASE_HEADERS = {
    "Cache-Control",
    "Connection",
    "Content-Type",
    "Date",
    "Server",
}


class Posted(NamedTuple):
    """A reply to a POST."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(
    world: World,
    body: object,
    *,
    token: str | None = None,
    path: str = "/api/calls",
    region: str = "weu",
    headers: Mapping[str, str] | None = None,
) -> Posted:
    """Post to a region; bytes as they are, anything else as JSON; a good token."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    bearer = world.tokens.mint() if token is None else token
    reply = requests.post(
        f"https://{world.hosts[region]}{path}",
        data=data,
        headers={"Authorization": f"Bearer {bearer}", **(headers or {})},
        verify=str(world.authority.bundle),
        allow_redirects=False,
        timeout=20,
    )
    return Posted(reply.status_code, reply.headers, reply.content)


def call(country: str = "DE", **members: Any) -> Call:
    """Return a fresh call."""
    return Call(tenant_id=TENANT_ID, caller=Caller(country_code=country), **members)


def ring(world: World, placed: Call) -> dict[str, Any]:
    """Let a call ring at Graph; return its notification."""
    world.graph.ring(placed.call_id, TENANT_ID)
    return incoming(placed, "https://bot.example.org/api/calls")


def answers_of(world: World, placed: Call) -> int:
    """Return how often Graph was asked to answer the call."""
    return sum(answer.call_id == placed.call_id for answer in world.graph.answers)


def test_a_body_over_one_mebibyte_is_413(world: World) -> None:
    """Also without a token."""
    reply = post(world, b" " * (1024 * 1024 + 1), token="none")

    assert reply.status == 413
    assert reply.body == b""


@pytest.mark.requirement("R17")
def test_all_refused_tokens_get_byte_identical_replies(world: World) -> None:
    """But for the date."""
    variants = (
        "forged",
        "tampered",
        "unsigned",
        "unknown-key",
        "expired",
        "not-yet-valid",
        "wrong-audience",
        "wrong-issuer",
        "no-tenant",
    )
    headers = {
        "X-Microsoft-Skype-Message-ID": "m",
        "Scenario-ID": "s",
    }
    replies = []
    for variant in variants:
        token = world.tokens.variant(variant)
        replies.append(post(world, incoming(call(), "x"), token=token, headers=headers))
    replies.append(post(world, b"{", token="x", headers=headers))
    replies.append(post(world, b"{}", token="a" * 17_000))
    seen = {
        (r.status, r.body, *sorted((k, v) for k, v in r.headers.items() if k != "Date"))
        for r in replies
    }

    assert len(seen) == 1
    reply = replies[0]
    assert (reply.status, reply.body) == (401, b"")
    assert set(reply.headers) == BASE_HEADERS | {"Content-Length", "WWW-Authenticate"}
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_missing_token_is_401(world: World) -> None:
    """And two tokens, too."""
    url = world.webhook("weu")
    bundle = str(world.authority.bundle)
    good = world.tokens.mint()
    for headers in ({}, {"Authorization": f"Bearer {good},Bearer {good}"}):
        reply = requests.post(url, b"{}", headers=headers, verify=bundle, timeout=10)
        assert reply.status_code == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body-empty"),
        (b"{", "body-not-json"),
        (b'{"value":[],"value":[]}', "body-not-json"),
        (b"\xff\xfe", "body-not-json"),
        (b"[]", "body-not-object"),
        (b'"x"', "body-not-object"),
        (b"{}", "protocol-unknown"),
        (b'{"value":{}}', "protocol-unknown"),
        (b'{"value":null}', "protocol-unknown"),
    ],
)
def test_a_body_that_cannot_be_understood_is_400(
    world: World, body: bytes, code: str
) -> None:
    """With the reason, never an echo."""
    reply = post(world, body)

    assert reply.status == 400
    assert reply.headers["Content-Type"] == "application/json"
    error = json.loads(reply.body)["error"]
    assert set(error) == {"code", "message"}
    assert error["code"] == code


def test_a_chunked_body_is_411(world: World) -> None:
    """The host hands it over empty."""
    reply = requests.post(
        world.webhook("weu"),
        data=iter([b'{"value":[]}']),
        headers={"Authorization": f"Bearer {world.tokens.mint()}"},
        verify=str(world.authority.bundle),
        timeout=10,
    )

    assert reply.status_code == 411
    assert reply.json()["error"]["code"] == "length-required"


@pytest.mark.parametrize("path", ["/api/calls", "/api/calls/media-a"])
def test_a_legacy_notification_is_204(world: World, path: str) -> None:
    """Without a body, on both routes."""
    reply = post(world, legacy_incoming(call("SG")), path=path)

    assert (reply.status, reply.body) == (204, b"")
    assert "Content-Length" not in reply.headers


def test_a_call_of_another_region_is_302(world: World) -> None:
    """To that region's host, marked; Graph is not asked."""
    placed = call("SG")

    reply = post(world, ring(world, placed))

    assert (reply.status, reply.body) == (302, b"")
    assert reply.headers["Location"] == f"https://{world.hosts['sea']}/api/calls?hop=1"
    assert answers_of(world, placed) == 0


@pytest.mark.parametrize("query", ["?hop=1", "?hop=", "?hop", "?x=1&hop=9"])
def test_a_redirected_call_is_answered_where_it_is(world: World, query: str) -> None:
    """One hop at most, whatever the rules say."""
    placed = call("SG")

    reply = post(world, ring(world, placed), path=f"/api/calls{query}")

    assert reply.status == 202
    assert answers_of(world, placed) == 1


def test_own_region_first_stays(world: World) -> None:
    """The rules name another one only as second."""
    placed = call("AU")

    assert post(world, ring(world, placed)).status == 202
    assert answers_of(world, placed) == 1


@pytest.mark.parametrize("is_policy_recording", [False, True])
def test_an_incoming_call_is_answered_with_202(
    world: World, is_policy_recording: bool
) -> None:
    """Graph gets exactly what the contract says."""
    placed = call(is_policy_recording=is_policy_recording)

    reply = post(world, ring(world, placed))

    assert (reply.status, reply.body) == (202, b"")
    (answer,) = [a for a in world.graph.answers if a.call_id == placed.call_id]
    callback_uri = world.graph.calls[placed.call_id].callback_uri
    assert answer.body == {
        "callbackUri": callback_uri,
        "acceptedModalities": ["audio"],
        "mediaConfig": {
            "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
            "preFetchMedia": [],
        },
    }
    assert callback_uri in {
        f"https://{world.hosts['weu']}/api/calls/{name}"
        for name in ("media-a", "media-b")
    }


def test_every_region_chooses_the_same_partition(world: World) -> None:
    """For the same call, whoever answers it."""
    chosen = set()
    for region in ("weu", "sea"):
        placed = call(call_id="same-call-everywhere")
        assert post(world, ring(world, placed), region=region).status == 202
        callback_uri = world.graph.calls[placed.call_id].callback_uri
        assert callback_uri is not None
        chosen.add(callback_uri.rpartition("/")[2])

    assert len(chosen) == 1


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
    world: World, body: dict[str, Any], path: str
) -> None:
    """On both routes; also for a partition that is not listed."""
    assert post(world, body, path=path).status == 202


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
    world: World, name: str, status: int
) -> None:
    """Without a good token it is 401."""
    path = f"/api/calls/{name}"

    assert post(world, {"value": []}, path=path).status == status
    if name != "%2e%2e":  # the host resolves dot segments before routing
        assert post(world, {"value": []}, path=path, token="x").status == 401


def test_an_incoming_call_on_the_callback_route_is_not_answered(world: World) -> None:
    """Neither redirected."""
    placed = call("SG")

    assert post(world, ring(world, placed), path="/api/calls/media-a").status == 202
    assert answers_of(world, placed) == 0


def test_a_batch_for_one_other_region_is_302(world: World) -> None:
    """Every item an incoming call of that region."""
    items = [ring(world, call("SG"))["value"][0] for _ in range(3)]

    assert post(world, batch(*items)).status == 302


def test_a_mixed_batch_is_handled_here_item_by_item(world: World) -> None:
    """Bad ones cost the others nothing."""
    here, there = call("DE"), call("SG")
    items = [
        None,
        ring(world, there)["value"][0],
        {"resourceUrl": 7},
        ring(world, here)["value"][0],
        established(call(), is_audio_active=False)["value"][0],
    ]

    assert post(world, {"value": items}).status == 202
    assert answers_of(world, here) == 1
    assert answers_of(world, there) == 1


@pytest.mark.requirement("R24")
def test_a_foreign_tenant_in_the_payload_is_answered_with_the_tokens_tenant(
    world: World,
) -> None:
    """Tid counts; the difference is logged."""
    placed = call()
    body = ring(world, placed)
    body["value"][0]["resourceData"]["tenantId"] = (
        "99999999-9999-4999-8999-999999999999"
    )

    assert post(world, body).status == 202
    assert answers_of(world, placed) == 1
    lines = [
        line for line in world.deployments["weu"].log_lines() if placed.call_id in line
    ]
    assert any("tenant-differs" in line for line in lines)


def test_replies_carry_their_headers(world: World) -> None:
    """Not stored, closed, and the ids that came."""
    ids = {
        "X-Microsoft-Skype-Message-ID": "bd5e378a-cd0c-401b-8878-48220e22332e",
        "X-Microsoft-Skype-Chain-ID": "adb3f75d-cfdc-4b4f-a145-b4708d6f99bf",
    }
    for body, extra in (
        ({"value": []}, {}),
        ({}, {}),
        ({"value": []}, {"Scenario-ID": "8f2ccf1d-0882-477c-b486-03a8eff290a0"}),
        (legacy_incoming(call()), {}),
        (ring(world, call("SG")), {}),
    ):
        reply = post(world, body, headers={**ids, **extra})
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Connection"] == "close"
        assert reply.headers["Client-Request-Id"] == ids["X-Microsoft-Skype-Message-ID"]
        scenario = extra.get("Scenario-ID", ids["X-Microsoft-Skype-Chain-ID"])
        assert reply.headers["Scenario-Id"] == scenario


def test_ids_that_are_no_safe_header_values_are_not_echoed(world: World) -> None:
    """UTF-8 reaches the handler; the host would answer 500 if it were sent back."""
    headers = {"X-Microsoft-Skype-Message-ID": "é".encode(), "Scenario-ID": b"a\tb"}
    reply = post(world, {"value": []}, headers=headers)  # type: ignore[arg-type]

    assert reply.status == 202
    assert "Client-Request-Id" not in reply.headers
    assert "Scenario-Id" not in reply.headers


def test_health_is_200_with_fresh_keys(world: World) -> None:
    """Traffic Manager's probe and a person's look."""
    reply = requests.get(
        f"https://{world.hosts['sea']}/api/health",
        verify=str(world.authority.bundle),
        timeout=10,
    )

    assert reply.status_code == 200
    assert reply.json() == {
        "status": "ok",
        "region": "sea",
        "keys": "fresh",
        "problems": [],
        "warnings": [],
    }


def test_a_new_signing_key_is_found_when_it_is_first_seen() -> None:
    """Rotation while calls come: one look, and the old key serves on."""
    with World() as world:
        assert post(world, {"value": []}).status == 202
        assert len(world.provider.fetches) == 2
        new = SigningKey("new-key")
        world.provider.keys.append(new.jwk())
        token = world.tokens.mint({"kid": new.key_id}, new)

        # The first look was a moment ago: the next one is due 30 s after it.
        assert post(world, {"value": []}, token=token).status == 401
        assert post(world, {"value": []}).status == 202
        assert len(world.provider.fetches) == 2
