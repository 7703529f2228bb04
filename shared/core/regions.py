"""Region affinity: which deployment should have a call.

Rules are prepared once. For every condition and value there is a set of the rules that
it lets through, held as the bits of one integer; the sets of a call's values are joined
with AND, and the lowest bit is the first rule that matches. What was decided is kept by
the values that the rules name, so that a decision looks up six values and one decision,
whether there is one rule or a thousand.

Microsoft's words: "Redirects for region affinity",
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

# What a rule may ask, in the names of CALLING_REGION_RULES.
CONDITIONS = (
    "tenant",
    "countryCode",
    "sourceRegion",
    "mediaHostedRegion",
    "callerRegion",
    "teamsRegion",
)
_MAX_DECIDED = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRule:
    """One rule: all conditions must hold; then ``regions`` in order of preference.

    ``conditions`` maps names of ``CONDITIONS`` to the values that let a call through.
    """

    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    regions: Sequence[str]


class RegionPolicy:
    """The prepared rules."""

    def __init__(self, rules: Sequence[RegionRule]) -> None:
        """Prepare ``rules``; their order is their priority."""
        used = {name for rule in rules for name in rule.conditions}
        self._regions = tuple(tuple(rule.regions) for rule in rules)
        self._all = (1 << len(rules)) - 1
        # By condition; the order is that of the values of a call.
        self._indexes = {
            name: _index(rules, name) for name in CONDITIONS if name in used
        }
        # A value that no rule names counts as none: traffic cannot make this grow.
        self._decided: dict[tuple[str | None, ...], Sequence[str]] = {}

    @property
    def conditions(self) -> Sequence[str]:
        """The names of all conditions that any rule asks."""
        return tuple(self._indexes)

    @property
    def regions(self) -> frozenset[str]:
        """All regions that any rule names."""
        return frozenset(region for regions in self._regions for region in regions)

    def preferred_regions(self, facts: Mapping[str, str | None]) -> Sequence[str]:
        """Return the regions that should have the call, best first; empty: anyone.

        Args:
            facts: value of each of ``conditions``; ``None`` where the call has none.
        """
        values = tuple(
            [
                _named_value(facts[name], by_value)
                for name, (by_value, _others) in self._indexes.items()
            ]
        )
        regions = self._decided.get(values)
        if regions is None:
            regions = self._decide(values)
            if len(self._decided) < _MAX_DECIDED:
                self._decided[values] = regions
        return regions

    def _decide(self, values: Sequence[str | None]) -> Sequence[str]:
        matching = self._all
        for value, (by_value, others) in zip(
            values, self._indexes.values(), strict=True
        ):
            matching &= others if value is None else by_value[value]
        if not matching:
            return ()
        return self._regions[(matching & -matching).bit_length() - 1]


def redirect_location(host: str) -> str:
    """Build the ``Location`` of a redirect: absolute, marked as the one hop allowed."""
    return f"https://{host}/api/calls?hop=1"


def _named_value(fact: str | None, by_value: Mapping[str, int]) -> str | None:
    """Return the value as the rules name it; ``None`` if no rule does."""
    if fact is None:
        return None
    value = fact.casefold()
    return value if value in by_value else None


def _index(rules: Sequence[RegionRule], name: str) -> tuple[dict[str, int], int]:
    """Index one condition: sets of rules by value, and the set for any other value."""
    indifferent = _bits(
        i for i, rule in enumerate(rules) if name not in rule.conditions
    )
    by_value: dict[str, int] = {}
    for position, rule in enumerate(rules):
        for value in rule.conditions.get(name, ()):
            key = value.casefold()
            by_value[key] = by_value.get(key, indifferent) | (1 << position)
    return by_value, indifferent


def _bits(positions: Iterable[int]) -> int:
    return reduce(or_, (1 << position for position in positions), 0)
