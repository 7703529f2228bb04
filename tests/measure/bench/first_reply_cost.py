"""(j): how long a caller waits for the first 302 of a process that has just started.

Each sample is a fresh process of the worker library. Processes with this app take turns
with processes of an empty app, which fetches the signing keys and redirects. The time
runs from the start of the process until its parent has read the status of the reply.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import certifi

from tests.localhost.process import bare_environment
from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement
from tests.measure.two_regions import OWN_HOST, WEBHOOK, other_region, settings_with
from tests.simulator.platform.notifications import Call, incoming, new_id
from tests.simulator.services.neighbours import Neighbours
from tests.support.checkout import CHECKOUT

ROUNDS = 21

_APP = {"app": str(CHECKOUT), "file": "function_app.py"}
_EMPTY_APP = {"app": str(Path(__file__).parent), "file": "key_fetch_app.py"}


def measure() -> list[Measurement]:
    """Compare the times until the first redirect."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Neighbours() as world,
        other_region(world) as sea,
    ):
        authorities = Path(folder) / "authorities.pem"
        usual = Path(certifi.where()).read_bytes()
        authorities.write_bytes(usual + world.authority.bundle.read_bytes())
        # The empty app trusts the same authorities, in the way of requests.
        settings = settings_with(sea, world, REQUESTS_CA_BUNDLE=str(authorities))
        return [_compare(world, settings)]


def _compare(world: Neighbours, settings: dict[str, str]) -> Measurement:
    times: dict[str, list[float]] = {"mine": [], "floor": []}
    apps = {"mine": _APP, "floor": _EMPTY_APP}
    # The first process of each app writes the compiled files.
    for round_number in range(ROUNDS + 1):
        for name, app in apps.items():
            microseconds = _sample(app, settings, _request(world))
            if round_number:
                times[name].append(microseconds)
    return Measurement.of(Row.FIRST_REDIRECT, piece=times["mine"], floor=times["floor"])


def _request(world: Neighbours) -> str:
    """Return a call that the rules give to the other region, as JSON."""
    call = Call(tenant_id=world.tenant_id, country_code="SG")
    headers = {
        "host": OWN_HOST,
        "content-type": "application/json",
        "authorization": f"Bearer {world.tokens.mint(x=new_id())}",
    }
    body = incoming(call, WEBHOOK)
    return json.dumps({"url": WEBHOOK, "headers": headers, "body": body})


def _sample(app: dict[str, str], settings: dict[str, str], request: str) -> float:
    """Start a process and return the microseconds until it has redirected a call."""
    environment = {**bare_environment(), **settings}
    environment["PYTHON_SCRIPT_FILE_NAME"] = app["file"]
    started_at = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.measure.bench.first_reply", app["app"]],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request)
        process.stdin.close()
        line = process.stdout.readline()
        seconds = time.perf_counter() - started_at
    if line != "302\n":
        raise RuntimeError(f"{app['file']} did not redirect the call: {line!r}")
    return seconds * 1e6
