"""Codes for the log that carry their explanation."""

from enum import StrEnum
from typing import Self

_NOTHING_TO_DO = "Nothing to do"
NOTHING = f"{_NOTHING_TO_DO}."


class ExplainedCode(StrEnum):
    """A code (kebab-case) with its ``cause`` and ``cure`` in one sentence each."""

    cause: str
    cure: str

    def __new__(cls, code: str, cause: str, cure: str = NOTHING) -> Self:
        """Make the member a plain string that also carries its explanation."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.cause = cause
        member.cure = cure
        return member

    @property
    def next_step(self) -> str | None:
        """What an operator should do; ``None`` where there is nothing to do."""
        return None if self.cure.startswith(_NOTHING_TO_DO) else self.cure
