"""An explanation in words, for a terminal of any width.

What was recorded is somebody else's text: nothing in it reaches the terminal but
printable characters.
"""

from collections.abc import Iterator, Sequence

from shared.core.rules import RULES
from tests.simulator.explain.explanation import Explanation
from tests.simulator.explain.handlers import to_lines
from tests.simulator.explain.region_choice import (
    ConditionCheck,
    RegionChoice,
    RegionRuleCheck,
)

_MARKS = {"passed": "✓", "assumed": "~", "decides": "●", "not-reached": "·"}
_OUTCOMES = {
    "own": "this deployment",
    "healthy": "healthy",
    "unhealthy": "not healthy",
    "not-asked": "not asked",
}
_MAX_TEXT = 160
_TITLE_WIDTH = max(len(rule.name) for rule in RULES)


def to_text(explanation: Explanation, landings: Sequence[Explanation] = ()) -> str:
    """Show an explanation, and what would happen had the call reached elsewhere."""
    lines = [
        f"Reaching {explanation.region} of environment {explanation.environment}:",
        "",
    ]
    for step in explanation.steps:
        mark = _MARKS[step.state]
        sentence = clean(step.sentence, limit=2000) or "not reached"
        lines.append(
            f"{mark} Rule {step.rule}  {step.title:<{_TITLE_WIDTH}}  {sentence}"
        )
        if step.rule == 7:
            for choice in explanation.choices:
                lines += (f"    {line}" for line in _choice(choice))
    for note in explanation.notes:
        cure = f" {note.cure}" if note.cure else ""
        lines.append(f"! {note.code}: {note.cause}{cure}")
    lines += ["", f"→ {clean(explanation.verdict.sentence, limit=2000)}"]
    if explanation.verdict.location:
        lines.append(f"  Location: {explanation.verdict.location}")
    lines += _handlers(explanation)
    lines += _landings(explanation, landings)
    return "\n".join(lines)


def clean(text: str, *, limit: int = _MAX_TEXT) -> str:
    """Cut a text, and spell out what could steer a terminal."""
    cut = text if len(text) <= limit else f"{text[:limit]}…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)


def _choice(choice: RegionChoice) -> Iterator[str]:
    yield f"call {clean(choice.call_id)}"
    for fact in choice.facts:
        value = "none" if fact.value is None else clean(fact.value)
        yield f"  {fact.name:<18} {value:<12} ({fact.source})"
    if not choice.rules:
        yield "  there are no region rules"
    for check in choice.rules:
        yield from _rule(check)
    for preference in choice.preferences:
        yield f"  prefers {preference.region}: {_OUTCOMES[preference.outcome]}"


def _rule(check: RegionRuleCheck) -> Iterator[str]:
    if check.decides:
        outcome = "holds and decides"
    else:
        outcome = "would hold, but comes later" if check.holds else "does not hold"
    regions = clean(", ".join(check.regions))
    yield f"  region rule {check.position} → {regions}: {outcome}"
    if not check.conditions:
        yield "    no condition: always holds"
    for condition in check.conditions:
        yield f"    {_condition(condition)}"


def _condition(condition: ConditionCheck) -> str:
    wanted = clean(", ".join(condition.wanted))
    value = "the call has none" if condition.value is None else clean(condition.value)
    relation = "is one of" if condition.holds else "is not one of"
    if condition.value is None:
        return f"✗ {condition.name}: {value}; wanted {wanted}"
    mark = "✓" if condition.holds else "✗"
    return f"{mark} {condition.name}: {value} {relation} {wanted}"


def _handlers(explanation: Explanation) -> Iterator[str]:
    """Say who takes each item, and what it would do."""
    if not explanation.handlers:
        return
    yield ""
    there = " there" if explanation.verdict.decision == "redirect" else ""
    yield f"The bot{there}, none of whose actions are carried out:"
    for line in to_lines(explanation.handlers):
        yield clean(line, limit=2000)


def _landings(
    explanation: Explanation, landings: Sequence[Explanation]
) -> Iterator[str]:
    others = [one for one in landings if one.region != explanation.region]
    if not others:
        return
    yield ""
    yield "Had it reached another region:"
    for other in others:
        yield f"  {other.region:<8} {_landing(other)}"


def _landing(explanation: Explanation) -> str:
    verdict = explanation.verdict
    match verdict.decision:
        case "redirect":
            return f"{verdict.status} to {verdict.region}"
        case "answer":
            return f"{verdict.end} there: {verdict.status}"
        case _:
            return f"{verdict.decision}: {verdict.status}"
