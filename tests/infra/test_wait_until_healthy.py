"""The gate of the roll-out: real processes, real TLS, the app's own health report."""

import os
import subprocess
import sys

import pytest

from shared.core.health import HealthReport
from tests.infra.health import health
from tests.simulator.services.authority import Authority
from tests.support.processes import run
from tests.support.servers import ScriptedServer, in_turn, json_reply, reply

HEALTHY = health()


class Gate:
    """Runs the script, which trusts certificates of the authority only."""

    def __init__(self) -> None:
        self.authority = Authority()
        self.asked: list[tuple[str, str]] = []

    def run(
        self,
        *answers: bytes | None,
        seconds: float = 0,
        options: tuple[str, ...] = ("--region", "weu"),
    ) -> subprocess.CompletedProcess[str]:
        """Give the answers in turn, the last one for ever; ``None`` hangs up."""
        script = in_turn(*(lambda *_, answer=answer: answer for answer in answers))
        with ScriptedServer(script, self.authority.server_context()) as server:
            url = f"{server.url}/api/health"
            finished = self.run_against(url, seconds, options)
        self.asked = [(asked.method, asked.target) for asked in server.requests]
        return finished

    def run_against(
        self,
        url: str,
        seconds: float = 0,
        options: tuple[str, ...] = ("--region", "weu"),
    ) -> subprocess.CompletedProcess[str]:
        return run(
            *(sys.executable, "infra/wait_until_healthy.py", *options, url),
            *("--seconds", str(seconds), "--interval-seconds", "0.01"),
            env={
                "PATH": os.environ["PATH"],
                "SSL_CERT_FILE": str(self.authority.bundle),
            },
            timeout=60,
        )


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_a_healthy_region_opens_the_gate_after_three_answers(gate: Gate) -> None:
    """A single one may come from an instance that is about to go."""
    finished = gate.run(HEALTHY)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == "  weu is healthy.\n"
    assert gate.asked == [("GET", "/api/health")] * 3


def test_the_row_starts_anew_after_any_other_answer(gate: Gate) -> None:
    """Old and new instances take turns while a site is updated."""
    finished = gate.run(HEALTHY, HEALTHY, reply(503), HEALTHY, seconds=50)

    assert finished.returncode == 0
    assert gate.asked == [("GET", "/api/health")] * 6


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            health(CALLING_LATER="1"),
            "200, warnings: ['CALLING_LATER: unknown setting.']",
        ),
        (health(CALLING_ANSWER="perhaps"), "503, problems: ['CALLING_ANSWER: must be"),
        (health(MicrosoftAppId=""), "503, problems: ['MicrosoftAppId: is required"),
        (health(keys="none"), "503, keys: none"),
        (health("sea"), "200, but it says it is region 'sea'"),
        (reply(404), "404, and no health report: is the code published?"),
        (reply(200, b"<html>"), "200, and no health report"),
        (json_reply([1]), "200, and no health report"),
        (json_reply({"status": "ok"}), "200, problems: None"),
        (None, "no answer: "),
        (b"nonsense\r\n\r\n", "no answer: "),
    ],
)
def test_anything_else_keeps_the_gate_closed_and_is_told(
    answer: bytes | None, why: str, gate: Gate
) -> None:
    """The roll-out stops there, and the sentence is all that the operator gets."""
    finished = gate.run(answer)

    assert finished.returncode == 1
    assert finished.stderr.startswith("weu is not healthy: ")
    assert why in finished.stderr


def report_of(build: str, region: str = "weu") -> bytes:
    report = HealthReport(region, "fresh", (), (), build=build)
    return json_reply(report.members())


def test_the_build_that_was_published_is_waited_for(gate: Gate) -> None:
    """Instances of the old version may serve for a while, as healthy as ever."""
    options = ("--region", "weu", "--build", "new.lock")
    old, new = report_of("old.lock"), report_of("new.lock")

    finished = gate.run(old, new, new, old, new, seconds=50, options=options)

    assert finished.returncode == 0
    assert len(gate.asked) == 7
    assert "  not yet: 200, but build 'old.lock' and not new.lock\n" in finished.stdout


def test_another_build_keeps_the_gate_closed(gate: Gate) -> None:
    finished = gate.run(health(), options=("--region", "weu", "--build", "new.lock"))

    assert finished.returncode == 1
    assert "200, but build 'dev' and not new.lock" in finished.stderr


def test_any_region_may_answer_for_the_global_host(gate: Gate) -> None:
    """They must all have the build."""
    answers = [report_of("new", region) for region in ("weu", "sea", "eus2")]

    finished = gate.run(*answers, options=("--build", "new"))

    assert finished.stdout == "  the global host is healthy.\n"


def test_why_a_region_is_unavailable_is_told(gate: Gate) -> None:
    """It may hold keys, and fail to answer."""
    members = {**HealthReport("weu", "fresh", (), ()).members(), "answering": "failing"}

    finished = gate.run(json_reply(members, 503))

    assert "503, keys: fresh, answering: failing" in finished.stderr


def test_notices_are_printed_and_do_not_keep_the_gate_closed(gate: Gate) -> None:
    """A certificate that ends soon is no fault of what is rolled out."""
    report = HealthReport("weu", "fresh", (), (), notices=("the first", "the second"))
    finished = gate.run(json_reply(report.members()))

    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.splitlines() == [
        "  notice: the first",
        "  notice: the second",
        "  weu is healthy.",
    ]


def test_a_report_of_older_code_has_no_notices(gate: Gate) -> None:
    """The way back to an older version must stay open."""
    older = {**HealthReport("weu", "fresh", (), ()).members()}
    del older["notices"]

    assert gate.run(json_reply(older)).stdout == "  weu is healthy.\n"


def test_what_heals_in_time_opens_the_gate(gate: Gate) -> None:
    """The old code warns of new settings until it is replaced."""
    old = health(CALLING_LATER="1")
    finished = gate.run(reply(404), old, old, HEALTHY, seconds=50)

    assert finished.returncode == 0
    assert finished.stdout.splitlines() == [
        "  not yet: 404, and no health report: is the code published?",
        "  not yet: 200, warnings: ['CALLING_LATER: unknown setting.']",
        "  weu is healthy.",
    ]


def test_an_untrusted_certificate_keeps_the_gate_closed(gate: Gate) -> None:
    """The calling platform would not accept it either."""
    stranger = Authority().server_context()
    with ScriptedServer(lambda *_: HEALTHY, stranger) as server:
        finished = gate.run_against(f"{server.url}/api/health")

    assert finished.returncode == 1
    assert "certificate verify failed" in finished.stderr


def test_only_https_is_asked(gate: Gate) -> None:
    finished = gate.run_against("file:///etc/hostname")

    assert finished.returncode == 2
    assert "the URL must be https" in finished.stderr
