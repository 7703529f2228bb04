"""The rows of the bench."""

from enum import Enum


class Row(Enum):
    """What is measured, and the highest ratio wanted; ``None``: any will do."""

    ACCEPTED = ("(a) an incoming call, accepted, 202", 2.2)
    LEGACY = ("(b) a legacy notification, 204", 2.0)
    REDIRECTED = ("(c) a redirect, 302", 2.3)
    FORGED = ("(d) a forged token, 401", 1.7)
    OVERSIZED = ("(e) an oversized token, 401", 1.0)
    REPEATED = ("(f) a repeated token, 202", 1.5)
    HUNDRED_RULES = ("(g) deciding the region, 100 rules against 1", None)
    THOUSAND_RULES = ("(g) deciding the region, 1,000 rules against 1", 1.2)
    IMPORT_TIME = ("(h) cold import against its libraries, processor time", 1.15)
    IMPORT_MEMORY = ("(h) cold import against its libraries, resident memory", 1.15)
    SOME_ANSWERS = ("(i) 64 answers at once, in units of Graph's delay", 1.6)
    MANY_ANSWERS = ("(i) 200 answers at once, in units of Graph's delay", 4.4)
    UNWANTED = ("(k) an event that no handler wants, against (f)", 1.1)
    ONE_ACTION = ("(l) an event with one action, against an answer", 1.5)
    DELIVERY = ("(m) a delivery to an instance, against an answer", 1.6)
    MANY_DELIVERIES = (
        "(n) 200 deliveries at once to eight instances, in units of their delay",
        2.0,
    )
    FIRST_REDIRECT = ("(j) from the start of a process to its first 302", 1.25)

    def __init__(self, what: str, target: float | None) -> None:
        self.what = what
        self.target = target
