"""A local host as a process of its own, for tests and the simulator."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.support.checkout import CHECKOUT
from tests.support.running import Running

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class LocalHost(Running):
    """Starts ``python -m tests.localhost`` and waits for its one line.

    Attributes:
        base_url: where it listens, such as ``https://127.0.0.1:43211``.
        pid: of the process.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: tuple[Path, Path] | None = None,
        app_directory: Path = CHECKOUT,
        warms_up: bool = False,
        dns: str | None = None,
        bot: Path | None = None,
        watches_bot: bool = False,
        on_log: Callable[[str], None] | None = None,
    ) -> None:
        """Describe the process; settings come from ``environment`` only.

        ``dns`` is the ``address:port`` of the server that it asks for names.
        ``bot`` is a file that takes the place of ``shared/bot.py``; with
        ``watches_bot`` the log has a line for each run of its handlers, too.
        ``on_log`` gets each line of the log as it comes, in a thread of its own.
        """
        self._environment = environment
        self._arguments = ["--host", host, "--port", str(port)]
        self._arguments += ["--app", str(app_directory)]
        if certificate is not None:
            certfile, keyfile = map(str, certificate)
            self._arguments += ["--certfile", certfile, "--keyfile", keyfile]
        if warms_up:
            self._arguments.append("--warmup")
        if dns is not None:
            self._arguments += ["--dns", dns]
        if bot is not None:
            self._arguments += ["--bot", str(bot.resolve())]
        if watches_bot:
            self._arguments.append("--watch-bot")
        # Opened to append, so that the process goes on at the end after forget_log.
        self._log = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed in start's stack
        self._on_log = on_log
        self._log_reader: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self.base_url = ""
        self.pid = 0

    def start(self, stack: ExitStack) -> None:
        """Start and wait until it listens."""
        stack.callback(self._log.close)
        stack.callback(self.stop)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.localhost", *self._arguments],
            cwd=CHECKOUT,
            env={**bare_environment(), **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log if self._on_log is None else subprocess.PIPE,
            text=True,
        )
        self._process, self.pid = process, process.pid
        if self._on_log is not None:
            self._log_reader = threading.Thread(target=self._read_log, daemon=True)
            self._log_reader.start()
        watchdog = threading.Timer(_START_SECONDS, process.kill)
        watchdog.start()
        line = process.stdout.readline() if process.stdout else ""
        watchdog.cancel()
        if not line.startswith("Listening on "):
            self.stop()
            message = "the local host did not start:\n" + "\n".join(self.log_lines())
            raise RuntimeError(message)
        self.base_url = line.removeprefix("Listening on ").strip()

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """Send a signal and wait for the end, not for ever; return the exit status."""
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._log_reader is not None:
            self._log_reader.join(_STOP_SECONDS)
        if process.stdout:
            process.stdout.close()
        return process.returncode

    def log_lines(self) -> list[str]:
        """Return what it has logged so far."""
        descriptor = self._log.fileno()
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, size, 0).decode("utf-8", "replace").splitlines()

    def log_since(self, position: int) -> tuple[list[str], int]:
        """Return the whole lines from a byte on, and where they end: 0 is the start."""
        descriptor = self._log.fileno()
        size = os.fstat(descriptor).st_size
        data = os.pread(descriptor, max(0, size - position), position)
        whole = data[: data.rfind(b"\n") + 1]
        return whole.decode("utf-8", "replace").splitlines(), position + len(whole)

    def forget_log(self) -> None:
        """Drop what it has logged so far: hours of load would fill the disk."""
        os.ftruncate(self._log.fileno(), 0)

    def _read_log(self) -> None:
        """Keep each line, and hand it on."""
        process, on_log = self._process, self._on_log
        if process is None or process.stderr is None or on_log is None:
            return
        with process.stderr as lines:
            for line in lines:
                self._log.write(line.encode())
                self._log.flush()
                on_log(line.rstrip("\n"))


def bare_environment() -> dict[str, str]:
    """Return what a process needs of ours, and no setting."""
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", "COVERAGE_PROCESS_START")
    return {name: os.environ[name] for name in kept if name in os.environ}
