"""Scripts in files, and the command that plays them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.caller.bot_service import BotService
from tests.simulator.caller.call import BotCall
from tests.simulator.caller.fixtures import CallBot
from tests.simulator.caller.script import Script, ScriptFileError
from tests.support.checkout import CHECKOUT, read_text

SALES = "550fae72-d251-43ec-868c-373732c2704f"


def test_a_script_has_facts_and_steps() -> None:
    script = Script.parse(
        [
            "# Sales is away.",
            f"person {SALES} does not answer",
            "prompt menu lasts 2.5",
            "caller is +491711234567",
            "caller calls from FR",
            "",
            "starts to hear menu",
            "hears keys 12#",
            "  hears  menu   goodbye",
            "presses #",
            "says 4",
            "hangs up",
        ]
    )

    assert script.people == {SALES: "does not answer"}
    guest = Script.parse([f"caller is guest {SALES}"])
    assert guest.members == {"caller_id": SALES, "caller_kind": "guest"}
    assert script.lengths == {"menu": 2.5}
    assert script.members == {"caller_id": "+491711234567", "country_code": "FR"}
    assert [step[1:] for step in script.steps] == [
        ("starts_to_hear", ("menu",)),
        ("hears_keys", ("12#",)),
        ("hears", ("menu", "goodbye")),
        ("presses", ("#",)),
        ("says", (4.0,)),
        ("hangs_up", ()),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "sings",
        "hears",
        "presses",
        "presses 1 2",
        "says much",
        "hangs up now",
        "person x",
    ],
)
def test_what_is_no_step_is_told_with_its_line(line: str) -> None:
    with pytest.raises(ScriptFileError, match="line 2: "):
        Script.parse(["hears menu", line])


def test_a_file_is_text_or_a_list_in_json(tmp_path: Path) -> None:
    text, listed, wrong = (tmp_path / name for name in ("a.txt", "b.json", "c.json"))
    text.write_text("hears menu\npresses 1\n")
    listed.write_text('["hears menu", "presses 1"]')
    wrong.write_text('{"hears": "menu"}')

    assert Script.read(text) == Script.read(listed)
    for unreadable in (wrong, tmp_path / "missing.txt"):
        with pytest.raises(ScriptFileError, match=unreadable.name):
            Script.read(unreadable)


def test_every_step_of_the_readme_is_a_method() -> None:
    """And every method that takes a step is in the README."""
    rows = read_text("tests/simulator/caller/README.md").partition("| step |")[2]
    steps = [
        cell.strip(" `").split(" ")
        for row in rows.partition("\n\n")[0].splitlines()[2:]
        for cell in row.split("|")[1].split(",")
    ]
    named = {"_".join(word for word in step if not word.isupper()) for step in steps}
    named = {name.removesuffix("_NAME…").removesuffix("_ID…") for name in named}
    methods = {
        name
        for name, value in vars(BotCall).items()
        if callable(value)
        and name[0] != "_"
        and name not in {"problems", "story", "wire", "end"}
    }

    assert named == methods


def test_the_script_of_the_guide_holds(call_bot: CallBot) -> None:
    """docs/bot.md shows it for the menu."""
    [text] = re.findall(
        r"```text\n(# my_call.*?)```", read_text("docs/bot.md"), re.DOTALL
    )
    script = Script.parse(text.splitlines())

    call = call_bot("tests/simulator/bots/menu.py", people=script.people)
    for step in script.steps:
        step.play(call)


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulator", "call", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_plays_a_script_and_says_whether_it_held(tmp_path: Path) -> None:
    script, bot = tmp_path / "call.txt", tmp_path / "my_bot.py"
    bot.write_text("from shared.calls import Bot\n\nbot = Bot()\n")
    script.write_text("is answered\nhangs up\n")
    held = run_command("--bot", str(bot), "--script", str(script))
    script.write_text("is answered\nhears menu\n")
    broken = run_command("--script", str(script))
    script.write_text("sings\n")
    unusable = run_command("--script", str(script))

    assert held.returncode == 0, held.stdout + held.stderr
    assert "All went as the script says." in held.stdout
    assert broken.returncode == 1
    assert "The caller never heard 'menu'." in broken.stdout
    assert (unusable.returncode, unusable.stdout) == (2, "")
    assert "line 1: 'sings' is no step" in unusable.stderr
    assert run_command("--bot", str(bot)).returncode == 2


def test_follow_ups_take_turns_among_the_processes_of_a_deployment() -> None:
    """The callbackUri names one host, whoever answers there."""
    with BotService(processes=2) as service, service.place() as call:
        call.is_answered()
        call.hangs_up()
        handled = [
            sum('"notification.handled"' in line for line in process.log_lines())
            for process in service.processes
        ]

    assert handled == [4, 4]


@pytest.mark.parametrize("number", [1, 2])
def test_the_fixture_keeps_the_deployment_of_a_bot(
    call_bot: CallBot, number: int
) -> None:
    call = call_bot()
    call.is_answered()
    call.hangs_up()
    assert call.log
    assert {line["reason"] for line in call.log} >= {"answered"}
