"""Region rules as people write them: text becomes rules, or sentences about it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.core.strict_json import StrictJsonError, read_value
from shared.settings import read_settings

_NAME = "CALLING_REGION_RULES"
_PREFIX = f"{_NAME}: "
_WITHOUT_HOST = "without a host."


def read_rules(text: str) -> tuple[Sequence[dict[str, Any]], tuple[str, ...]]:
    """Return the rules, and what is wrong with the text; one of the two is empty."""
    try:
        rules = read_value(text.encode("utf-8", "surrogatepass"))
    except StrictJsonError as error:
        return (), (f"The rules are not JSON: {_explain(error.__cause__)}.",)
    # The app's own reader decides what is valid. Hosts are checked later, where they
    # are known.
    problems = rule_problems({_NAME: json.dumps(rules)})
    return ((), problems) if problems else (rules, ())


def rule_problems(app_settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the app would say about its rules, without the setting's name.

    If the settings have no hosts, regions without a host are no problem.
    """
    report = read_settings({"CALLING_REGION": "any", **app_settings})
    has_hosts = "CALLING_REGION_HOSTS" in app_settings
    sentences = (
        problem.removeprefix(_PREFIX)
        for problem in report.problems
        if problem.startswith(_PREFIX)
    )
    return tuple(
        sentence[0].upper() + sentence[1:]
        for sentence in sentences
        if has_hosts or not sentence.endswith(_WITHOUT_HOST)
    )


def _explain(cause: BaseException | None) -> str:
    match cause:
        case json.JSONDecodeError():
            return f"line {cause.lineno}, column {cause.colno}: {cause.msg}"
        case RecursionError():
            return "it is nested too deeply"
        case UnicodeError():
            return "it contains invalid characters"
        case _:
            return str(cause)
