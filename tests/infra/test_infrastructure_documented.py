"""docs/infrastructure.md says what the templates are."""

import json
import math
import re
from pathlib import Path

from infra.bicep import CHECKOUT
from infra.checks.optional import DEFAULTS as DEFAULTS_OF_MEMBERS
from tests.infra.diagram import ALERTS, DOCUMENT, place
from tests.infra.templates import Templates
from tests.support.markdown_tables import code, first_column, read_table

NAME = str(DOCUMENT.relative_to(CHECKOUT))
# Functions of the deployment, in words.
DEFAULTS = {
    "[resourceGroup().location]": "of the resource group",
    "": "empty",
}


# A default that depends on the settings: the usual one, as the table has it first.
BY_SETTINGS = {"alwaysReadyInstances": "1"}


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
        ("parameter of the shared part", "shared"),
    ):
        name = part if part == "shared" else f"prod.{part}"
        file = templates.files[f"params/{name}.bicepparam"]
        expected = []
        for name, value in templates.compiled(f"{part}.bicep")["parameters"].items():
            default = value.get("defaultValue", "required")
            if not isinstance(default, str):
                default = str(default).lower()
            is_set = f"\nparam {name} = " in file
            if default.startswith("[if("):
                default = BY_SETTINGS[name]
            expected.append((name, DEFAULTS.get(default, default), is_set))
        assert documented(heading) == expected


def test_every_output_is_documented(templates: Templates) -> None:
    rows = read_table(NAME, "output")
    assert [(code(name)[0], part) for name, part, _meaning in rows] == [
        (name, part)
        for part, file in (
            ("region", "regional.bicep"),
            ("global", "global.bicep"),
            ("shared", "shared.bicep"),
        )
        for name in templates.compiled(file)["outputs"]
    ]


def test_every_module_is_documented() -> None:
    modules = CHECKOUT.joinpath("infra", "modules").glob("*.bicep")
    documented = {Path(file).name for file in first_column(NAME, "file")}
    assert documented == {module.name for module in modules}


def test_every_alert_is_documented(templates: Templates) -> None:
    """The table names the last part of an alert's name."""
    names = [
        re.sub("tmscalls-prod-(weu|global)-|log-contoso-", "", alert["name"])
        for deployment in (
            templates.regional(),
            templates.global_part(),
            templates.shared_part(),
        )
        for kind in ALERTS
        for alert in deployment.all(kind)
    ]
    assert sorted(first_column(NAME, "alert")) == sorted(names)


def test_the_sum_of_the_cost_is_its_sum() -> None:
    *rows, total = read_table(NAME, "what")
    for column in (1, 2):
        addends = [int(row[column]) for row in rows]
        assert total[column] == f"**{sum(addends)}**"


def test_the_log_volume_is_what_its_formula_gives() -> None:
    """Rows times their size; the cost is the sum times 2.5, rounded up."""
    *rows, total = read_table(NAME, "rows a month")
    volumes = []
    for _what, often, seldom, size, *gigabytes in rows:
        for count, volume in zip((often, seldom), gigabytes, strict=True):
            expected = int(count.replace(",", "")) * float(size) / 1_000_000
            assert abs(float(volume) - expected) <= 0.05
        volumes.append([float(volume) for volume in gigabytes])
    sums = [round(sum(column), 1) for column in zip(*volumes, strict=True)]
    assert total[-2:] == [f"**{volume}**" for volume in sums]
    [cost] = [row for row in read_table(NAME, "what") if "log of the host" in row[0]]
    assert [int(one) for one in cost[1:]] == [
        math.ceil(volume * 2.5) for volume in sums
    ]


def test_every_optional_member_is_documented_with_its_default() -> None:
    rows = read_table(NAME, "member")
    assert [code(row[0])[0] for row in rows] == list(DEFAULTS_OF_MEMBERS)
    for (_name, default, _meaning), value in zip(
        rows, DEFAULTS_OF_MEMBERS.values(), strict=True
    ):
        written = value if isinstance(value, str) else json.dumps(value)
        assert default in (f"`{written}`", "the first region's location")
