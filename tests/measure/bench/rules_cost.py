"""(g): what it costs to decide the region with 1, 100 and 1,000 rules."""

from functools import partial

from shared.core.regions import RegionPolicy, RegionRule
from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement, interleaved

ROUNDS = 31
CALLS = 2_000

_FACTS = {"countryCode": ("DE",), "sourceRegion": ("emea",), "tenant": ("t-last",)}


def measure() -> list[Measurement]:
    """Compare many rules with one. The last rule is the one that matches."""

    def decide(policy: RegionPolicy) -> None:
        for _ in range(CALLS):
            policy.find_rule(_FACTS)

    pieces = {str(count): partial(decide, _policy(count)) for count in (1, 100, 1_000)}
    times = interleaved(ROUNDS, CALLS, pieces)
    return [
        Measurement.of(row, piece=times[count], floor=times["1"])
        for row, count in ((Row.HUNDRED_RULES, "100"), (Row.THOUSAND_RULES, "1000"))
    ]


def _policy(count: int) -> RegionPolicy:
    def rule(tenant: str) -> RegionRule:
        conditions = {
            "countryCode": ["DE", "FR"],
            "sourceRegion": ["emea"],
            "tenant": [tenant],
        }
        return RegionRule(conditions=conditions, regions=["weu"])

    others = [rule(f"t-{number}") for number in range(count - 1)]
    return RegionPolicy([*others, rule("t-last")])
