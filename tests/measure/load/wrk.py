"""One run of wrk against a deployment, and what it saw."""

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.measure.load.target import LoadTarget
from tests.simulator.platform.notifications import new_id
from tests.support.processes import output_of

SCRIPT = Path(__file__).with_name("traffic.lua")

_TIMEOUT_SECONDS = 20


class WrkMissingError(Exception):
    """The program wrk is not installed; the message says what to do."""


class Figures(NamedTuple):
    """What one run saw.

    Attributes:
        connections: how many requests could be under way at a time.
        rate: replies a second.
        p50, p95, p99, longest: latency in milliseconds.
        errors: failed connections, requests without a reply, and replies too late.
        wrong: replies that were not the right one for their request.
        example: one of the wrong replies, in words.
        taken_here: calls of another region that were taken here.
        was_other_region_unhealthy: whether the deployment found the other region
            unhealthy at any time of the run.
        tracebacks: exceptions in the log of the deployment.
        statuses: number of replies by status.
        cores: processor time of the deployment, divided by the time that passed. Well
            below 1 under full load, other processes had a share of the machine.
        memory_before, memory_after: resident memory of the deployment in MiB.
    """

    connections: int
    rate: float
    p50: float
    p95: float
    p99: float
    longest: float
    errors: int
    wrong: int
    example: str
    taken_here: int
    was_other_region_unhealthy: bool
    tracebacks: int
    statuses: dict[str, int]
    cores: float
    memory_before: float
    memory_after: float

    @property
    def is_right(self) -> bool:
        troubles = self.errors + self.wrong + self.tracebacks + self.not_redirected
        return not troubles and bool(self.statuses)

    @property
    def not_redirected(self) -> int:
        """How many calls were not redirected although the other region was healthy."""
        return 0 if self.was_other_region_unhealthy else self.taken_here


def require_wrk() -> str:
    """Return the path of wrk, or raise ``WrkMissingError``."""
    found = shutil.which("wrk")
    if found is None:
        raise WrkMissingError("wrk is needed: install the package wrk and try again.")
    return found


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run(
    target: LoadTarget,
    *,
    connections: int,
    seconds: float,
    rate: float | None = None,
    threads: int | None = None,
) -> Figures:
    """Send the requests of the target's traffic file for some seconds.

    Reads the deployment's log at the end, and empties it.

    Args:
        target: the deployment under load.
        connections: how many requests can be under way at a time.
        seconds: how long to send.
        rate: requests a second, which arrive at random; ``None``: each connection sends
            the next request as soon as it has its reply.
        threads: by default one for each connection, so that each reply belongs to a
            known request. Where all requests get the same reply, one thread is enough
            and takes less of the machine.
    """
    threads = threads or connections
    deployment = target.deployment
    before = resident_mib(deployment.pid)
    processor_before = processor_seconds(deployment.pid)
    pause_milliseconds = 0 if rate is None else 1000 * connections / rate
    each = connections // threads
    of_script = (target.file, threads, pause_milliseconds, new_id(), each)
    printed = output_of(
        *(require_wrk(), f"--script={SCRIPT}", f"--timeout={_TIMEOUT_SECONDS}s"),
        *(f"--threads={threads}", f"--connections={connections}"),
        *(f"--duration={max(seconds, 1):.0f}s", deployment.base_url),
        *("--", *map(str, of_script)),
    )
    processor = processor_seconds(deployment.pid) - processor_before
    seen = json.loads(printed.rpartition("FIGURES ")[2])
    seconds = seen.pop("seconds")
    log = deployment.log_lines()
    deployment.forget_log()
    return Figures(
        connections=connections,
        rate=sum(seen["statuses"].values()) / seconds,
        cores=processor / seconds,
        was_other_region_unhealthy=any('"event":"peer.' in line for line in log),
        tracebacks=sum(line.startswith("Traceback ") for line in log),
        memory_before=before,
        memory_after=resident_mib(deployment.pid),
        **seen,
    )
