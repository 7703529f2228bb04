"""Checks of the workbook and the query pack: they ask what the files ask."""

import json
import re
from typing import Any

from shared.core.guids import is_guid
from tests.infra.checks import check
from tests.infra.templates import INSIGHTS, Snapshot, Templates

WORKBOOKS = "Microsoft.Insights/workbooks"
PACKS = "Microsoft.OperationalInsights/queryPacks"
_QUERIES = "queries.bicep"
_WORKBOOK = "modules/workbook.bicep"
_PACK = "modules/queryPack.bicep"


def _files(templates: Templates) -> dict[str, str]:
    return {
        name.removeprefix("queries/").removesuffix(".kql"): text
        for name, text in templates.files.items()
        if re.fullmatch(r"queries/[\w-]+\.kql", name)
    }


def _items(region: Snapshot) -> list[dict[str, Any]]:
    document = json.loads(region.properties(WORKBOOKS)["serializedData"])
    assert document["version"] == "Notebook/1.0"
    items: list[dict[str, Any]] = document["items"]
    return items


def _parameters(region: Snapshot) -> dict[str, Any]:
    [item] = [item for item in _items(region) if item["type"] == 9]
    return {one["name"]: one for one in item["content"]["parameters"]}


def _views(region: Snapshot) -> list[dict[str, Any]]:
    return [item["content"] for item in _items(region) if item["type"] == 3]


@check(
    (_QUERIES, "queries/calls.kql", "queries/setup.kql"),
    (_WORKBOOK, "'failures', ", ""),
    (_WORKBOOK, '"{Build}"', '"{build}"'),
)
def test_the_workbook_shows_every_file_as_it_is(templates: Templates) -> None:
    """Only the names that begin with ``wanted_`` get the parameters."""
    region = templates.regional()
    shown = set()
    for view in _views(region):
        text = view["query"].replace('= "{Build}";', '= "";')
        shown.add(text.replace('= "{Call}";', '= "";'))
        assert set(re.findall(r"\{(\w+)\}", view["query"])) <= {"Build", "Call"}
        assert view["title"] == text.partition("\n")[0].removeprefix("// ")
    assert shown == set(_files(templates).values())


@check(
    (_WORKBOOK, "'TimeRange'\n      queryType: 0", "'Time'\n      queryType: 0"),
    (_WORKBOOK, "name: 'Regions'", "name: 'Region'"),
    (_WORKBOOK, "tags.environment, insights.id)", "tags.workload, insights.id)"),
)
def test_time_regions_and_build_are_parameters(templates: Templates) -> None:
    """The regions of the environment are found by their tags; its own is chosen."""
    for environment in ("prod", "dev"):
        region = templates.regional(environment)
        parameters = _parameters(region)
        assert list(parameters) == ["TimeRange", "Regions", "Build", "Call"]
        insights = region.one(INSIGHTS)["id"]
        assert parameters["Regions"]["value"] == [insights]
        found = parameters["Regions"]["query"]
        assert 'tags.workload == "tmscalls"' in found
        assert f'tags.environment == "{environment}"' in found
        assert insights in found
        for view in [*_views(region), parameters["Build"]]:
            assert view["timeContextFromParameter"] == "TimeRange"
            assert view["crossComponentResources"] == ["{Regions}"]


@check((_WORKBOOK, "'calls-over-time': { visualization: 'timechart' }", ""))
def test_charts_are_beside_the_tables(templates: Templates) -> None:
    views = _views(templates.regional())
    kinds = [view["visualization"] for view in views]
    assert set(kinds) == {"table", "timechart", "categoricalbar"}
    for view in views:
        settings = view.get("chartSettings", {})
        for column in (settings.get("xAxis"), *settings.get("yAxis", [])):
            assert column is None or re.search(rf"\b{column}\b", view["query"])


@check((_WORKBOOK, "sourceId: insights.id", "sourceId: resourceGroup().id"))
def test_a_workbook_belongs_to_the_component_of_its_region(
    templates: Templates,
) -> None:
    names = set()
    for environment, code, region in templates.regions():
        workbook = region.one(WORKBOOKS)
        assert is_guid(workbook["name"])
        names.add(workbook["name"])
        properties = workbook["properties"]
        assert properties["sourceId"] == region.one(INSIGHTS)["id"]
        assert properties["displayName"] == f"Calls of tmscalls-{environment}-{code}"
    assert len(names) == 4


@check(
    ("regional.bicep", "param queryPack bool = false", "param queryPack bool = true"),
    (_PACK, "body: query.value", "body: query.key"),
)
def test_the_query_pack_holds_every_file_and_is_optional(templates: Templates) -> None:
    assert templates.regional().all(PACKS) == []
    region = templates.with_parameter(
        "params/prod.regional.bicepparam", "param queryPack = true"
    ).regional()
    assert region.one(PACKS)["name"] == "pack-tmscalls-prod-weu"
    files = _files(templates)
    bodies = {}
    for query in region.all(f"{PACKS}/queries"):
        properties = query["properties"]
        name = properties["description"][len("infra/queries/") : -len(".kql")]
        bodies[name] = properties["body"]
        assert is_guid(query["name"].rpartition("/")[2])
        assert properties["displayName"] == _question(files[name])
    assert bodies == files


def _question(text: str) -> str:
    return text.partition("\n")[0].removeprefix("// ")
