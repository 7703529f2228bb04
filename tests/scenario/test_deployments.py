"""Deployments that are told otherwise: settings, keys, tenants, redirects, answers."""

import time

import pytest
import requests

from tests.scenario.test_replies import answers_of, call, post, ring
from tests.simulator.platform.notifications import legacy_incoming
from tests.simulator.world import TENANT_ID, Plan, World


def health(world: World) -> requests.Response:
    """Ask for the health of region weu."""
    return requests.get(
        f"https://{world.hosts['weu']}/api/health",
        verify=str(world.authority.bundle),
        timeout=10,
    )


def test_unusable_settings_are_503_for_everybody() -> None:
    """Before any token is looked at; health tells names and sentences, no value."""
    settings = {"CALLING_ANSWER": "perhaps", "CALLING_TENANTS": "contoso.example"}
    with World(Plan(regions=("weu",), settings=settings)) as world:
        for token in (None, "x"):
            reply = post(world, {"value": []}, token=token)
            assert (reply.status, reply.body) == (503, b"")
            assert reply.headers["Retry-After"] == "30"
        assert post(world, b" " * (1024 * 1024 + 1)).status == 413
        report = health(world)

    assert report.status_code == 503
    body = report.json()
    assert (body["status"], body["keys"]) == ("unavailable", "none")
    assert [problem.split(":")[0] for problem in body["problems"]] == [
        "CALLING_ANSWER",
        "CALLING_TENANTS",
    ]
    assert "perhaps" not in report.text
    assert "contoso" not in report.text


def test_an_unknown_setting_is_a_warning_and_health_stays_200() -> None:
    """The deployment's health gate refuses it."""
    plan = Plan(regions=("weu",), settings={"CALLING_REGIONS": "weu"})
    with World(plan) as world:
        report = health(world)

    assert report.status_code == 200
    assert report.json()["warnings"] == ["CALLING_REGIONS: unknown setting."]


def test_without_keys_calls_are_503_and_recover() -> None:
    """What needs no key is 401 all the same."""
    with World(Plan(regions=("weu",))) as world:
        world.provider.is_hanging.set()
        assert post(world, {}, token=world.tokens.variant("unsigned")).status == 401
        assert world.provider.fetches == []
        reply = post(world, {"value": []})
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        report = health(world)
        assert (report.status_code, report.json()["keys"]) == (503, "none")

        world.provider.is_hanging.clear()
        # The next look is due a pause after the last one: at most 4 s here.
        deadline = time.monotonic() + 20
        while (status := post(world, {"value": []}).status) == 503:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert status == 202


@pytest.mark.requirement("R24")
def test_a_tenant_that_is_not_allowed_is_403() -> None:
    """With an empty body; allowed ones come in, whatever the case."""
    other = "1fdd12d0-4620-44ed-baec-459b611f84b2"
    for allowed, status in ((other, 403), (f"{other},{TENANT_ID.upper()}", 202)):
        plan = Plan(regions=("weu",), settings={"CALLING_TENANTS": allowed})
        with World(plan) as world:
            reply = post(world, {"value": []})
            assert (reply.status, reply.body) == (status, b"")


def test_redirects_can_be_307() -> None:
    """As Microsoft's sample does it."""
    rules = ({"regions": ["sea"]},)
    plan = Plan(rules=rules, settings={"CALLING_REDIRECT_STATUS": "307"})
    with World(plan) as world:
        placed = call()
        assert post(world, ring(world, placed)).status == 307
        record = world.platform().place(call(), world.webhook("weu"))
        assert record.path[:2] == [307, 202]


def test_without_answering_calls_are_accepted() -> None:
    """Graph is not asked, and no credential is needed."""
    settings = {"CALLING_ANSWER": "false", "CALLING_CREDENTIAL": "client-secret"}
    with World(Plan(regions=("weu",), settings=settings)) as world:
        placed = call()
        assert post(world, ring(world, placed)).status == 202
        assert post(world, legacy_incoming(call())).status == 204
        assert answers_of(world, placed) == 0
        assert world.entra.requests == []


def test_a_deployment_of_its_own_uses_its_host_name() -> None:
    """Without regions: the global host, else what Functions tells."""
    for settings, host in (
        ({"WEBSITE_HOSTNAME": "app.azurewebsites.net"}, "app.azurewebsites.net"),
        ({"CALLING_GLOBAL_HOST": "calls.example.org"}, "calls.example.org"),
    ):
        blank = {
            "CALLING_REGION": "",
            "CALLING_REGION_HOSTS": "",
            "CALLING_REGION_RULES": "",
        }
        with World(Plan(regions=("weu",), settings={**blank, **settings})) as world:
            placed = call()
            assert post(world, ring(world, placed)).status == 202
            callback_uri = world.graph.calls[placed.call_id].callback_uri
            assert callback_uri == f"https://{host}/api/calls/default"
