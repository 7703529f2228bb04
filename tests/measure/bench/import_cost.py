"""(h): cold import and resident memory of the app, against the libraries it needs.

Every sample is a fresh process. Processes with and without the app take turns. What is
counted is processor time: other work on the machine hardly changes it.
"""

import os
import sys

from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement
from tests.support.processes import output_of

ROUNDS = 25

# What such a webhook usually imports before its first call: the Functions library,
# threads, and for tokens PyJWT's algorithms with cryptography's keys and certificates.
# The app does without PyJWT; the floor stays, so that figures can be compared.
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
    mine, floor = [], []
    # The first process writes the compiled files.
    _sample(_APP)
    for _ in range(ROUNDS):
        mine.append(_sample(_APP))
        floor.append(_sample(_LIBRARIES))
    return [
        Measurement.of(
            row, piece=[one[at] for one in mine], floor=[one[at] for one in floor]
        )
        for at, row in enumerate((Row.IMPORT_TIME, Row.IMPORT_MEMORY))
    ]


def _sample(statement: str) -> tuple[float, float]:
    """Run a statement in a fresh process; return processor µs and resident bytes."""
    # Compiled files are written and used, as in any ordinary installation.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = (sys.executable, "-c", _PROBE.format(statement=statement))
    seconds, resident = output_of(*command, env=env).split()
    return float(seconds) * 1e6, float(resident)
