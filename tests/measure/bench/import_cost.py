"""(h): cold import and resident memory of the app against the libraries it needs.

Every sample is a fresh process; the two alternate.
"""

import os
import statistics
import subprocess
import sys

from tests.localhost.process import CHECKOUT
from tests.measure.bench.timing import Measurement

SAMPLES = 15

# What function_app.py needs before the first call: the Functions library and, for
# tokens, PyJWT's algorithms with cryptography's keys and certificates.
_LIBRARIES = (
    "import azure.functions, azure.functions.warmup, jwt.algorithms, logging, "
    "asyncio, concurrent.futures, cryptography.x509, "
    "cryptography.hazmat.primitives.asymmetric.rsa"
)
_APP = "import function_app"
_PROBE = """
import time
started_at = time.perf_counter()
{statement}
seconds = time.perf_counter() - started_at
import resource
with open("/proc/self/statm") as statm:
    pages = int(statm.read().split()[1])
print(seconds, pages * resource.getpagesize())
"""


def measure() -> list[Measurement]:
    """Compare import time and resident memory."""
    samples: dict[str, list[tuple[float, float]]] = {_APP: [], _LIBRARIES: []}
    for _ in range(SAMPLES):
        for statement, found in samples.items():
            found.append(_sample(statement))
    figures = []
    for index, name, scale in ((0, "import time", 1e6), (1, "resident memory", 1.0)):
        mine = statistics.median(sample[index] for sample in samples[_APP])
        floor = statistics.median(sample[index] for sample in samples[_LIBRARIES])
        figures.append(
            Measurement(
                name=f"(h) cold {name}",
                ratio=mine / floor,
                target=1.15,
                microseconds=mine * scale,
                floor_microseconds=floor * scale,
            )
        )
    return figures


def _sample(statement: str) -> tuple[float, float]:
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
    return float(seconds), float(resident)
