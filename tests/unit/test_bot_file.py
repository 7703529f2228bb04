"""shared/bot.py as users write it, mistakes included: the app starts all the same."""

import asyncio
import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

import shared
from shared.bot_file import NAME, BotFile, load_bot
from shared.core.bot import Bot
from shared.service import Service, build_service
from shared.settings import read_settings
from tests.support.rules import build_request
from tests.support.service import ScriptedNeighbours

type Write = Callable[[str], BotFile]


class _Finder(MetaPathFinder):
    """Finds the user's file elsewhere."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find_spec(
        self, fullname: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        if fullname != NAME:
            return None
        return importlib.util.spec_from_file_location(NAME, self._path)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Loads a bot file with a text."""
    path = tmp_path / "bot.py"
    # The module of the checkout may be loaded already; it comes back afterwards.
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    monkeypatch.delattr(shared, "bot", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Finder(path), *sys.meta_path])

    def write(text: str) -> BotFile:
        path.write_text(text, "utf-8")
        return load_bot()

    yield write
    sys.modules.pop(NAME, None)


def test_the_file_of_the_checkout_has_a_bot() -> None:
    found = load_bot()
    assert isinstance(found.bot, Bot)
    assert found.problem == ""


MISTAKES = {
    "syntax": ("bot = (\n", "SyntaxError, line 1"),
    "unknown name": (
        "from shared.calls import Bot\n\nbot = Bott()\n",
        "NameError, line 3",
    ),
    "unknown import": ("from shared.calls import Bott\n", "ImportError, line 1"),
    "missing package": ("\nimport no_such_package\n", "ModuleNotFoundError, line 2"),
    "wrong decorator": (
        (
            "from shared.calls import Bot\nbot = Bot()\n@bot.tone('10')\n"
            "def f(event):\n    pass\n"
        ),
        "HandlerError, line 3",
    ),
    "wrong handler": (
        (
            "from shared.calls import Bot\nbot = Bot()\n@bot.established\n"
            "def f():\n    pass\n"
        ),
        "HandlerError, line 3",
    ),
    "vetted action": (
        (
            "from shared.calls import Bot, play_prompt\n"
            "bot = Bot()\nHELLO = play_prompt('http://plain.example/a.wav')\n"
        ),
        "ValueError, line 3",
    ),
    "exit": ("import sys\n\nsys.exit('no')\n", "SystemExit, line 3"),
    "deep": (
        "def a():\n    raise KeyError('x')\n\ndef b():\n    a()\n\nb()\n",
        "KeyError, line 2",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_type_and_line(load: Write, mistake: str) -> None:
    text, where = MISTAKES[mistake]
    found = load(text)
    assert found.bot is None
    assert found.problem == (
        f"shared/bot.py: cannot be imported ({where}): see the traceback in the log"
    )
    assert "bot.py" in found.traceback


@pytest.mark.parametrize("text", ["", "bot = 1\n", "from shared.calls import Bot\n"])
def test_a_file_without_a_bot_is_told_apart(load: Write, text: str) -> None:
    found = load(text)
    assert (found.bot, found.problem) == (
        None,
        "shared/bot.py: must define bot = Bot().",
    )


@pytest.fixture
def broken(load: Write, neighbours: ScriptedNeighbours) -> Service:
    """A service with good settings and a bot file that has a mistake."""
    return build_service(read_settings(neighbours.settings()), load("bot = Bott()\n"))


def test_with_a_mistake_calls_and_health_get_503(
    broken: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """The next request logs the traceback."""
    caplog.set_level(logging.INFO, "calling")
    reply = asyncio.run(broken.receive(build_request(None, received_at=0.0)))
    health = asyncio.run(broken.health({}))

    assert (reply.status, reply.headers["Retry-After"]) == (503, "30")
    assert health.status == 503
    assert health.body is not None
    [problem] = json.loads(health.body)["problems"]
    assert problem.startswith("shared/bot.py: cannot be imported (NameError, line 1)")
    lines = [json.loads(record.message) for record in caplog.records]
    [unusable] = [line for line in lines if line["event"] == "bot.unusable"]
    assert "NameError: name 'Bott' is not defined" in unusable["traceback"]


def test_problems_of_settings_and_bot_are_told_together(load: Write) -> None:
    service = build_service(read_settings({}), load("bot = Bott()\n"))
    health = asyncio.run(service.health({}))
    assert health.body is not None
    problems = json.loads(health.body)["problems"]
    assert {problem.split(":")[0] for problem in problems} >= {
        "MicrosoftAppId",
        "shared/bot.py",
    }


NOTICE = "CALLING_STATE_URL: it is not set"


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        ({}, False),
        ({"CALLING_REGION": "weu"}, True),
        ({"CALLING_REGION": "weu", "CALLING_STATE_URL": "https://a.example/state"}, 0),
        ({"CALLING_ANSWER": "false"}, True),
    ],
)
def test_health_tells_of_handlers_and_state_that_are_of_no_use(
    load: Write,
    neighbours: ScriptedNeighbours,
    changes: dict[str, str],
    *,
    notice: bool,
) -> None:
    """docs/behaviour.md section 5."""
    bot_file = load(
        "from shared.calls import Bot\nbot = Bot()\nbot.tone(lambda event: None)\n"
    )
    hosts = {"CALLING_REGION_HOSTS": '{"weu": "weu.example"}'}
    settings = neighbours.settings(
        **changes, **(hosts if "CALLING_REGION" in changes else {})
    )
    service = build_service(read_settings(settings), bot_file)
    health = asyncio.run(service.health({}))
    service.close()
    assert health.body is not None
    assert len(json.loads(health.body)["notices"]) == int(notice)
