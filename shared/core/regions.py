"""Region affinity: which deployment should have a call.

The first rule whose conditions all hold decides. What was decided is remembered by the
values that the rules name, so that a decision costs the same among one rule and among a
thousand.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from shared.core.conditions import CONDITION_NAMES, CONDITIONS

_MAX_REMEMBERED = 65_536


class RegionRule(NamedTuple):
    """One rule: all conditions must hold; then ``regions`` in order of preference.

    ``conditions`` maps names of ``CONDITIONS`` to the values that let a call through.
    """

    regions: Sequence[str]
    conditions: Mapping[str, Sequence[str]] = MappingProxyType({})

    def holds(self, facts: Mapping[str, str | None]) -> bool:
        """Tell whether all conditions hold for a call with these facts."""
        return all(
            is_listed(facts[name], values) for name, values in self.conditions.items()
        )


class RegionPolicy:
    """The rules in their order, and what was decided by them.

    Attributes:
        conditions: those that any rule asks.
        regions: those that any rule names.
    """

    def __init__(self, rules: Sequence[RegionRule]) -> None:
        """Decide by ``rules``."""
        self._rules = rules
        self._named = {name: _values_named(rules, name) for name in CONDITION_NAMES}
        self.conditions = [c for c in CONDITIONS if self._named[c.name]]
        self.regions = frozenset(region for rule in rules for region in rule.regions)
        self._remembered: dict[tuple[str | None, ...], Sequence[str]] = {}

    def preferred_regions(self, facts: Mapping[str, str | None]) -> Sequence[str]:
        """Return the regions that should have a call, best first; empty: any.

        Args:
            facts: value of each of ``conditions``; ``None`` where the call has none.
        """
        values = tuple([self._named_value(c.name, facts) for c in self.conditions])
        regions = self._remembered.get(values)
        if regions is None:
            rule = next((rule for rule in self._rules if rule.holds(facts)), None)
            regions = tuple(rule.regions) if rule else ()
            # A value that no rule names counts as none: traffic cannot fill this.
            if len(self._remembered) < _MAX_REMEMBERED:
                self._remembered[values] = regions
        return regions

    def _named_value(self, name: str, facts: Mapping[str, str | None]) -> str | None:
        """Return a fact as the rules name it; ``None`` if no rule does."""
        value = (facts[name] or "").casefold()
        return value if value in self._named[name] else None


def _values_named(rules: Sequence[RegionRule], name: str) -> frozenset[str]:
    values = (value for rule in rules for value in rule.conditions.get(name, ()))
    return frozenset(map(str.casefold, values))


def is_listed(fact: str | None, values: Sequence[str]) -> bool:
    """Tell whether one condition holds: case does not count, no fact never matches."""
    return fact is not None and fact.casefold() in {v.casefold() for v in values}
