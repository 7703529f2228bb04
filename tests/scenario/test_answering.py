"""Incoming calls are answered through Graph, each once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scenario.calls import PARTITIONS, answers_of, call, rejects_of, ring
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.platform.notifications import legacy_incoming
from tests.simulator.services.graph_api import Fault


def test_an_incoming_call_is_answered_with_202(app: Deployments) -> None:
    """Graph gets exactly this body, with a listed partition in the callbackUri."""
    placed = call()

    reply = app.post(ring(app, placed))

    assert (reply.status, reply.body) == (202, b"")
    (answer,) = answers_of(app, placed)
    callback_uri = app.graph.calls[placed.call_id].callback_uri
    assert answer.body == {
        "callbackUri": callback_uri,
        "acceptedModalities": ["audio"],
        "mediaConfig": {
            "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
            "preFetchMedia": [],
        },
    }
    assert callback_uri in {
        f"https://{app.hosts['weu']}/api/calls/{name}" for name in PARTITIONS
    }


def test_a_call_to_be_recorded_by_policy_is_rejected_with_202(app: Deployments) -> None:
    """Answered, it would look recorded while nobody records. The log names the cure."""
    placed = call(is_policy_recording=True)

    replies = [app.post(ring(app, placed)) for _ in range(2)]

    assert [(reply.status, reply.body) for reply in replies] == [(202, b"")] * 2
    (reject,) = rejects_of(app, placed)
    assert (reject.body, reject.status) == ({"reason": "none"}, 202)
    assert answers_of(app, placed) == []
    first, second = [line for line in app.log_lines("weu") if placed.call_id in line]
    assert '"reason":"recording-unhandled"' in first
    assert '"next_step":"Take this bot out of the recording policy' in first
    assert '"reason":"already-handled"' in second


def test_every_region_chooses_the_same_partition_for_a_call(app: Deployments) -> None:
    chosen = set()
    for region in ("weu", "sea"):
        placed = call(call_id="same-call-everywhere")
        assert app.post(ring(app, placed), region=region).status == 202
        callback_uri = app.graph.calls[placed.call_id].callback_uri
        assert callback_uri is not None
        chosen.add(callback_uri.rpartition("/")[2])

    assert len(chosen) == 1


@pytest.mark.requirement("R25")
def test_a_call_is_answered_once_however_often_it_comes(app: Deployments) -> None:
    """One process remembers the last 10,000 calls."""
    placed = call()

    statuses = [app.post(ring(app, placed)).status for _ in range(3)]

    assert statuses == [202, 202, 202]
    assert len(answers_of(app, placed)) == 1


@pytest.mark.requirement("R25")
def test_two_notifications_at_once_get_one_answer_and_the_same_reply(
    app: Deployments,
) -> None:
    """The second waits for the first."""
    placed = call()
    body = ring(app, placed)
    app.graph.faults.append(Fault(delay_seconds=0.5))

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(app.post, [body] * 4))

    assert [reply.status for reply in replies] == [202] * 4
    assert len(answers_of(app, placed)) == 1


@pytest.mark.requirement("R24")
def test_a_foreign_tenant_in_the_payload_is_answered_with_the_tokens_tenant(
    app: Deployments,
) -> None:
    """The claim ``tid`` counts; the difference is logged."""
    placed = call()
    body = ring(app, placed)
    body["value"][0]["resourceData"]["tenantId"] = (
        "99999999-9999-4999-8999-999999999999"
    )

    assert app.post(body).status == 202
    assert len(answers_of(app, placed)) == 1
    lines = [line for line in app.log_lines("weu") if placed.call_id in line]
    assert any("tenant-differs" in line for line in lines)


def test_without_answering_calls_are_accepted() -> None:
    """Graph is not asked, and no credential is needed."""
    settings = {"CALLING_ANSWER": "false", "CALLING_CREDENTIAL": "client-secret"}
    with Deployments(Plan(regions=("weu",), settings=settings)) as app:
        for placed in (call(), call(is_policy_recording=True)):
            assert app.post(ring(app, placed)).status == 202
        assert app.post(legacy_incoming(call())).status == 204
        assert app.graph.answers == app.graph.rejects == []
        assert app.entra.requests == []


def test_a_deployment_of_its_own_uses_its_host_name() -> None:
    """Without regions it is the global host, else what Functions says."""
    for settings, host in (
        ({"WEBSITE_HOSTNAME": "app.azurewebsites.net"}, "app.azurewebsites.net"),
        ({"CALLING_GLOBAL_HOST": "calls.example.org"}, "calls.example.org"),
    ):
        blank = {
            "CALLING_REGION": "",
            "CALLING_REGION_HOSTS": "",
            "CALLING_REGION_RULES": "",
        }
        with Deployments(Plan(regions=("weu",), settings={**blank, **settings})) as app:
            placed = call()
            assert app.post(ring(app, placed)).status == 202
            callback_uri = app.graph.calls[placed.call_id].callback_uri
            assert callback_uri == f"https://{host}/api/calls/default"
