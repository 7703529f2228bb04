"""Region affinity: which deployment should have a call.

The first rule whose conditions all hold decides. What was decided is remembered by the
values that the rules name, so that a decision costs the same among one rule and among a
thousand.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from shared.core.conditions import CONDITION_NAMES, CONDITIONS, Facts

_MAX_REMEMBERED = 32_768
# Of one call. Few calls have more than one value for a condition.
_MAX_REMEMBERED_VALUES = 64


class RegionRule(NamedTuple):
    """One rule: all conditions must hold; then ``regions`` in order of preference.

    Attributes:
        regions: codes, best first.
        conditions: values that let a call through, by the names of ``CONDITIONS``.
        is_strict: its calls are never taken outside of ``regions``.
    """

    regions: Sequence[str]
    conditions: Mapping[str, Sequence[str]] = MappingProxyType({})
    is_strict: bool = False

    def holds(self, facts: Facts) -> bool:
        """Tell whether all conditions hold for a call with these facts."""
        return all(
            is_any_listed(facts[name], wanted)
            for name, wanted in self.conditions.items()
        )

    def prefers(self, region: str) -> bool:
        """Tell whether ``region`` is where a call of this rule belongs."""
        return not self.regions or self.regions[0] == region

    def allows(self, region: str) -> bool:
        """Tell whether ``region`` may take a call of this rule."""
        return not self.is_strict or region in self.regions


# Of a call that no rule is about.
_NO_RULE = RegionRule(regions=())


class RegionPolicy:
    """The rules in their order, and what was decided by them.

    Attributes:
        conditions: those that any rule asks.
    """

    def __init__(self, rules: Sequence[RegionRule]) -> None:
        """Decide by ``rules``."""
        self._rules = rules
        self._named = {name: _values_named(rules, name) for name in CONDITION_NAMES}
        self.conditions = [c for c in CONDITIONS if self._named[c.name]]
        self._remembered: dict[tuple[tuple[str, ...], ...], RegionRule] = {}

    def find_rule(self, facts: Facts) -> RegionRule:
        """Return the rule that decides about a call; one without regions if none does.

        Args:
            facts: values of each of ``conditions``.
        """
        values = tuple([self._named_values(c.name, facts) for c in self.conditions])
        try:
            return self._remembered[values]
        except KeyError:
            rule = next((rule for rule in self._rules if rule.holds(facts)), _NO_RULE)
        self._remember(values, rule)
        return rule

    def _named_values(self, name: str, facts: Facts) -> tuple[str, ...]:
        """Return those values of a fact that rules name, as the rules spell them.

        Others count as none, and repeated ones once: traffic cannot fill the memory
        with them.
        """
        named = self._named[name]
        values = [
            named[value] for text in facts[name] if (value := text.casefold()) in named
        ]
        return tuple(dict.fromkeys(values))

    def _remember(self, values: tuple[tuple[str, ...], ...], rule: RegionRule) -> None:
        has_room = len(self._remembered) < _MAX_REMEMBERED
        if has_room and sum(map(len, values)) <= _MAX_REMEMBERED_VALUES:
            self._remembered[values] = rule


def is_any_listed(values: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether a condition holds: one of its values is wanted, in any case."""
    return not {value.casefold() for value in values}.isdisjoint(
        map(str.casefold, wanted)
    )


def _values_named(rules: Sequence[RegionRule], name: str) -> Mapping[str, str]:
    """Return the values of a condition without case; each is one string, used again."""
    values = (value for rule in rules for value in rule.conditions.get(name, ()))
    return {value: value for value in map(str.casefold, values)}
