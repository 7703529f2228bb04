"""Answering through Graph over sockets: the contract's table, row by row."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from starlette.responses import JSONResponse, Response

from tests.scenario.test_replies import answers_of, call, post, ring
from tests.simulator.platform.notifications import batch
from tests.simulator.platform.platform import CallingPlatform, Outcome, Scenario
from tests.simulator.services.graph_api import Fault, error_reply
from tests.simulator.services.signing import SigningKey
from tests.simulator.world import Plan, World


def fault(status: int, code: str = "x", **headers: str) -> Fault:
    """Return a fault that is one reply of Graph."""
    return Fault(reply=lambda: error_reply(status, code, "simulated", headers))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 302, 307])
def test_a_passing_fault_of_graph_is_retried(world: World, status: int) -> None:
    """Throttling, server errors and redirects, which are never followed."""
    placed = call()
    world.graph.faults.append(fault(status, Location="https://127.0.0.1:1/evil"))

    assert post(world, ring(world, placed)).status == 202
    assert answers_of(world, placed) == 2
    assert world.graph.other_paths == []


@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 409, 410, 422])
def test_a_refusal_of_graph_is_202_and_not_repeated(world: World, status: int) -> None:
    """Repeating cannot help; Graph's code is in the log."""
    placed = call()
    world.graph.faults.append(fault(status, "8522"))

    assert post(world, ring(world, placed)).status == 202
    assert answers_of(world, placed) == 1
    lines = world.deployments["weu"].log_lines()
    assert any(placed.call_id in line and '"8522"' in line for line in lines)


def test_a_401_of_graph_leads_to_a_new_token_once(world: World) -> None:
    """Then it is a refusal as any other."""
    placed, hopeless = call(), call()
    world.graph.faults.append(fault(401))
    assert post(world, ring(world, placed)).status == 202
    used = [a.authorization for a in world.graph.answers if a.call_id == placed.call_id]
    assert len(set(used)) == 2

    world.graph.faults.extend([fault(401), fault(401)])
    assert post(world, ring(world, hopeless)).status == 202
    assert answers_of(world, hopeless) == 2


def test_a_lost_reply_followed_by_a_refusal_counts_as_answered(world: World) -> None:
    """The first attempt had taken effect."""
    placed = call()
    world.graph.faults.extend([Fault(loses_reply=True), fault(409)])

    assert post(world, ring(world, placed)).status == 202
    lines = world.deployments["weu"].log_lines()
    assert any(placed.call_id in line and "answer-presumed" in line for line in lines)
    assert post(world, ring(world, placed)).status == 202
    assert answers_of(world, placed) == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_obeyed(world: World, as_date: bool) -> None:
    """In seconds, or as a date."""
    placed = call()
    value = "1"
    if as_date:
        value = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    world.graph.faults.append(fault(429, **{"Retry-After": value}))
    started_at = time.monotonic()

    assert post(world, ring(world, placed)).status == 202
    assert time.monotonic() - started_at >= 0.9


def test_a_retry_after_beyond_the_budget_is_503_at_once(world: World) -> None:
    """Waiting would be in vain."""
    placed = call()
    world.graph.faults.append(fault(429, **{"Retry-After": "120"}))
    started_at = time.monotonic()

    reply = post(world, ring(world, placed))

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert answers_of(world, placed) == 1
    assert time.monotonic() - started_at < 3


def test_a_hanging_graph_is_503_within_the_recording_budget(world: World) -> None:
    """4 s, from the arrival of the POST."""
    placed = call(is_policy_recording=True)
    world.graph.faults.extend([Fault(delay_seconds=8)] * 5)
    started_at = time.monotonic()

    reply = post(world, ring(world, placed))

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert time.monotonic() - started_at < 5


def test_one_hanging_attempt_leaves_time_for_another(world: World) -> None:
    """Also within 4 s."""
    placed = call(is_policy_recording=True)
    world.graph.faults.append(Fault(delay_seconds=6))

    assert post(world, ring(world, placed)).status == 202


def test_a_slow_graph_is_waited_for(world: World) -> None:
    """Two seconds are within the budget of policy recording."""
    placed = call(is_policy_recording=True)
    world.graph.faults.append(Fault(delay_seconds=2.0))

    assert post(world, ring(world, placed)).status == 202
    assert answers_of(world, placed) == 1


@pytest.mark.requirement("R25")
def test_a_call_is_answered_once_however_often_it_comes(world: World) -> None:
    """In this process, for the last 10,000 calls."""
    placed = call()

    statuses = [post(world, ring(world, placed)).status for _ in range(3)]

    assert statuses == [202, 202, 202]
    assert answers_of(world, placed) == 1


