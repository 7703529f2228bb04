"""Runs scenarios in worlds; each world is a process of its own.

Scenarios that mostly wait run side by side, each in its own world. The quick ones share
a world and run beside them, one after another. The heavy ones share a world and have
the machine to themselves. Worlds start one after another, because a start takes more of
the machine than most scenarios do.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.simulator.drill.log import LOG
from tests.simulator.drill.scenario import Load, ScenarioResult
from tests.simulator.drill.scenario_run import Check, Phase
from tests.simulator.drill.scenarios import SCENARIOS
from tests.support.checkout import CHECKOUT

SIDE_BY_SIDE = 5
# A scenario that takes longer is stopped and has failed.
_LONGEST_SECONDS = 300.0
_STOP_SECONDS = 30.0
_MAX_ERROR = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A scenario is ``starting``, ``running``, or ``over`` with a result."""

    name: str
    state: str
    result: ScenarioResult | None = None


class Drill:
    """A run of some scenarios."""

    def __init__(
        self,
        names: Sequence[str],
        environment: Path,
        on_progress: Callable[[Progress], None],
        log: Path | None = None,
    ) -> None:
        """Run ``names`` in the environment of a file.

        Progress is reported to ``on_progress``, and the lines that the regions log are
        written to ``log``, one world after another.
        """
        self._names = names
        self._log = log
        self._environment = environment
        self._on_progress = on_progress
        self._starting = threading.Lock()
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._results: dict[str, ScenarioResult] = {}
        self._is_stopped = False

    def run(self) -> list[ScenarioResult]:
        """Run all of them and return the results in the order of the names."""
        if self._log is not None:
            self._log.write_text("", "utf-8")
        waits, quick, heavy = (
            [name for name in self._names if SCENARIOS[name].load is load]
            for load in (Load.WAITS, Load.QUICK, Load.HEAVY)
        )
        side_by_side = [[name] for name in waits] + [quick] * bool(quick)
        alone = [heavy] if heavy else []
        for groups, at_once in ((side_by_side, SIDE_BY_SIDE), (alone, 1)):
            with ThreadPoolExecutor(at_once) as lanes:
                try:
                    list(lanes.map(self._run_group, groups))
                except BaseException:
                    # Or the pool would wait until all scenarios have ended.
                    self.stop()
                    raise
        return [self._results[name] for name in self._names]

    def stop(self) -> None:
        """Stop the scenarios that still run, and their worlds."""
        with self._lock:
            self._is_stopped = True
            running = list(self._processes)
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                # With its regions, which are of its session and would go on.
                os.killpg(process.pid, signal.SIGKILL)

    def _run_group(self, names: Sequence[str]) -> None:
        """Run some scenarios in one world; one without a result has failed."""
        started_at = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="drill-") as folder,
            tempfile.TemporaryFile("w+") as errors,
        ):
            status = self._run_process(names, Path(folder), errors.fileno())
            errors.seek(0)
            error = f"exit {status}: {errors.read()[-_MAX_ERROR:]}"
        for name in names:
            if name not in self._results:
                self._note(_broken(name, time.monotonic() - started_at, error))

    def _run_process(
        self, names: Sequence[str], folder: Path, errors: int
    ) -> int | None:
        """Run one process to its end; return its exit status."""
        with self._starting:
            process = self._start(names, folder, errors)
            if process is None or process.stdout is None:
                return None
            longest = _LONGEST_SECONDS * len(names)
            watchdog = threading.Timer(longest, process.terminate)
            watchdog.start()
            # The next world starts once this one has printed that it is ready.
            process.stdout.readline()
        for line in process.stdout:
            state, _, name = line.strip().partition(" ")
            if state == "running":
                self._on_progress(Progress(name=name, state=state))
            else:
                text = (folder / f"{name}.json").read_text("utf-8")
                self._note(read_result(json.loads(text)))
        status = process.wait()
        watchdog.cancel()
        process.stdout.close()
        self._keep_log(folder / LOG)
        with self._lock:
            self._processes.discard(process)
        return status

    def _start(
        self, names: Sequence[str], folder: Path, errors: int
    ) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._is_stopped:
                return None
            for name in names:
                self._on_progress(Progress(name=name, state="starting"))
            command = [sys.executable, "-m", "tests.simulator.drill.worker", *names]
            command += ["--environment", str(self._environment.resolve())]
            command += ["--results", str(folder)]
            process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # The drill itself passes Ctrl-C on, once, and waits.
                start_new_session=True,
            )
            self._processes.add(process)
            return process

    def _keep_log(self, lines: Path) -> None:
        if self._log is not None and lines.exists():
            with self._lock, self._log.open("a", encoding="utf-8") as log:
                log.write(lines.read_text("utf-8"))

    def _note(self, result: ScenarioResult) -> None:
        self._results[result.name] = result
        self._on_progress(Progress(name=result.name, state="over", result=result))


def read_result(document: dict[str, object]) -> ScenarioResult:
    """Read a result that a worker wrote."""
    members = dict(document)
    checks, phases = members.pop("checks"), members.pop("phases")
    return ScenarioResult(
        checks=[Check(**check) for check in checks],  # type: ignore[attr-defined]
        phases=[Phase(**phase) for phase in phases],  # type: ignore[attr-defined]
        **members,  # type: ignore[arg-type]
    )


def _broken(name: str, seconds: float, error: str) -> ScenarioResult:
    sentence = "the scenario runs to its end"
    return ScenarioResult(
        name=name,
        title=SCENARIOS[name].title,
        explanation=SCENARIOS[name].explanation,
        seconds=seconds,
        checks=[Check(sentence=sentence, is_met=False, found=error)],
    )
