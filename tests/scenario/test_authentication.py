"""Who is let in: tokens, signing keys, tenants."""

import time

import pytest
import requests

from tests.scenario.calls import call
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.platform.notifications import incoming
from tests.simulator.services.signing import TENANT_ID, VARIANTS, SigningKey

BASE_HEADERS = {"Cache-Control", "Connection", "Content-Type", "Date", "Server"}


@pytest.mark.requirement("R17")
def test_all_refused_tokens_get_byte_identical_replies(app: Deployments) -> None:
    """Only the date differs."""
    ids = {"X-Microsoft-Skype-Message-ID": "m", "Scenario-ID": "s"}
    requested = [
        *(
            (incoming(call(), "x"), app.tokens.variant(name))
            for name in VARIANTS
            if name != "good"
        ),
        (b"{", "x"),
        (b"{}", "a" * 17_000),
    ]
    replies = [app.post(body, token=token, headers=ids) for body, token in requested]
    seen = {
        (r.status, r.body, *sorted((k, v) for k, v in r.headers.items() if k != "Date"))
        for r in replies
    }

    assert len(replies) == 11
    assert len(seen) == 1
    reply = replies[0]
    assert (reply.status, reply.body) == (401, b"")
    assert set(reply.headers) == BASE_HEADERS | {"Content-Length", "WWW-Authenticate"}
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_missing_token_is_401_and_so_are_two(app: Deployments) -> None:
    url = app.webhook("weu")
    bundle = str(app.authority.bundle)
    good = app.tokens.mint()
    for headers in ({}, {"Authorization": f"Bearer {good},Bearer {good}"}):
        reply = requests.post(url, b"{}", headers=headers, verify=bundle, timeout=10)
        assert reply.status_code == 401


def test_a_new_signing_key_waits_while_the_old_one_serves_on() -> None:
    """Keys that were fetched a moment ago are not fetched again for an unknown key."""
    with Deployments(Plan(regions=("weu",))) as app:
        assert app.post({"value": []}).status == 202
        assert len(app.provider.fetches) == 2
        new = SigningKey("new-key")
        app.provider.keys.append(new.jwk())
        token = app.tokens.mint({"kid": new.key_id}, new)

        # The first fetch was a moment ago: the next one is due 30 s after it.
        assert app.post({"value": []}, token=token).status == 401
        assert app.post({"value": []}).status == 202
        assert len(app.provider.fetches) == 2


def test_without_keys_calls_are_503_and_recover() -> None:
    """What needs no key is 401 all the same."""
    with Deployments(Plan(regions=("weu",))) as app:
        app.provider.is_hanging.set()
        assert app.post({}, token=app.tokens.variant("unsigned")).status == 401
        assert app.provider.fetches == []
        reply = app.post({"value": []})
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        report = app.health("weu")
        assert (report.status_code, report.json()["keys"]) == (503, "none")

        app.provider.is_hanging.clear()
        # The next fetch is due a pause after the last one: at most 4 s here.
        deadline = time.monotonic() + 20
        while (status := app.post({"value": []}).status) == 503:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert status == 202


@pytest.mark.requirement("R24")
def test_a_tenant_that_is_not_allowed_is_403() -> None:
    """The body is empty; allowed tenants come in, whatever the case."""
    other = "1fdd12d0-4620-44ed-baec-459b611f84b2"
    for allowed, status in ((other, 403), (f"{other},{TENANT_ID.upper()}", 202)):
        plan = Plan(regions=("weu",), settings={"CALLING_TENANTS": allowed})
        with Deployments(plan) as app:
            reply = app.post({"value": []})
            assert (reply.status, reply.body) == (status, b"")
