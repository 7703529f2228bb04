"""The example bots as files: short, and of nothing but ``shared.calls``."""

import ast
from pathlib import Path

import pytest

from shared.calls import Bot
from tests.simulator import bots

EXAMPLES = Path(bots.__file__).parent
# The lines of code that each may have.
MOST = {"agents": 45, "languages": 30, "menu": 55, "pin": 60, "voice_mail": 30}


def lines_of_code(name: str) -> int:
    """Count lines that are not blank, a comment or a docstring."""
    lines = map(str.strip, (EXAMPLES / f"{name}.py").read_text("utf-8").splitlines())
    return len([line for line in lines if line and not line.startswith(("#", '"""'))])


def test_every_example_has_its_limit() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*MOST, "__init__"}


@pytest.mark.parametrize("name", MOST)
def test_an_example_is_short(name: str) -> None:
    assert lines_of_code(name) <= MOST[name]


@pytest.mark.parametrize("name", MOST)
def test_an_example_is_a_bot_file_as_it_stands(name: str) -> None:
    """It imports what ``shared/bot.py`` may, and names its bot as that does."""
    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    found: dict[str, object] = {}
    modules = {
        each.module if isinstance(each, ast.ImportFrom) else each.names[0].name
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.Import | ast.ImportFrom)
    }

    exec(source, found)  # noqa: S102 - our own example

    assert isinstance(found["bot"], Bot)
    assert modules <= {"shared", "shared.calls", "requests", "datetime", "zoneinfo"}
