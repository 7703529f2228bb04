"""docs/policies.md: what it says of policies is what the templates make."""

import json
from typing import Any

import pytest

from tests.infra.golden import DEPLOYMENTS
from tests.support.checkout import read_text
from tests.support.markdown_tables import code

PAGE = "docs/policies.md"
SNAPSHOTS = {one.golden.stem: one.read()["predictedResources"] for one in DEPLOYMENTS}
PRIVATE = "private.weu"


def _rows(heading: str) -> list[tuple[str, str, str]]:
    """Return resource, property and value of each row below a heading."""
    _, _, text = read_text(PAGE).partition(f"\n## {heading}\n")
    lines = text.partition("\n## ")[0].splitlines()
    found = [code(line) for line in lines if line.startswith("| ") and "`" in line]
    return [(kind, name, value) for kind, name, value in found]


def _values(snapshot: str, kind: str, name: str) -> list[Any]:
    """Return the value of a property in each resource of a kind."""
    found = []
    for resource in SNAPSHOTS[snapshot]:
        if resource["type"].lower() == kind.lower():
            value: Any = resource["properties"]
            for step in name.split("."):
                value = value[int(step)] if step.isdigit() else value.get(step)
            found.append(value)
    return found


def _is_as_written(value: Any, written: str) -> bool:
    """Compare with JSON, in which … stands for any text."""
    parts = written.split("…")
    text = json.dumps(value)
    if len(parts) == 1:
        return text == written
    middle = [part for part in parts if part.strip('"')]
    return all(part.strip('"') in text for part in middle)


@pytest.mark.parametrize(("kind", "name", "written"), _rows("Met"))
def test_what_is_met_is_met_everywhere(kind: str, name: str, written: str) -> None:
    values = [value for one in SNAPSHOTS for value in _values(one, kind, name)]
    assert values
    assert all(_is_as_written(value, written) for value in values), values


@pytest.mark.parametrize(
    ("kind", "name", "written"), _rows("Met with private networking only")
)
def test_what_takes_a_network_is_met_with_one_only(
    kind: str, name: str, written: str
) -> None:
    values = _values(PRIVATE, kind, name)
    assert values
    assert all(_is_as_written(value, written) for value in values), values
    others = _values("prod.weu", kind, name)
    assert not any(_is_as_written(value, written) for value in others), others


def test_every_policy_that_is_not_met_has_a_reason() -> None:
    _, _, text = read_text(PAGE).partition("\n## Not met\n")
    rows = [line.strip("|").split("|") for line in text.splitlines()[3:] if line]
    assert len(rows) >= 10
    assert all(len(reason.strip()) > 20 for _policy, reason in rows)
