"""A machine that has no thread to spare."""

import threading

import pytest


def let_no_thread_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every start of a thread fail, as if the machine had none left."""

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
