"""``explain`` and the bot: who takes a notification, and what it would do."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.localhost.bot_file import NO_HANDLERS
from tests.simulator.__main__ import main
from tests.simulator.caller.stories import BOTS
from tests.simulator.platform import consequences
from tests.simulator.platform.notifications import Call, batch, incoming
from tests.simulator.services.signing import TENANT_ID

# Fixed, because it is in the name of a test.
CALL_ID = "57dab8b1-894c-409a-b240-bd8beae78896"
CALL = Call(tenant_id=TENANT_ID, call_id=CALL_ID, country_code="NL")
BOT = """
import subprocess
import time
from pathlib import Path

import requests

from shared import calls
from shared.calls import Bot

bot = Bot()


@bot.tone("1")
def ask(event):
    try:
        requests.post("https://127.0.0.1:1", timeout=3)
    except Exception:
        pass
    return calls.hang_up()


@bot.tone("2")
def write(event):
    Path(__file__).write_text("")


@bot.tone("3")
def run(event):
    subprocess.run(["true"])


@bot.tone("4")
async def wait(event):
    import asyncio
    await asyncio.sleep(1)


@bot.tone("5")
async def look(event, state):
    state["seen"] = event.call.id
    return calls.mute()


@bot.tone("6")
def fail(event):
    return event.nothing


@bot.tone("7")
def wrong(event):
    return "hang up"
"""


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    file = tmp_path / "bot.py"
    file.write_text(BOT)
    return file


class Explained:
    """Runs ``explain`` with a notification and a bot."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._file = folder / "recorded.json"
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, body: Any, *arguments: str, status: int = 0) -> str:
        self._file.write_text(json.dumps(body))
        command = ["simulator", "explain", str(self._file), *arguments]
        self._monkeypatch.setattr("sys.argv", command)

        assert main() == status

        captured = self._capsys.readouterr()
        return captured.out if status == 0 else captured.err


@pytest.fixture
def explained(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Explained:
    return Explained(tmp_path, monkeypatch, capsys)


def test_the_handler_of_a_key_is_named_with_its_actions_and_state(
    explained: Explained,
) -> None:
    menu = str(BOTS / "menu.py")
    body = consequences.tone(CALL, "1", 1)
    state = json.dumps({"at": "main", "failures": 0, "turn": 1})

    text = explained(body, "--callback", "--bot", menu, "--state", state)

    assert "item 1, tone: tests/simulator/bots/menu.py:34 choose" in text
    assert "returns cancelMediaProcessing {}" in text
    assert "returns playPrompt" in text
    assert '"at": "orders"' in text
    without = explained(body, "--callback", "--bot", menu)
    assert "returns no action" in without


def test_every_item_is_told_and_those_without_handlers(explained: Explained) -> None:
    """An incoming call that no handler takes gets what the bot says otherwise."""
    tone = consequences.tone(CALL, "9", 2)["value"]
    announced = incoming(CALL, "https://b")["value"]

    text = explained(batch(*tone, *announced), "--bot", str(BOTS / "languages.py"))

    assert "item 1, tone: tests/simulator/bots/languages.py:17 switch" in text
    assert "item 2, incoming" in text
    assert "No handler takes it: the call gets answer." in text


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("1", "It asks the outside (socket."),
        ("2", "It asks the outside (open)"),
        ("3", "It asks the outside (subprocess.Popen)"),
        ("4", "It waits for something"),
        ("5", f'leaves the state {{"seen": "{CALL_ID}"}}'),
        ("6", "It fails: AttributeError, line "),
        ("7", "It fails: tone: return nothing, an action or a list"),
    ],
)
def test_what_is_not_pure_is_not_carried_out(
    explained: Explained, bot: Path, key: str, sentence: str
) -> None:
    body = consequences.tone(CALL, key, 1)

    text = explained(body, "--callback", "--bot", str(bot))

    assert sentence in text
    assert ("returns" in text.split("The bot")[1]) == (
        key == "5" or "is not told" in text
    )
    assert bot.read_text() == BOT


def test_a_bot_that_cannot_be_used_is_told(explained: Explained, bot: Path) -> None:
    body = consequences.tone(CALL, "1", 1)
    bot.write_text("bot = 1 / 0")

    assert "ZeroDivisionError" in explained(body, "--bot", str(bot), status=2)
    bot.write_text("bot = 1")
    assert "must define bot" in explained(body, "--bot", str(bot), status=2)
    assert "no such bot" in explained(body, "--bot", f"{bot}x", status=2)
    assert "--state must be" in explained(body, "--state", "[]", status=2)


def test_a_bot_without_handlers_has_nothing_to_tell(explained: Explained) -> None:
    body = consequences.tone(CALL, "1", 1)

    assert "The bot" not in explained(body, "--bot", str(NO_HANDLERS))
