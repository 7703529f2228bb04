"""Region affinity, told rule by rule.

Every comparison is made by the product's own functions, so that what is told is what
the webhook does.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.core.conditions import (
    CONDITION_NAMES,
    CONDITIONS,
    Facts,
    Origin,
    read_facts,
)
from shared.core.notifications import CallNotification
from shared.core.redirects import was_redirected
from shared.core.regions import RegionRule, is_any_listed
from shared.core.tokens import TokenClaims
from shared.core.webhook import WebhookRequest

_BARRED = "The rule is strict, so this region may not take it either."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What rules can ask for: the call's values, in one text; ``None``: it has none."""

    name: str
    value: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionCheck:
    """One condition of a rule, held against the call."""

    name: str
    wanted: tuple[str, ...]
    value: str | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRuleCheck:
    """One region rule, held against the call.

    Attributes:
        position: from 1, as in the problems of the settings.
        bars: it is strict and does not name this deployment's region.
        holds: all conditions hold.
        decides: it is the first that holds.
    """

    position: int
    conditions: tuple[ConditionCheck, ...]
    regions: tuple[str, ...]
    bars: bool
    holds: bool
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A preferred region: ``own``, ``healthy``, ``unhealthy`` or ``not-asked``."""

    region: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionChoice:
    """Where a call belongs, and why.

    Attributes:
        region: the chosen one, this deployment's own included; empty: the only one.
        stays: it is this deployment's own.
        is_barred: it stays, but a strict rule forbids this deployment to take it.
        why: a sentence.
    """

    call_id: str
    facts: tuple[Fact, ...]
    rules: tuple[RegionRuleCheck, ...]
    preferences: tuple[Preference, ...]
    region: str
    stays: bool
    is_barred: bool
    why: str


def choose_region(
    call: CallNotification,
    claims: TokenClaims,
    request: WebhookRequest,
    *,
    rules: Sequence[RegionRule],
    own_region: str,
    unhealthy: AbstractSet[str],
) -> RegionChoice:
    """Tell where a call belongs, as the webhook of ``own_region`` would."""
    facts = read_facts(Origin(call, claims.tenant_id, request.headers))
    checks = _check_rules(rules, facts, own_region)
    deciding = next((check for check in checks if check.decides), None)
    regions = deciding.regions if deciding else ()
    # Nobody's health is asked for a call that stays in any case.
    is_stuck = was_redirected(request.raw_query)
    preferences = _weigh(regions, own_region, unhealthy, is_stuck=is_stuck)
    usable = next((p for p in preferences if p.outcome in {"own", "healthy"}), None)
    chosen = usable.region if usable and not is_stuck else own_region
    is_barred = chosen == own_region and deciding is not None and deciding.bars
    why = (
        _why_stuck(deciding, own_region)
        if is_stuck
        else _why(deciding, preferences, chosen)
    )
    return RegionChoice(
        call_id=call.call_id,
        facts=tuple(
            Fact(name=c.name, value=_shown(facts[c.name]), source=c.source)
            for c in CONDITIONS
        ),
        rules=checks,
        preferences=preferences,
        region=chosen,
        stays=chosen == own_region,
        is_barred=is_barred,
        why=f"{why} {_BARRED}" if is_barred else why,
    )


def _check_rules(
    rules: Sequence[RegionRule], facts: Facts, own_region: str
) -> tuple[RegionRuleCheck, ...]:
    deciding = next((rule for rule in rules if rule.holds(facts)), None)
    return tuple(
        RegionRuleCheck(
            position=position,
            conditions=_check_conditions(rule, facts),
            regions=tuple(rule.regions),
            bars=not rule.allows(own_region),
            holds=rule.holds(facts),
            decides=rule is deciding,
        )
        for position, rule in enumerate(rules, start=1)
    )


def _check_conditions(rule: RegionRule, facts: Facts) -> tuple[ConditionCheck, ...]:
    return tuple(
        ConditionCheck(
            name=name,
            wanted=tuple(rule.conditions[name]),
            value=_shown(facts[name]),
            holds=is_any_listed(facts[name], rule.conditions[name]),
        )
        for name in CONDITION_NAMES
        if name in rule.conditions
    )


def _weigh(
    regions: Sequence[str],
    own_region: str,
    unhealthy: AbstractSet[str],
    *,
    is_stuck: bool,
) -> tuple[Preference, ...]:
    """Go through the preferred regions until one is usable, if the call may move."""
    preferences: list[Preference] = []
    is_chosen = False
    for region in regions:
        if region == own_region and not is_chosen:
            outcome = "own"
        elif is_chosen or is_stuck:
            outcome = "not-asked"
        else:
            outcome = "unhealthy" if region in unhealthy else "healthy"
        is_chosen = is_chosen or outcome in {"own", "healthy"}
        preferences.append(Preference(region=region, outcome=outcome))
    return tuple(preferences)


def _why_stuck(deciding: RegionRuleCheck | None, own_region: str) -> str:
    if deciding is None or deciding.regions[0] == own_region:
        return "It was redirected once already (hop) and is where it belongs."
    prefers = f"Region rule {deciding.position} prefers {deciding.regions[0]}"
    return (
        f"{prefers}, but the call was redirected once already (hop): {_kept(deciding)}."
    )


def _why(
    deciding: RegionRuleCheck | None, preferences: Sequence[Preference], chosen: str
) -> str:
    if deciding is None:
        return "No region rule holds, so the call stays where it is."
    rule = f"Region rule {deciding.position} decides"
    passed_over = [p.region for p in preferences if p.outcome == "unhealthy"]
    sick = ", ".join(passed_over)
    verb = "is" if len(passed_over) == 1 else "are"
    usable = next((p for p in preferences if p.outcome in {"own", "healthy"}), None)
    if usable is None:
        return f"{rule}, but {sick} {verb} not healthy, so {_kept(deciding)}."
    because = f" because {sick} {verb} not healthy" if sick else ""
    if usable.outcome == "own":
        return f"{rule}: this deployment's own region, {chosen}, is preferred{because}."
    return f"{rule}: the call belongs to {chosen}{because}."


def _kept(deciding: RegionRuleCheck) -> str:
    return "it is not redirected" if deciding.bars else "the call stays where it is"


def _shown(values: Sequence[str]) -> str | None:
    return ", ".join(values) or None
