"""A template broken on purpose."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change of one place in one file, and the check that must notice it.

    It compiles; what the compiler itself refuses needs no check.
    """

    check: str
    file: str
    old: str
    new: str
