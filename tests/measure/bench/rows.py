"""The rows of the bench: what each one measures, and the highest ratio wanted."""

from typing import NamedTuple


class Row(NamedTuple):
    """One measurement; ``target`` is ``None`` where no ratio is wanted."""

    name: str
    target: float | None


ACCEPTED = Row("(a) an incoming call, accepted, 202", 2.2)
LEGACY = Row("(b) a legacy notification, 204", 2.0)
REDIRECTED = Row("(c) a redirect, 302", 2.3)
FORGED = Row("(d) a forged token, 401", 1.7)
OVERSIZED = Row("(e) an oversized token, 401", 1.0)
REPEATED = Row("(f) a repeated token, 202", 1.5)
HUNDRED_RULES = Row("(g) deciding the region, 100 rules against 1", None)
THOUSAND_RULES = Row("(g) deciding the region, 1,000 rules against 1", 1.2)
IMPORT_TIME = Row("(h) cold import against its libraries, processor time", 1.15)
IMPORT_MEMORY = Row("(h) cold import against its libraries, resident memory", 1.15)
SOME_ANSWERS = Row("(i) 64 answers at once, in units of Graph's delay", 1.6)
MANY_ANSWERS = Row("(i) 200 answers at once, in units of Graph's delay", 4.4)
FIRST_REDIRECT = Row("(j) from the start of a process to its first 302", 1.25)

ALL = (
    ACCEPTED,
    LEGACY,
    REDIRECTED,
    FORGED,
    OVERSIZED,
    REPEATED,
    HUNDRED_RULES,
    THOUSAND_RULES,
    IMPORT_TIME,
    IMPORT_MEMORY,
    SOME_ANSWERS,
    MANY_ANSWERS,
    FIRST_REDIRECT,
)
