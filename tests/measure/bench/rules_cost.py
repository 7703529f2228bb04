"""(g): what it costs to decide the region with 1, 100 and 1,000 rules."""

from shared.core.regions import RegionPolicy, RegionRule
from tests.measure.bench import rows
from tests.measure.bench.timing import Measurement, interleaved

ROUNDS = 31
CALLS = 2_000

_FACTS = {"countryCode": ("DE",), "sourceRegion": ("emea",), "tenant": ("t-last",)}


def measure() -> list[Measurement]:
    """Compare many rules with one. The last rule is the one that matches."""
    policies = {count: _policy(count) for count in (1, 100, 1_000)}

    def decide(policy: RegionPolicy) -> None:
        for _ in range(CALLS):
            policy.find_rule(_FACTS)

    times = interleaved(
        ROUNDS,
        CALLS,
        {
            str(count): lambda policy=policy: decide(policy)  # type: ignore[misc]
            for count, policy in policies.items()
        },
    )

    return [
        Measurement.of(row, piece=times[count], floor=times["1"])
        for row, count in ((rows.HUNDRED_RULES, "100"), (rows.THOUSAND_RULES, "1000"))
    ]


def _policy(count: int) -> RegionPolicy:
    rules = [
        RegionRule(
            conditions={
                "countryCode": ["DE", "FR"],
                "sourceRegion": ["emea"],
                "tenant": [f"t-{number}"],
            },
            regions=["weu"],
        )
        for number in range(count - 1)
    ]
    last = RegionRule(
        conditions={
            "countryCode": ["DE"],
            "sourceRegion": ["emea"],
            "tenant": ["t-last"],
        },
        regions=["sea"],
    )
    return RegionPolicy([*rules, last])
