"""``python -m tests.simulator world``: unusable arguments are refused at once."""

import socket
from pathlib import Path

import pytest

from tests.simulator.__main__ import main
from tests.support.checkout import CHECKOUT


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line without changing signal handlers."""
    monkeypatch.setattr("sys.argv", ["simulator", *arguments])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return main()


def test_a_port_that_is_taken_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command fails before any region starts, also for an invalid port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        assert command(monkeypatch, "world", "--port", port) == 2
    assert f"port {port} is not available" in capsys.readouterr().err
    assert command(monkeypatch, "world", "--port", "70000") == 2


def test_an_unusable_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "empty.json"
    file.write_text("{}")

    assert command(monkeypatch, "world", "--environment", str(file)) == 2

    assert "regions" in capsys.readouterr().err


def test_the_documentation_shows_what_explain_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (CHECKOUT / "docs" / "page.md").read_text("utf-8")
    shown = text.split("```text\n$ python -m tests.simulator ")[1].split("\n```")[0]
    arguments, *lines = shown.splitlines()
    monkeypatch.chdir(CHECKOUT)

    assert command(monkeypatch, *arguments.split()) == 0

    printed = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "…" not in line and line not in printed] == []
