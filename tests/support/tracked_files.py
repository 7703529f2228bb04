"""The files under version control."""

import pytest

from tests.support.checkout import CHECKOUT
from tests.support.processes import output_of


def tracked_files() -> list[str]:
    """Return the files under version control; skip where there is none."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a checkout")
    listed = output_of("git", "ls-files", "-co", "--exclude-standard")
    return [name for name in listed.splitlines() if (CHECKOUT / name).is_file()]
