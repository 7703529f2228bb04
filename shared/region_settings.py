"""The settings of regions: hosts of all deployments, and the rules between them."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeIs

from shared.core.conditions import CONDITION_NAMES
from shared.core.hosts import host_identity, is_host, is_under_traffic_manager
from shared.core.regions import RegionRule
from shared.setting_reader import SettingReader, is_region_code

# Beside the conditions of a rule: its calls are never taken outside of its regions.
_STRICT = "strict"


def read_region_hosts(reader: SettingReader, region: str) -> Mapping[str, str] | None:
    """Read the host of each region; ``None`` where it is not known which there are."""
    name = "CALLING_REGION_HOSTS"
    hosts = reader.json(name, dict, "object of region codes and hosts")
    entries = hosts or {}
    for position, (code, host) in enumerate(entries.items(), start=1):
        for problem in _host_problems(code, host):
            reader.note(name, f"entry {position} {problem}.")
    usable = [host_identity(host) for host in entries.values() if _is_host(host)]
    if len(set(usable)) < len(usable):
        reader.note(name, "has two regions with one host.")
    global_host = reader.text("CALLING_GLOBAL_HOST")
    if is_host(global_host) and host_identity(global_host) in usable:
        reader.note(name, "has the host of CALLING_GLOBAL_HOST.")
    if hosts != {} and not reader.text("CALLING_REGION"):
        reader.note(name, "needs CALLING_REGION.")
    if hosts is None:
        return None
    if region and region not in hosts:
        reader.note("CALLING_REGION", "is not a region of CALLING_REGION_HOSTS.")
    return {code: host if _is_host(host) else "" for code, host in hosts.items()}


def _host_problems(code: str, host: object) -> Iterator[str]:
    if not is_region_code(code):
        yield "has an ill-formed region code"
    if not _is_host(host):
        yield "is not a host, with or without a port"
    elif is_under_traffic_manager(host):
        yield "is under trafficmanager.net"


def _is_host(value: object) -> TypeIs[str]:
    return type(value) is str and is_host(value)


def read_region_rules(
    reader: SettingReader, hosts: Mapping[str, str] | None
) -> tuple[RegionRule, ...]:
    """Read the rules; ``hosts`` are those of the regions, ``None`` if not known."""
    name = "CALLING_REGION_RULES"
    rules = reader.json(name, list, "list of rules")
    problems = [
        f"rule {position} {problem}."
        for position, rule in enumerate(rules or (), start=1)
        for problem in _rule_problems(rule, hosts)
    ]
    for problem in problems:
        reader.note(name, problem)
    if rules != [] and not reader.text("CALLING_REGION"):
        reader.note(name, "needs CALLING_REGION.")
    return () if problems else tuple(map(_build_rule, rules or ()))


def _rule_problems(rule: object, hosts: Mapping[str, str] | None) -> Iterator[str]:
    if type(rule) is not dict or "regions" not in rule:
        yield "must be an object with regions"
        return
    if not rule.keys() <= {"regions", _STRICT, *CONDITION_NAMES}:
        yield "has an unknown condition"
    if type(rule.get(_STRICT, False)) is not bool:
        yield "must have true or false for strict"
    lists = [texts for name, texts in rule.items() if name != _STRICT]
    if not all(map(_is_list_of_texts, lists)):
        yield "must hold non-empty lists of strings only"
    elif hosts is not None and not hosts.keys() >= set(rule["regions"]):
        yield "names a region without a host"


def _build_rule(rule: Mapping[str, Any]) -> RegionRule:
    wanted = {name: tuple(rule[name]) for name in CONDITION_NAMES if name in rule}
    return RegionRule(
        regions=tuple(rule["regions"]),
        conditions=wanted,
        is_strict=rule.get(_STRICT, False),
    )


def _is_list_of_texts(value: object) -> bool:
    return (
        type(value) is list
        and bool(value)
        and all(type(text) is str and bool(text) for text in value)
    )
