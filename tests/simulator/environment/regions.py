"""A region: a local host process, on a loopback address of its own."""

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.localhost.bot_file import NO_HANDLERS
from tests.localhost.process import LocalHost
from tests.simulator.environment.events import (
    HANDLER_RAN,
    LogWritten,
    RegionChanged,
    handler_ran,
)
from tests.simulator.platform.journal import Journal


@dataclass(kw_only=True)
class Region:
    """A region's process: started, killed, suspended, restarted. Safe for threads.

    Attributes:
        code, location: as in the environment file.
        address: 127.0.1.x, where it listens.
        host: ``<code>.<zone>:<port>``, the host of its redirects and callbackUri.
        certificate: chain and key in PEM.
        journal: is told of its states and its log.
        bot: the file with its bot; the journal is told what its handlers do.
        state: stopped, starting, running or hanging.
    """

    code: str
    location: str
    address: str
    host: str
    certificate: tuple[Path, Path]
    journal: Journal
    bot: Path = NO_HANDLERS
    state: str = "stopped"

    def __post_init__(self) -> None:
        """Describe the region; ``start`` starts it."""
        self._lock = threading.RLock()
        self._process: LocalHost | None = None

    @property
    def port(self) -> int:
        """The port, the same in all regions."""
        return int(self.host.rpartition(":")[2])

    def start(
        self, settings: Mapping[str, str], *, dns: str, warms_up: bool = True
    ) -> None:
        """Start the process and wait until it listens.

        Args:
            settings: app settings.
            dns: ``address:port`` of the server that it asks for names.
            warms_up: whether the warm-up trigger runs first, as when Azure adds an
                instance.
        """
        with self._lock:
            self._change("starting", None)
            process = LocalHost(
                settings,
                host=self.address,
                port=self.port,
                certificate=self.certificate,
                warms_up=warms_up,
                dns=dns,
                on_log=self._log,
                bot=self.bot,
                watches_bot=self.bot != NO_HANDLERS,
            )
            try:
                process.__enter__()
            except BaseException:
                self._change("stopped", None)
                raise
            self._process = process
            self._change("running", process.pid)

    def stop(self) -> None:
        """End the process in good order; a hanging one is woken up first."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """Suspend the process: its socket accepts connections, nobody answers."""
        with self._lock:
            if self._process is not None and self.state == "running":
                os.kill(self._process.pid, signal.SIGSTOP)
                self._change("hanging", self._process.pid)

    def resume(self) -> None:
        """Resume a suspended process."""
        with self._lock:
            if self._process is not None and self.state == "hanging":
                os.kill(self._process.pid, signal.SIGCONT)
                self._change("running", self._process.pid)

    def restart(self, settings: Mapping[str, str], *, dns: str) -> None:
        """Stop and start."""
        with self._lock:
            self.stop()
            self.start(settings, dns=dns)

    def _end(self, number: signal.Signals) -> None:
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            process.stop(number)
            process.close()
            self._change("stopped", None)

    def _change(self, state: str, pid: int | None) -> None:
        self.state = state
        self.journal.append(RegionChanged(region=self.code, state=state, pid=pid))

    def _log(self, text: str) -> None:
        line = _read_line(text)
        call_id = line.get("call_id")
        if line.get("event") == HANDLER_RAN:
            self.journal.append(handler_ran(self.code, line))
            return
        self.journal.append(
            LogWritten(
                region=self.code,
                call_id=call_id if isinstance(call_id, str) else None,
                line=line,
                late_by_seconds=_lateness(line.get("happened_at")),
            )
        )


def _lateness(happened_at: object) -> float:
    if not isinstance(happened_at, str):
        return 0.0
    return max(0.0, time.time() - datetime.fromisoformat(happened_at).timestamp())


def _read_line(text: str) -> Mapping[str, Any]:
    with suppress(ValueError):
        line = json.loads(text)
        if isinstance(line, dict):
            return line
    return {"message": text}
