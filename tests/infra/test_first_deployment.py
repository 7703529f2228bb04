"""docs/first-deployment.md: every question has a command, what to expect, and room."""

import re
import sys
from pathlib import Path

from infra.bicep import CHECKOUT
from tests.support.checkout import read_text
from tests.support.processes import run

PAGE = "docs/first-deployment.md"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
# What the review asks and only a subscription answers.
QUESTIONS = ("A7", "A9", "A11", "A14", "B1", "B5", "B6", "B9", "B12", "B13", "B14")
MORE_QUESTIONS = ("B15", "B16", "B17", "B18", "B22")


def _items() -> list[str]:
    text = read_text(PAGE).partition("\n## Messages that")[0]
    return re.split(r"^## ", text, flags=re.MULTILINE)[1:]


def test_every_item_says_what_to_run_to_expect_and_to_write() -> None:
    items = _items()
    assert len(items) >= 20
    for number, item in enumerate(items, 1):
        assert item.startswith(f"{number}. ")
        assert item.count("```bash\n") == 1, item
        assert re.search(r"^Expect: .+\n\nAnswer:", item, re.MULTILINE), item


def test_the_commands_are_sound(tmp_path: Path) -> None:
    """ShellCheck reads the page as one script, with what the operator has set."""
    blocks = re.findall(r"(?ms)^```bash\n(.*?)^```", read_text(PAGE))
    given = ("MICROSOFT_APP_ID", "LOG_ANALYTICS_WORKSPACE_ID", "BOT_NAME")
    head = ["#!/usr/bin/env bash", *(f': "${{{name}:?}}"' for name in given)]
    script = tmp_path / "page.sh"
    script.write_text("\n".join([*head, *blocks]))

    checked = run(SHELLCHECK, "-x", script, cwd=CHECKOUT)

    assert checked.returncode == 0, checked.stdout


def test_no_open_question_is_forgotten() -> None:
    text = read_text(PAGE)
    for question in (*QUESTIONS, *MORE_QUESTIONS):
        assert re.search(rf"\b{question}\b", text), question
