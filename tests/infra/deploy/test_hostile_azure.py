"""Deployments while Azure is as it is at its worst, and while somebody ends them.

Whatever happens, the next run carries on and ends healthy; nothing is made twice, no
region is changed while it gets calls, and the bot's webhook is left alone until every
region is healthy.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.infra.deploy.azure import FORMER_WEBHOOK, WEBHOOK
from tests.infra.deploy.machine import Machine
from tests.infra.deploy.workstation import Workstation

BOT = {"BOT_NAME": "bot-calls"}


def assert_done(workstation: Workstation) -> None:
    """Assert that all is well, and that nobody came to harm on the way."""
    azure = workstation.azure
    assert all(map(azure.is_online, azure.codes))
    assert azure.webhook == WEBHOOK
    assert azure.harm == []
    assert [name for name, count in Counter(azure.made).items() if count > 1] == []


@pytest.mark.parametrize(
    ("trouble", "value"),
    [
        ("lag_seconds", 80.0),
        ("role_seconds", 85.0),
        ("throttles", 3),
        ("throttles", 2),
        ("conflicts", 3),
        ("dns_after", 5),
        ("dns_failures", 3),
    ],
)
def test_trouble_that_passes_is_waited_for(
    trouble: str, value: float, workstation: Workstation
) -> None:
    """Resource Graph lags, roles spread, questions are throttled, children collide."""
    workstation.describe("test", "weu", "eus2")
    setattr(workstation.azure, trouble, value)

    workstation.deploy("test", **BOT)

    assert_done(workstation)


def test_all_troubles_at_once_are_waited_for(workstation: Workstation) -> None:
    workstation.describe("test", "weu", "eus2", "sea")
    azure = workstation.azure
    azure.lag_seconds, azure.role_seconds, azure.throttles = 40.0, 85.0, 5
    azure.conflicts, azure.dns_after = 1, 2

    workstation.deploy("test", **BOT)

    assert_done(workstation)


def test_trouble_that_does_not_pass_ends_the_run(workstation: Workstation) -> None:
    """Four times are enough for one command."""
    workstation.describe("test", "weu")
    workstation.azure.conflicts = 4

    told = workstation.fail("test")

    assert "stopped at «Deploy new regions, without host names»" in told
    assert workstation.calls.count("sleep 30") == 3


def test_publishing_is_tried_four_times_and_the_gate_judges(
    workstation: Workstation,
) -> None:
    """It may fail though the code arrived, and succeed though it did not."""
    workstation.describe("test", "weu")
    workstation.azure.lag_seconds = 1e9

    told = workstation.fail("test")

    tries = [call for call in workstation.calls if call.startswith("func azure")]
    assert len(tries) == 4
    assert "stopped at «Wait until weu is healthy»" in told


def test_code_that_did_not_arrive_is_noticed_though_publishing_succeeded(
    deployed: Workstation,
) -> None:
    """Core Tools end with 0 where the state is Unknown or PartialSuccess."""
    deployed.azure.quiet_failures = 1
    deployed.prepare = lambda machine: setattr(machine, "build", "new.lock")

    told = deployed.fail("test", **BOT)

    assert "the roll-out stops at weu; not touched: eus2." in told
    deployed.deploy("test", **BOT)
    assert deployed.azure.apps["weu"].build == "new.lock"
    assert_done(deployed)


def test_an_expired_login_is_told_with_its_cure(workstation: Workstation) -> None:
    """A pipeline's login by OpenID Connect ends while templates are deployed."""
    workstation.describe("test", "weu", "eus2")

    def expire(machine: Machine) -> None:
        def after_the_template(_number: int, _when: str) -> None:
            azure = workstation.azure
            azure.is_expired |= "-n stamp -o none" in machine.calls[-1]

        machine.interrupt = after_the_template

    workstation.prepare = expire
    told = workstation.fail("test", **BOT)

    assert "stopped at «Let the bot's registration trust the identity of weu»" in told
    assert "deploy: The login has expired; log in again and run the same" in told
    workstation.prepare, workstation.azure.is_expired = lambda _: None, False
    workstation.deploy("test", **BOT)
    assert_done(workstation)


