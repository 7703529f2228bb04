"""Whatever comes in: a decision or our own refusal, never another exception."""

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.core.context import LogFacts
from shared.core.decisions import AskForGraph, decide
from shared.core.errors import WebhookError
from shared.core.redirects import RedirectTo
from shared.core.replies import reply_to
from shared.core.webhook import Correlation, WebhookRequest
from tests.simulator.platform.notifications import (
    Call,
    incoming,
    legacy_incoming,
)
from tests.simulator.services.signing import (
    TENANT_ID,
    SigningKey,
    TokenFactory,
    base64url,
)
from tests.support.rules import HOSTS, build_deployment, build_request, key_set_of

KEY = SigningKey("platform-key")
TOKENS = TokenFactory(KEY)
KEY_SET = key_set_of(KEY)
STATUSES = {400, 401, 403, 404, 411, 413, 503}

texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4)
    ),
    max_leaves=12,
)
codes = st.sampled_from(["weu", "sea", "neu"])
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


def judge(request: WebhookRequest, deployment: Any) -> int:
    """Return the status of a refusal, or 0 for a decision."""
    try:
        asyncio.run(decide(request, deployment, LogFacts()))
    except WebhookError as error:
        return reply_to(error, Correlation.of(request.headers)).status
    return 0


@given(st.binary(max_size=400))
def test_any_bytes_as_a_body(body: bytes) -> None:
    status = judge(build_request(TOKENS, body), build_deployment(KEY_SET))

    assert status in {0, 400}


@given(json_values)
def test_any_json_as_a_body(body: Any) -> None:
    """NaN is among them, which is not JSON."""
    data = json.dumps(body).encode()

    assert judge(build_request(TOKENS, data), build_deployment(KEY_SET)) in {0, 400}


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
    request = build_request(TOKENS, json.dumps({"value": items}).encode())
    deployment = build_deployment(KEY_SET, rules=[{"regions": ["sea"]}])

    is_json = "NaN" not in json.dumps(items) and "Infinity" not in json.dumps(items)
    assert judge(request, deployment) == 0 or not is_json


@given(st.integers(min_value=0), st.binary(min_size=1, max_size=3), st.data())
def test_a_mutated_notification(
    position: int, noise: bytes, data: st.DataObject
) -> None:
    """A few bytes of a real notification are changed."""
    call = Call(tenant_id=TENANT_ID, is_policy_recording=data.draw(st.booleans()))
    bodies = [incoming(call, "https://b"), legacy_incoming(call)]
    body = bytearray(json.dumps(data.draw(st.sampled_from(bodies))).encode())
    start = position % len(body)
    body[start : start + len(noise)] = noise

    status = judge(build_request(TOKENS, bytes(body)), build_deployment(KEY_SET))

    assert status in {0, 400}


@given(st.integers(min_value=0), st.text(min_size=1, max_size=3), st.data())
def test_a_mutated_token(position: int, noise: str, data: st.DataObject) -> None:
    """It is accepted only if nothing changed."""
    token = TOKENS.mint()
    start = position % len(token)
    kinds = st.sampled_from(["replace", "insert", "delete"])
    match data.draw(kinds):
        case "replace":
            mutated = token[:start] + noise + token[start + len(noise) :]
        case "insert":
            mutated = token[:start] + noise + token[start:]
        case _:
            mutated = token[:start] + token[start + len(noise) :]
    request = build_request(mutated, b'{"value":[]}')

    assert judge(request, build_deployment(KEY_SET)) == (0 if mutated == token else 401)


@given(json_values, json_values)
def test_any_signed_header_and_claims(header: Any, claims: Any) -> None:
    """The right key signs them, whatever they hold."""
    merged = {**TOKENS.header(), **header} if isinstance(header, dict) else header
    body = {**TOKENS.claims(), **claims} if isinstance(claims, dict) else claims
    token = KEY.sign(json.dumps(merged).encode(), json.dumps(body).encode())
    request = build_request(token, b'{"value":[]}')

    assert judge(request, build_deployment(KEY_SET)) in {0, 401}


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_any_three_parts(header: bytes, payload: bytes, signature: bytes) -> None:
    """They are well-formed base64url of any bytes."""
    token = ".".join(map(base64url, (header, payload, signature)))
    assert judge(build_request(token, {}), build_deployment(KEY_SET)) == 401


@given(st.dictionaries(texts.map(str.lower), texts, max_size=6), texts, texts)
def test_any_headers_query_and_partition(
    headers: dict[str, str], query: str, partition: str
) -> None:
    """None of them raises an error or becomes an unsafe header."""
    request = build_request(
        TOKENS, {"value": []}, headers=headers, query=f"?{query}", partition=partition
    )
    status = judge(request, build_deployment(KEY_SET, rules=[{"regions": ["sea"]}]))
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
    st.sampled_from(["weu", "sea", "neu"]),
)
def test_a_redirect_goes_to_another_healthy_region_of_the_map_or_nowhere(
    region_rules: list[dict[str, Any]],
    country: str,
    query: str,
    unhealthy: set[str],
    own: str,
) -> None:
    """A call that was redirected before stays."""
    call = Call(tenant_id=TENANT_ID, country_code=country)
    request = build_request(TOKENS, incoming(call, "https://b"), query=query)
    deployment = build_deployment(
        KEY_SET, rules=region_rules, unhealthy=tuple(unhealthy), own_region=own
    )

    decision = asyncio.run(decide(request, deployment, LogFacts()))

    if isinstance(decision, RedirectTo):
        assert decision.region != own
        assert decision.region not in unhealthy
        assert "hop" not in query
        expected = f"https://{HOSTS[decision.region]}/api/calls?hop=1"
        assert decision.location == expected
