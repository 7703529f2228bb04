"""docs/bot.md: its examples run, and its reference is the code's."""

import inspect
import re
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shared import calls
from shared.core.actions import ROWS
from shared.core.events import claim_of
from tests.architecture.bot_reference import BEGIN, DOCUMENT, EVENTS, place
from tests.support.checkout import read_text

TEXT = DOCUMENT.read_text("utf-8")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLAIMED: tuple[calls.Event, ...] = (
    calls.Established(),
    calls.Terminated(),
    calls.Tone(sequence_id=1),
    calls.OperationCompleted(raw={"resourceData": {"id": "1"}}),
)


def run(code: str, name: str) -> ModuleType:
    module = ModuleType(name)
    exec(code, vars(module))  # noqa: S102 - our own document
    return module


def test_every_example_runs_and_its_tests_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the order of the page, as if each were put where its first line says."""
    monkeypatch.chdir(tmp_path)
    bots, tests = 0, 0
    for block in _BLOCK.findall(TEXT):
        path = re.match(r"# (\S+)\n", block)
        if path and path[1] == "shared/bot.py":
            found = run(block, "shared.bot")
            assert isinstance(found.bot, calls.Bot)
            monkeypatch.setitem(sys.modules, "shared.bot", found)
            bots += 1
            continue
        for name, function in vars(run(block, "block")).items():
            if name.startswith("test_"):
                function()
                tests += 1

    assert (bots, tests) >= (6, 6)
    assert (tmp_path / "silence-5s.wav").stat().st_size > 5 * 32_000


def test_the_example_of_the_readme_runs() -> None:
    [block] = _BLOCK.findall(read_text("README.md"))
    bot = run(block, "shared.bot").bot

    assert [action.name for action in bot.react(calls.Tone(key="1"))] == ["transfer"]
    assert len(bot.react(calls.Established())) == 2


def test_the_reference_is_that_of_the_code() -> None:
    """`python -m tests.architecture.bot_reference` would write the same."""
    assert place(TEXT) == TEXT


def test_everything_that_bots_import_is_described() -> None:
    """The rest are the bot, the type of actions and that of states."""
    reference = TEXT.partition(BEGIN)[2]
    headings = set(re.findall(r"^### `(\w+)", reference, re.MULTILINE))
    kinds = {kind.__name__: kind.name for kind in EVENTS}
    named = {kinds.get(name, name) for name in calls.__all__}

    assert named - headings == {"Action", "Bot", "State"}
    assert headings <= named


@pytest.mark.parametrize("kind", EVENTS)
def test_every_field_of_an_event_is_described(kind: type[calls.Event]) -> None:
    section = TEXT.partition(f"### `{kind.name}`\n")[2].partition("\n### ")[0]
    names = {field.name for field in fields(kind)} - {"call", "raw"}

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == names


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.function)
def test_every_argument_of_an_action_that_needs_words_has_them(row: Any) -> None:
    section = TEXT.partition(f"### `{row.function}`\n")[2].partition("\n### ")[0]
    arguments = set(inspect.signature(getattr(calls, row.function)).parameters)
    described = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))

    assert described <= arguments
    assert arguments - described <= {"client_context", "reason", "status"}
    assert row.permission in section or row.permission == "none"
    assert row.page in section


def test_what_is_told_once_is_what_the_product_claims() -> None:
    """That of an incoming call is kept elsewhere, and is not claimed."""
    once = {kind for kind, told in EVENTS.items() if told.how_often.startswith("once")}

    assert all(claim_of(event) for event in CLAIMED)
    assert once == {*map(type, CLAIMED), calls.Incoming}
    assert [kind for kind in EVENTS if kind not in once and claim_of(kind())] == []
