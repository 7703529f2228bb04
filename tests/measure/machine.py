"""The machine that figures come from, and files of figures."""

import json
import os
import platform
from pathlib import Path


def conditions() -> str:
    """Describe the machine and how busy it is: figures mean little without that."""
    busy = os.getloadavg()[0]
    cores = os.cpu_count()
    return f"{cores} cores, load {busy:.1f}, Python {platform.python_version()}"


def write_figures(file: Path, **figures: object) -> None:
    """Write figures as JSON, with the conditions under which they were measured."""
    text = json.dumps({"conditions": conditions(), **figures}, indent=2)
    file.write_text(text + "\n", "utf-8")
