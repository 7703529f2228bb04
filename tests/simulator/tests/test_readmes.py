"""The examples in the READMEs of the simulator and the local host."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
READMES = [
    path
    for room in ("simulator", "localhost")
    for path in sorted((CHECKOUT / "tests" / room).rglob("README.md"))
]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_the_example_of_a_readme_runs(readme: Path) -> None:
    """All its blocks together are one program."""
    program = "\n".join(_BLOCK.findall(readme.read_text("utf-8")))
    assert program

    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        input="\n",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr


def test_every_room_has_a_readme() -> None:
    """A room is a folder with an ``__init__.py``."""
    simulator = CHECKOUT / "tests" / "simulator"
    rooms = {path.parent for path in simulator.glob("*/__init__.py")}

    assert {simulator, *rooms} <= {path.parent for path in READMES}