class Ended(KeyboardInterrupt):
    """Somebody pressed Ctrl-C."""


def end_at(
    workstation: Workstation, wanted: int, moment: str
) -> Callable[[Machine], None]:
    """End a run at one of its commands, before or after Azure has got it."""

    def prepare(machine: Machine) -> None:
        def interrupt(number: int, when: str) -> None:
            if (number, when) == (wanted, moment):
                workstation.azure.leave_running()
                raise Ended

        machine.interrupt = interrupt

    return prepare


def count_calls(workstation: Workstation) -> int:
    workstation.deploy("test", **BOT)
    return len(workstation.calls)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_first_deployment_that_is_ended_at_any_command_is_carried_on(
    moment: str, workstation: Workstation, make_workstation: Callable[[], Workstation]
) -> None:
    """Ended twice at the same place, too."""
    workstation.describe("test", "weu", "eus2")
    for wanted in range(1, count_calls(workstation) + 1):
        ended = make_workstation()
        ended.describe("test", "weu", "eus2")
        for _ in range(2):
            ended.prepare = end_at(ended, wanted, moment)
            status = ended.run("test", **BOT)
            assert status in {0, 130}
            if status and not all(map(ended.azure.is_up, ended.azure.codes)):
                assert ended.azure.webhook == FORMER_WEBHOOK
                assert "stopped" in ended.told
        ended.prepare = lambda _: None

        ended.deploy("test", **BOT)

        assert_done(ended)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_later_deployment_that_is_ended_at_any_command_is_carried_on(
    moment: str, deployed: Workstation, copy: Callable[[Workstation], Workstation]
) -> None:
    """A region that it had drained gets calls again; one drained by hand does not."""
    deployed.describe("test", "weu", "eus2", "sea")
    deployed.deploy("test", **BOT)
    deployed.deploy("--drain", "sea", "test")
    deployed.azure.webhook = FORMER_WEBHOOK
    for wanted in range(1, count_calls(copy(deployed)) + 1):
        ended = copy(deployed)
        ended.prepare = end_at(ended, wanted, moment)
        assert ended.run("test", **BOT) in {0, 130}
        ended.prepare = lambda _: None

        ended.deploy("test", **BOT)

        assert ended.azure.is_online("weu")
        assert ended.azure.is_online("eus2")
        assert not ended.azure.endpoints["sea"].is_enabled
        assert ended.azure.webhook == WEBHOOK
        assert ended.azure.harm == []


@pytest.mark.parametrize("command", ["--drain", "--undrain", "--remove"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_other_commands_that_are_ended_are_carried_on(
    command: str,
    moment: str,
    deployed: Workstation,
    copy: Callable[[Workstation], Workstation],
) -> None:
    if command == "--remove":
        deployed.describe("test", "weu")
        deployed.deploy("test")
        deployed.deploy("--remove", "eus2", "test")
        deployed.azure.clock += 86_400
    elif command == "--undrain":
        deployed.deploy("--drain", "eus2", "test")
    whole = copy(deployed)
    whole.deploy(command, "eus2", "test")
    for wanted in range(1, len(whole.calls) + 1):
        ended = copy(deployed)
        ended.prepare = end_at(ended, wanted, moment)
        assert ended.run(command, "eus2", "test") in {0, 130}
        ended.prepare = lambda _: None

        ended.deploy(command, "eus2", "test")

        assert ended.azure.groups.keys() == whole.azure.groups.keys()
        assert ended.azure.group("global").tags == whole.azure.group("global").tags
        assert ended.azure.credentials == whole.azure.credentials
        assert ended.azure.is_online("eus2") == whole.azure.is_online("eus2")


def test_a_deployment_of_another_run_is_waited_for(deployed: Workstation) -> None:
    """Azure would refuse a second one of the same name."""
    azure = deployed.azure
    azure.group("weu").deployments["stamp"] = azure.clock + 100

    deployed.deploy("test", **BOT)

    assert_done(deployed)
