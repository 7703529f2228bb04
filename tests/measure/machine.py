"""The machine that figures come from."""

import os
import platform


def conditions() -> str:
    """Describe the machine and how busy it is: figures mean little without that."""
    busy = os.getloadavg()[0]
    cores = os.cpu_count()
    return f"{cores} cores, load {busy:.1f}, Python {platform.python_version()}"
