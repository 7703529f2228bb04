"""docs/infrastructure.md says what the templates are."""

import re
from pathlib import Path

from infra.bicep import CHECKOUT
from tests.infra.diagram import ALERTS, DOCUMENT, place
from tests.infra.templates import Templates
from tests.support.markdown_tables import code, first_column, read_table

NAME = str(DOCUMENT.relative_to(CHECKOUT))
# Functions of the deployment, in words.
DEFAULTS = {
    "[resourceGroup().location]": "of the resource group",
    "[resourceGroup().name]": "of the deployment",
    "": "empty",
}


def test_the_diagram_is_that_of_the_snapshots() -> None:
    """If not: run `python -m tests.infra.diagram`."""
    document = DOCUMENT.read_text("utf-8")

    assert place(document) == document


def documented(heading: str) -> list[tuple[str, str, bool]]:
    """Return name, default and whether the name is bold, from a table of parameters."""
    return [
        (code(name)[0], (code(default) or [default])[0], name.startswith("**"))
        for name, default, _meaning in read_table(NAME, heading)
    ]


def test_every_parameter_is_documented_with_its_default(templates: Templates) -> None:
    """The order is that of the template; bold ones are set by the parameter file."""
    for heading, part in (
        ("parameter of a region", "regional"),
        ("parameter of the global part", "global"),
    ):
        file = templates.files[f"params/prod.{part}.bicepparam"]
        expected = []
        for name, value in templates.compiled(f"{part}.bicep")["parameters"].items():
            default = value.get("defaultValue", "required")
            if not isinstance(default, str):
                default = str(default).lower()
            is_set = f"\nparam {name} = " in file
            expected.append((name, DEFAULTS.get(default, default), is_set))
        assert documented(heading) == expected


def test_every_output_is_documented(templates: Templates) -> None:
    rows = read_table(NAME, "output")
    assert [(code(name)[0], part) for name, part, _meaning in rows] == [
        (name, part)
        for part, file in (("region", "regional.bicep"), ("global", "global.bicep"))
        for name in templates.compiled(file)["outputs"]
    ]


def test_every_module_is_documented() -> None:
    modules = CHECKOUT.joinpath("infra", "modules").glob("*.bicep")
    documented = {Path(file).name for file in first_column(NAME, "file")}
    assert documented == {module.name for module in modules}


def test_every_alert_is_documented(templates: Templates) -> None:
    """The table names the last part of an alert's name."""
    names = [
        re.sub("tmscalls-prod-(weu|global)-", "", alert["name"])
        for deployment in (templates.regional(), templates.global_part())
        for kind in ALERTS
        for alert in deployment.all(kind)
    ]
    assert sorted(first_column(NAME, "alert")) == sorted(names)


def test_the_sum_of_the_cost_is_its_sum() -> None:
    *rows, total = read_table(NAME, "what")
    for column in (1, 2):
        addends = [int(row[column]) for row in rows]
        assert total[column] == f"**{sum(addends)}**"
