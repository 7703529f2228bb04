"""The script that the phone writes: green with the bot as it is, red with another."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.caller.script import Script
from tests.simulator.phone.phone import Phone
from tests.simulator.phone.script_text import script_of
from tests.simulator.tests.phone.following import ends, entries_of, hears, wait_for
from tests.support.checkout import CHECKOUT

SALES = "0c8a1d2e-6f0b-4b5e-9f57-2d1c7a90e4b3"
HEAD: list[dict[str, Any]] = [
    {
        "kind": "phone-called",
        "caller_kind": "phone",
        "caller_id": "+12065550001",
        "country_code": "SG",
    }
]


def at(seconds: float, kind: str, **members: Any) -> dict[str, Any]:
    return {"kind": kind, "seconds": seconds, **members}


def changed(seconds: float, state: str, **members: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "joined": [],
        "asked_for": None,
        "ended_by": None,
        "outcome": None,
        "sent_to": [],
    }
    return at(seconds, "phone-changed", state=state, **{**usual, **members})


def steps_of(*entries: dict[str, Any]) -> list[str]:
    text = script_of([*HEAD, *entries], bot="bot.py")
    Script.parse(text.splitlines())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_what_was_done_and_heard_becomes_steps_with_their_pauses() -> None:
    steps = steps_of(
        changed(1.0, "up"),
        at(1.0, "prompt-started", name="main", length_seconds=2.5),
        at(2.1, "key-pressed", key="9"),
        at(3.5, "prompt-ended", is_cut=False),
        at(3.5, "prompt-started", name="silence-5s", length_seconds=5.0),
        at(4.7, "key-pressed", key="#"),
        at(4.8, "prompt-ended", is_cut=True),
        at(4.8, "prompt-started", name="again-3s", length_seconds=3.0),
        at(7.8, "prompt-ended", is_cut=False),
        at(8.0, "caller-spoke", spoken_seconds=2.0),
        at(9.0, "keys-heard", keys="12"),
        changed(9.2, "over", ended_by="caller"),
    )

    assert steps == [
        "caller is +12065550001",
        "caller calls from SG",
        "prompt main lasts 2.5",
        "is answered",
        "starts to hear main",
        "waits 1",
        "presses 9",
        "waits 2.6",
        "presses #",
        "hears again-3s",
        "says 2",
        "hears keys 12",
        "hangs up",
    ]


@pytest.mark.parametrize(
    ("members", "step"),
    [
        ({"ended_by": "bot"}, "is hung up"),
        ({"ended_by": "transfer", "sent_to": ["a"]}, "is transferred to a"),
        ({"ended_by": "platform", "outcome": "rejected"}, "is rejected"),
        (
            {"ended_by": "platform", "outcome": "redirected", "sent_to": ["a", "b"]},
            "is redirected to a b",
        ),
    ],
)
def test_the_end_is_expected(members: dict[str, Any], step: str) -> None:
    assert steps_of(changed(2.0, "over", **members))[-1] == step


def test_people_react_as_they_did() -> None:
    steps = steps_of(
        changed(1.0, "up", asked_for="transfer"),
        at(2.0, "person-reacted", person="a", reaction="does not answer"),
        changed(3.0, "up", joined=["b"]),
        changed(4.0, "up", joined=["b"]),
    )

    assert steps[2:] == [
        "person a does not answer",
        "is answered",
        "comes back from a",
        "is joined by b",
    ]


def test_a_call_of_the_phone_is_a_test_of_the_bot(
    phone: Phone, bot_file: Path, tmp_path: Path
) -> None:
    """It fails once a key leads elsewhere."""
    call = phone.call("amsterdam")
    hears(phone, call, "main")
    call.press("1")
    hears(phone, call, "orders")
    call.press("1")
    wait_for(phone, "phone-changed", call_id=call.call.call_id, asked_for="transfer")
    call.react("refuses")
    ends(phone, call)
    script = tmp_path / "call.txt"
    script.write_text(script_of(entries_of(phone, call), bot=str(bot_file)))
    changed_bot = tmp_path / "changed.py"
    text = bot_file.read_text()
    changed_bot.write_text(text.replace('{"1": "orders"', '{"1": "operator"'))

    green, red = (play(bot, script) for bot in (bot_file, changed_bot))

    assert green.returncode == 0, green.stdout
    assert f"comes back from {SALES}" in script.read_text()
    assert red.returncode == 1
    assert "never heard 'orders'" in red.stdout


def play(bot: Path, script: Path) -> subprocess.CompletedProcess[str]:
    command = ["call", "--bot", str(bot), "--script", str(script)]
    return subprocess.run(
        [sys.executable, "-m", "tests.simulator", *command],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
