"""The demo's calls to bots: the example menu is judged, the user's own is shown."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.simulator.caller.stories import STORIES
from tests.simulator.demo_bots import play_menu, show_own_bot

GREETER = """
from shared.calls import Bot, hang_up, play_prompt

bot = Bot()


@bot.established
def greet(event):
    return play_prompt("https://cdn.contoso.com/hello.wav")


@bot.operation_completed
def end(event):
    return hang_up()
"""


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), soft_wrap=True)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_menu_that_goes_otherwise_is_a_fault(console: Console) -> None:
    changed = replace(STORIES[0], lines="hears main\npresses 1\nhears main\n")

    [fault] = play_menu(console, changed)

    assert "heard 'orders' instead of 'main'" in fault
    assert "cancelMediaProcessing, playPrompt" in printed(console)


def test_the_user_s_own_bot_is_shown(console: Console, tmp_path: Path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text(GREETER)

    show_own_bot(console, bot)

    assert "→ heard hello; the bot hung up" in printed(console)


@pytest.mark.parametrize(
    "text",
    [
        "from shared.calls import Bot\n\nbot = Bot()\n",
        "bot = 1\n",
        "def\n",
        "raise SystemExit\n",
    ],
)
def test_a_bot_without_handlers_or_that_cannot_be_imported_is_not_called(
    console: Console, tmp_path: Path, text: str
) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text(text)

    show_own_bot(console, bot)

    assert printed(console) == ""


def test_a_bot_that_fails_is_shown_without_judging(
    console: Console, tmp_path: Path
) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text(GREETER.replace("return hang_up()", "raise ValueError"))

    show_own_bot(console, bot)

    assert "bot-failed" in printed(console)
