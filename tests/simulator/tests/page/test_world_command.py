"""``python -m tests.simulator world``: what cannot be had is told at once."""

import socket
from pathlib import Path

import pytest

from tests.simulator.__main__ import main

CHECKOUT = Path(__file__).resolve().parents[4]


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line; signals are left alone."""
    monkeypatch.setattr("sys.argv", ["simulator", *arguments])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return main()


def test_a_port_that_is_taken_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any region starts; so is one that is none."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        assert command(monkeypatch, "world", "--port", port) == 2
    assert f"port {port} cannot be had" in capsys.readouterr().err
    assert command(monkeypatch, "world", "--port", "70000") == 2


def test_an_environment_that_is_none_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """With all that is wrong with it."""
    file = tmp_path / "empty.json"
    file.write_text("{}")

    assert command(monkeypatch, "world", "--environment", str(file)) == 2

    assert "regions" in capsys.readouterr().err


def test_the_documentation_shows_what_explain_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line, but for those that are cut."""
    text = (CHECKOUT / "docs" / "page.md").read_text("utf-8")
    shown = text.split("```text\n$ python -m tests.simulator ")[1].split("\n```")[0]
    arguments, *lines = shown.splitlines()
    monkeypatch.chdir(CHECKOUT)

    assert command(monkeypatch, *arguments.split()) == 0

    printed = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "…" not in line and line not in printed] == []
