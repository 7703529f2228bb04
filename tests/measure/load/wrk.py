"""One run of wrk against a deployment, and what it saw."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.measure.load.site import Site
from tests.simulator.platform.notifications import new_id

SCRIPT = Path(__file__).with_name("traffic.lua")

_TIMEOUT_SECONDS = 20


class WrkMissingError(Exception):
    """There is no wrk on this machine; the message says what to do."""


class Figures(NamedTuple):
    """What one run saw.

    Attributes:
        connections: how many requests were under way at most.
        rate: replies a second.
        p50, p95, p99, longest: latency in milliseconds.
        errors: connections that failed, requests without a reply, replies too late.
        wrong: replies that were not what the contract says for their request.
        example: one of these, in words.
        stayed: calls of another region that were taken here.
        was_other_region_sick: in the eyes of the deployment, for a part of the run.
        tracebacks: exceptions in the log of the deployment.
        statuses: replies by status.
        cores: processor time of the deployment by the clock's; where it is well below
            1 under full load, other processes had their share of the machine.
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
    stayed: int
    was_other_region_sick: bool
    tracebacks: int
    statuses: dict[str, int]
    cores: float
    memory_before: float
    memory_after: float

    @property
    def is_right(self) -> bool:
        """Tell whether every request got the reply that is right."""
        troubles = self.errors + self.wrong + self.tracebacks + self.astray
        return not troubles and bool(self.statuses)

    @property
    def astray(self) -> int:
        """How many calls were not redirected although the other region was well."""
        return 0 if self.was_other_region_sick else self.stayed


def require_wrk() -> str:
    """Return the path of wrk.

    Raises:
        WrkMissingError: there is none.
    """
    found = shutil.which("wrk")
    if found is None:
        message = "wrk is needed: install the package wrk and try again."
        raise WrkMissingError(message)
    return found


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run(
    site: Site,
    *,
    connections: int,
    seconds: float,
    rate: float | None = None,
    threads: int | None = None,
) -> Figures:
    """Send the requests of the site's traffic file for some seconds.

    The deployment's log is read at the end, and dropped.

    Args:
        site: what is under load.
        connections: how many requests may be under way at a time.
        seconds: how long.
        rate: requests a second, arriving at random; ``None``: each connection sends
            the next request as soon as it has its reply.
        threads: one a connection, so that replies can be told apart; one is enough,
            and takes less of the machine, where all requests get the same reply.
    """
    threads = threads or connections
    deployment = site.deployment
    before = resident_mib(deployment.pid)
    processor_before = processor_seconds(deployment.pid)
    pause_milliseconds = 0 if rate is None else 1000 * connections / rate
    finished = subprocess.run(
        [
            require_wrk(),
            f"--threads={threads}",
            f"--connections={connections}",
            f"--duration={max(seconds, 1):.0f}s",
            f"--timeout={_TIMEOUT_SECONDS}s",
            f"--script={SCRIPT}",
            deployment.base_url,
            "--",
            str(site.file),
            str(threads),
            str(pause_milliseconds),
            new_id(),
            str(connections // threads),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    processor = processor_seconds(deployment.pid) - processor_before
    seen = json.loads(finished.stdout.rpartition("FIGURES ")[2])
    seconds = seen.pop("seconds")
    log = deployment.log_lines()
    deployment.forget_log()
    return Figures(
        connections=connections,
        rate=sum(seen["statuses"].values()) / seconds,
        cores=processor / seconds,
        was_other_region_sick=any('"event":"peer.' in line for line in log),
        tracebacks=sum(line.startswith("Traceback ") for line in log),
        memory_before=before,
        memory_after=resident_mib(deployment.pid),
        **seen,
    )