@pytest.mark.requirement("R25")
def test_two_notifications_at_once_get_one_answer_and_the_same_reply(
    world: World,
) -> None:
    """The second waits for the first."""
    placed = call()
    body = ring(world, placed)
    world.graph.faults.append(Fault(delay_seconds=0.5))

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(partial(post, world), [body] * 4))

    assert [reply.status for reply in replies] == [202] * 4
    assert answers_of(world, placed) == 1


def test_a_batch_is_503_if_any_answer_is(world: World) -> None:
    """The others are answered, and not again when it comes again."""
    first, second = call(), call()
    items = [ring(world, placed)["value"][0] for placed in (first, second)]
    world.graph.faults.append(fault(429, **{"Retry-After": "120"}))

    assert post(world, batch(*items)).status == 503
    assert post(world, batch(*items)).status == 202
    assert answers_of(world, first) + answers_of(world, second) == 3


def test_entra_down_is_503_and_then_recovers() -> None:
    """No credential: retried within the budget."""
    with World(Plan(regions=("weu",))) as world:
        world.entra.fault = lambda: Response(status_code=500)
        placed = call(is_policy_recording=True)
        started_at = time.monotonic()
        reply = post(world, ring(world, placed))
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert time.monotonic() - started_at < 5
        assert answers_of(world, placed) == 0

        failing = threading.Timer(1.0, lambda: setattr(world.entra, "fault", None))
        failing.start()
        assert post(world, ring(world, placed)).status == 202
        failing.join()


@pytest.mark.requirement("R22")
def test_all_three_credentials_get_a_token_for_the_tenant_of_the_call(
    tmp_path: Path,
) -> None:
    """Through azure-identity, as it is."""
    key = SigningKey()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bot")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key.private, hashes.SHA256())
    )
    path = tmp_path / "bot.pem"
    path.write_bytes(
        key.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    kinds = {
        "managed-identity": {
            "CALLING_IDENTITY_CLIENT_ID": "7c1f0a52-93f6-4a0b-8a55-2f60d94f3b11"
        },
        "client-secret": {"MicrosoftAppPassword": "simulated-secret"},
        "certificate": {"CALLING_CERTIFICATE_PATH": str(path)},
    }
    for kind, settings in kinds.items():
        plan = Plan(regions=("weu",), settings={"CALLING_CREDENTIAL": kind, **settings})
        with World(plan) as world:
            world.registration.certificate = certificate
            for _ in range(3):
                assert post(world, ring(world, call())).status == 202
            (issued,) = world.entra.issued.values()
            assert issued.kind == kind
            assert issued.tenant_id == world.tenant_id
            assert issued.scope == f"{world.graph.url}/.default"
            token_path = f"/{world.tenant_id}/oauth2/v2.0/token"
            assert world.entra.requests.count(token_path) == 1
            assert not any("discovery" in path for path in world.entra.requests)
            log = "\n".join(world.deployments["weu"].log_lines())
            assert "simulated-secret" not in log
            assert not any(token in log for token in world.entra.issued)
            if kind == "managed-identity":
                (asked,) = world.identity.requests
                assert asked["client_id"] == settings["CALLING_IDENTITY_CLIENT_ID"]


@pytest.mark.parametrize("is_policy_recording", [False, True])
def test_the_platform_sees_its_calls_answered_to_the_end(
    world: World, is_policy_recording: bool
) -> None:
    """Legacy, 204, Graph, 302, the other region, answered, established, ended."""
    platform: CallingPlatform = world.platform()
    placed = call("SG", is_policy_recording=is_policy_recording)

    record = platform.place(placed, world.webhook("weu"), Scenario(starts_legacy=True))

    assert record.outcome is Outcome.ANSWERED
    assert record.path == [204, 302, 202, 202, 202, 202, 202, 202]
    assert record.callback_uri is not None
    assert record.callback_uri.startswith(f"https://{world.hosts['sea']}/api/calls/")


def test_a_call_with_a_forged_token_never_reaches_graph(world: World) -> None:
    """Refused, not lost."""
    placed = call()

    record = world.platform().place(
        placed, world.webhook("weu"), Scenario(token_variant="forged")
    )

    assert record.outcome is Outcome.REFUSED
    assert answers_of(world, placed) == 0


@pytest.mark.parametrize("body", [{}, {"error": "x"}, {"error": {"code": 7}}, [], "x"])
def test_an_error_of_graph_without_a_code_is_no_error_of_ours(
    world: World, body: object
) -> None:
    """Any body will do."""
    placed = call()
    world.graph.faults.append(Fault(reply=lambda: JSONResponse(body, 403)))

    assert post(world, ring(world, placed)).status == 202
