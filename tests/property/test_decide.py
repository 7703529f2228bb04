"""Whatever comes in: a decision or our own refusal, never another exception."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.core.decisions import AskForGraph
from shared.core.errors import WebhookError
from shared.core.redirects import RedirectTo
from shared.core.replies import reply_to
from shared.core.webhook import Correlation
from tests.simulator.platform.notifications import incoming, legacy_incoming
from tests.simulator.services.signing import TENANT_ID, base64url
from tests.support.rules import (
    HOSTS,
    KEY,
    TOKENS,
    build_deployment,
    call_from,
    decide_on,
    graph,
)

STATUSES = {400, 401, 403, 404, 411, 413, 503}
TO_SEA = build_deployment(rules=[{"regions": ["sea"]}])

texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4)
    ),
    max_leaves=12,
)
codes = st.sampled_from([*HOSTS])
values = st.lists(
    st.sampled_from(["DE", "SG", "emea", TENANT_ID]), min_size=1, max_size=3
)
rules = st.lists(
    st.fixed_dictionaries(
        {"regions": st.lists(codes, min_size=1, max_size=3)},
        optional=dict.fromkeys(("countryCode", "sourceRegion", "tenant"), values),
    ),
    max_size=4,
)


def judge(body: object, *, headers: dict[str, str] | None = None, **parts: Any) -> int:
    """Return the status of a refusal by region weu, or 0 for a decision."""
    outcome = decide_on(TO_SEA, body, headers=headers, **parts)
    if isinstance(outcome, WebhookError):
        return reply_to(outcome, Correlation.of(headers or {})).status
    return 0


@given(st.binary(max_size=400))
def test_any_bytes_as_a_body(body: bytes) -> None:
    assert judge(body) in {0, 400}


@given(json_values)
def test_any_json_as_a_body(body: Any) -> None:
    """NaN is among them, which is not JSON."""
    assert judge(json.dumps(body).encode()) in {0, 400}


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["changeType", "resource", "resourceUrl", "resourceData"]),
            json_values
            | st.sampled_from(
                ["created", "/app/calls/abc", "/communications/calls/x/y"]
            ),
            max_size=4,
        )
        | json_values,
        max_size=4,
    )
)
def test_any_items_in_a_batch(items: list[Any]) -> None:
    """A batch is never refused because of its items."""
    body = json.dumps({"value": items})

    is_json = "NaN" not in body and "Infinity" not in body
    assert judge(body.encode()) == 0 or not is_json


@given(st.integers(min_value=0), st.binary(min_size=1, max_size=3), st.data())
def test_a_mutated_notification(
    position: int, noise: bytes, data: st.DataObject
) -> None:
    call = call_from("DE", is_policy_recording=data.draw(st.booleans()))
    bodies = [incoming(call, "https://b"), legacy_incoming(call)]
    body = bytearray(json.dumps(data.draw(st.sampled_from(bodies))).encode())
    start = position % len(body)
    body[start : start + len(noise)] = noise

    assert judge(bytes(body)) in {0, 400}


@given(st.integers(min_value=0), st.text(min_size=1, max_size=3), st.data())
def test_a_mutated_token(position: int, noise: str, data: st.DataObject) -> None:
    """It is accepted only if nothing changed."""
    token = TOKENS.mint()
    start = position % len(token)
    match data.draw(st.sampled_from(["replace", "insert", "delete"])):
        case "replace":
            mutated = token[:start] + noise + token[start + len(noise) :]
        case "insert":
            mutated = token[:start] + noise + token[start:]
        case _:
            mutated = token[:start] + token[start + len(noise) :]

    assert judge({"value": []}, token=mutated) == (0 if mutated == token else 401)


@given(json_values, json_values)
def test_any_signed_header_and_claims(header: Any, claims: Any) -> None:
    """The right key signs them, whatever they hold."""
    merged = {**TOKENS.header(), **header} if isinstance(header, dict) else header
    body = {**TOKENS.claims(), **claims} if isinstance(claims, dict) else claims
    token = KEY.sign(json.dumps(merged).encode(), json.dumps(body).encode())

    assert judge({"value": []}, token=token) in {0, 401}


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_any_three_parts(header: bytes, payload: bytes, signature: bytes) -> None:
    """They are well-formed base64url of any bytes."""
    token = ".".join(map(base64url, (header, payload, signature)))
    assert judge({}, token=token) == 401


@given(st.dictionaries(texts.map(str.lower), texts, max_size=6), texts, texts)
def test_any_headers_query_and_partition(
    headers: dict[str, str], query: str, partition: str
) -> None:
    """None of them raises an error or becomes an unsafe header."""
    status = judge(
        {"value": []}, headers=headers, query=f"?{query}", partition=partition
    )
    reply = reply_to(AskForGraph(), Correlation.of(headers))

    assert status in STATUSES | {0}
    for value in reply.headers.values():
        assert value.isascii()
        assert value.isprintable()


@given(
    rules,
    st.sampled_from(["DE", "SG", "US"]),
    st.sampled_from(["", "?hop", "?hop=1", "?x=1"]),
    st.sets(codes),
    codes,
)
def test_a_redirect_goes_to_another_healthy_region_of_the_map_or_nowhere(
    region_rules: list[dict[str, Any]],
    country: str,
    query: str,
    unhealthy: set[str],
    own: str,
) -> None:
    """A call that was redirected before stays."""
    deployment = build_deployment(
        rules=region_rules, unhealthy=tuple(unhealthy), own_region=own
    )

    decision = decide_on(deployment, graph(country), query=query)
    assert not isinstance(decision, WebhookError)

    if isinstance(decision, RedirectTo):
        assert decision.region != own
        assert decision.region not in unhealthy
        assert "hop" not in query
        expected = f"https://{HOSTS[decision.region]}/api/calls?hop=1"
        assert decision.location == expected
