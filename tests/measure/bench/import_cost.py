"""(h): cold import and resident memory of the app, against the libraries it needs.

Every sample is a fresh process. Processes with and without the app take turns. What is
counted is processor time: other work on the machine hardly changes it.
"""

import os
import subprocess
import sys

from tests.measure.bench import rows
from tests.measure.bench.timing import Measurement
from tests.support.checkout import CHECKOUT

ROUNDS = 25

# What function_app.py needs before the first call: the Functions library, threads, and
# for tokens PyJWT's algorithms with cryptography's keys and certificates.
_LIBRARIES = (
    "import azure.functions, azure.functions.warmup, jwt.algorithms, logging, "
    "asyncio, concurrent.futures.thread, cryptography.x509, "
    "cryptography.hazmat.primitives.asymmetric.rsa"
)
_APP = "import function_app"
_PROBE = """
import time
started_at = time.process_time()
{statement}
seconds = time.process_time() - started_at
import resource
with open("/proc/self/statm") as statm:
    pages = int(statm.read().split()[1])
print(seconds, pages * resource.getpagesize())
"""


def measure() -> list[Measurement]:
    """Compare import time and resident memory."""
    mine, floor = [], []
    # The first process writes the compiled files.
    _sample(_APP)
    for _ in range(ROUNDS):
        mine.append(_sample(_APP))
        floor.append(_sample(_LIBRARIES))
    return [
        Measurement.of(row, piece=[*piece], floor=[*libraries])
        for row, piece, libraries in zip(
            (rows.IMPORT_TIME, rows.IMPORT_MEMORY),
            zip(*mine, strict=True),
            zip(*floor, strict=True),
            strict=True,
        )
    ]


def _sample(statement: str) -> tuple[float, float]:
    """Run a statement in a fresh process; return processor µs and resident bytes."""
    finished = subprocess.run(
        [sys.executable, "-c", _PROBE.format(statement=statement)],
        cwd=CHECKOUT,
        # Compiled files are written and used, as in any ordinary installation.
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, resident = finished.stdout.split()
    return float(seconds) * 1e6, float(resident)
