"""Every query parses and binds, as Microsoft's own parser sees it.

It knows the names and types of all columns, so that a query with a misspelt one is
found here and not at night.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.queries.kusto import NOT_FOUND, bind, blocks_of, find_parser
from tests.simulator.report.queries import QUERIES
from tests.support.checkout import CHECKOUT

FILES = sorted(QUERIES.rglob("*.kql"))
DOCUMENTS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
# What a query must not pass with; each is one mistake.
BROKEN = {
    "a column": "traces | where mesage has 'x'",
    "an operator": "traces | wherex severityLevel > 1",
    "a function": "traces | summarize percentil(severityLevel, 95)",
    "a type": "traces | where timestamp > 'yesterday' + 1",
    "a table": "trace | count",
}


@pytest.fixture(scope="module")
def parser() -> Path:
    found = find_parser()
    if found is None:
        pytest.skip(NOT_FOUND)
    return found


def test_every_query_binds(parser: Path) -> None:
    """Files, documents, workbook and alerts, files in a workspace: no problem."""
    files = {str(path.relative_to(QUERIES)): path.read_text("utf-8") for path in FILES}
    blocks = blocks_of(DOCUMENTS)
    deployed = dict(queries_of_the_snapshots())
    in_workspace = {
        f"{name} in a workspace": prelude() + text for name, text in files.items()
    }
    broken = {f"broken: {name}": text for name, text in BROKEN.items()}

    found = bind(parser, {**files, **blocks, **deployed, **in_workspace, **broken})

    problems = {name: answer["problems"] for name, answer in found.items()}
    assert [name for name in broken if not problems.pop(name)] == []
    assert {name: texts for name, texts in problems.items() if texts} == {}
    assert all(found[name]["columns"] for name in files)
    assert len(blocks) > 5
    assert len(deployed) > len(files)


def queries_of_the_snapshots() -> Iterator[tuple[str, str]]:
    """Yield what a region's workbook and alerts ask, with where each stands."""
    snapshot = CHECKOUT / "tests" / "infra" / "snapshots" / "prod.weu.json"
    resources = json.loads(snapshot.read_text("utf-8"))["predictedResources"]
    for resource in resources:
        properties = resource.get("properties")
        if resource["type"] == "Microsoft.Insights/scheduledQueryRules":
            yield resource["name"], properties["criteria"]["allOf"][0]["query"]
        if resource["type"] == "Microsoft.Insights/workbooks":
            for item in json.loads(properties["serializedData"])["items"]:
                content = item["content"]
                for part in (content, *content.get("parameters", [])):
                    if "query" in part:
                        name = f"workbook {item['name']} {part.get('name', '')}"
                        yield name, part["query"]


def prelude() -> str:
    """Return what docs/operations.md puts before a query in a workspace."""
    [text] = [
        text
        for text in blocks_of([CHECKOUT / "docs" / "operations.md"]).values()
        if text.startswith("let traces = AppTraces")
    ]
    return text.partition(";\n")[0] + ";\n"
