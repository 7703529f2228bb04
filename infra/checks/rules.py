"""The region rules of an environment, checked a bit more strictly than by the app."""

from infra.checks.notes import Json, Notes, objects, texts
from shared.core.conditions import CONDITION_NAMES
from shared.core.guids import is_guid

MEMBERS = ("regions", "strict", *CONDITION_NAMES)


def check_rules(rules: Json, regions: Json, notes: Notes) -> None:
    """Note rules that the app would refuse, and conditions that never hold."""
    if type(rules) is not list:
        notes.note("rules", "must be a list, [] if there are none.")
        return
    codes = [region.get("code") for _, region in objects(regions)]
    for position, rule in enumerate(rules):
        if type(rule) is dict:
            _check_rule(rule, codes, f"rules[{position}]", notes)
        else:
            notes.note(f"rules[{position}]", "must be an object with regions.")


def _check_rule(
    rule: dict[str, Json], codes: list[Json], place: str, notes: Notes
) -> None:
    notes.members(rule, MEMBERS, required=("regions",), prefix=f"{place}.")
    if type(rule.get("strict", False)) is not bool:
        notes.note(f"{place}.strict", "must be true or false.")
    for name in rule.keys() & {"regions", *CONDITION_NAMES}:
        values = rule[name]
        if not texts(values) or len(texts(values)) < len(values):
            sentence = "must be a list of strings: at least one, none of them empty."
            notes.note(f"{place}.{name}", sentence)
    for code in texts(rule.get("regions")):
        if code not in codes:
            notes.note(f"{place}.regions", f"«{code}» is not a region of this file.")
    for tenant in texts(rule.get("tenant")):
        if not is_guid(tenant):
            notes.note(f"{place}.tenant", f"«{tenant}» is not a tenant ID.")
