"""Checks of the templates as texts and as ARM JSON: described, typed, deterministic."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from infra.checks import domain, optional, regions, rules
from infra.environment import MEMBERS, REQUIRED
from tests.infra.checks import check
from tests.infra.templates import Templates

REGIONAL_OUTPUTS = {
    *("functionAppName", "functionAppId", "defaultHostName", "regionHost"),
    "describedDefaultHostName",
    *("customDomainVerificationId", "identityPrincipalId"),
}
SHARED_OUTPUTS = {"logAnalyticsWorkspaceId", "actionGroupId", "keyVaultId"}
GLOBAL_OUTPUTS = {"webhookUrl", "trafficManagerHost", "regionHosts"}
MAX_SUPPRESSIONS = 3


# Members that no template reads.
ONLY_SCRIPTS_READ = {"globalLocation", "files"}


class Declared(NamedTuple):
    """Something with a description; ``is_required`` is None if nobody gives it."""

    place: str
    arm: dict[str, Any]
    is_required: bool | None

    @property
    def description(self) -> str:
        return str(self.arm.get("metadata", {}).get("description", ""))


def _sources(templates: Templates) -> list[str]:
    return [name for name in templates.files if name.endswith(".bicep")]


def _declared(templates: Templates) -> Iterator[Declared]:
    """Yield the templates, their parameters, outputs, types, members and functions."""
    for name in _sources(templates):
        compiled = templates.compiled(name)
        yield Declared(name, compiled, None)
        for key, value in compiled.get("parameters", {}).items():
            yield Declared(f"{name} {key}", value, "defaultValue" not in value)
        for key, value in compiled.get("definitions", {}).items():
            yield Declared(f"{name} {key}", value, None)
            yield from _members(value, f"{name} {key}")
        functions = [space["members"] for space in compiled.get("functions", [])]
        for members in (compiled.get("outputs", {}), *functions):
            for key, value in members.items():
                yield Declared(f"{name} {key}", value, None)


def _members(definition: dict[str, Any], place: str) -> Iterator[Declared]:
    for key, value in definition.get("properties", {}).items():
        yield Declared(f"{place}.{key}", value, not value.get("nullable"))
    further = definition.get("additionalProperties")
    if isinstance(further, dict):
        yield Declared(f"{place}.*", further, is_required=False)


@check(
    ("topology.bicep", "Azure location of the region, for example", "for example"),
    ("modules/dns.bicep", "@description('Required. Hosts of the zone.')", ""),
)
def test_everything_is_described(templates: Templates) -> None:
    """Descriptions are whole sentences."""
    for one in _declared(templates):
        text = re.sub(r"^(?:Required|Optional)\. ", "", one.description)
        assert text.endswith("."), one.place
        assert text[0].isupper(), one.place


@check(
    ("global.bicep", "'Required. Name of the env", "'Optional. Name of the env"),
    ("topology.bicep", "'Required. Label of the", "'Optional. Label of the"),
)
def test_whoever_gives_a_value_is_told_whether_it_is_required(
    templates: Templates,
) -> None:
    """Parameters and members of types say so as Azure Verified Modules do."""
    for one in _declared(templates):
        if one.is_required is not None:
            expected = "Required. " if one.is_required else "Optional. "
            assert one.description.startswith(expected), one.place


@check(
    ("modules/dns.bicep", "param aliases aliasType[]", "param aliases array"),
    ("modules/storage.bicep", "param tags tagsType", "param tags object"),
    ("topology.bicep", "  regions: string[]", "  regions: array"),
)
def test_every_parameter_has_a_type_that_says_what_it_holds(
    templates: Templates,
) -> None:
    for one in _declared(templates):
        kind = one.arm.get("type")
        if one.is_required is not None and kind in {"object", "array"}:
            inner = one.arm.get("additionalProperties", one.arm.get("items"))
            assert inner or "properties" in one.arm, one.place


@check(("regional.bicep", "output regionHost string", "output hostOfRegion string"))
def test_the_outputs_are_those_that_the_deployment_reads(templates: Templates) -> None:
    """None of them is a secret."""
    regional = templates.compiled("regional.bicep")["outputs"]
    common = templates.compiled("global.bicep")["outputs"]
    shared = templates.compiled("shared.bicep")["outputs"]
    assert set(regional) == REGIONAL_OUTPUTS
    assert set(common) == GLOBAL_OUTPUTS
    assert set(shared) == SHARED_OUTPUTS
    for output in (*regional.values(), *common.values(), *shared.values()):
        assert not output["type"].startswith("secure")


@check(
    ("topology.bicep", "  priority: int?", "  rank: int?"),
    ("topology.bicep", "  strict: bool?", "  strictly: bool?"),
    ("topology.bicep", "  callee: string[]?", "  called: string[]?"),
)
def test_the_types_are_those_of_the_checked_description(templates: Templates) -> None:
    """The parameter files pass on every member."""
    types = templates.compiled("topology.bicep")["definitions"]
    assert tuple(types["regionType"]["properties"]) == regions.MEMBERS
    assert tuple(types["domainType"]["properties"]) == domain.MEMBERS
    assert tuple(types["regionRuleType"]["properties"]) == rules.MEMBERS
    assert tuple(types["networkType"]["properties"]) == optional.NETWORK_MEMBERS
    for environment in ("prod", "dev"):
        members = set(templates.description(environment))
        assert {*REQUIRED} <= members <= {*MEMBERS}
        text = templates.files[f"params/{environment}.regional.bicepparam"]
        for member in {*MEMBERS} - ONLY_SCRIPTS_READ:
            assert f"= environment.{member}\n" in text


@check(
    ("topology.bicep", "certificateReader: 'appService'", "certificateReader: 'other'"),
    ("topology.bicep", "  network: null\n", ""),
)
def test_optional_members_have_the_same_defaults_everywhere(
    templates: Templates,
) -> None:
    variables = templates.compiled("topology.bicep")["variables"]
    expected = {
        n: v for n, v in optional.DEFAULTS.items() if n not in ONLY_SCRIPTS_READ
    }
    assert variables["optionalMembers"] == expected


@check(("regional.bicep", "tagsType = {}", "tagsType = { at: utcNow() }"))
def test_the_same_inputs_give_the_same_templates(templates: Templates) -> None:
    for name in _sources(templates):
        text = json.dumps(templates.compiled(name))
        assert not re.search(r"\b(?:utcNow|newGuid)\(", text), name


@check(("regional.bicep", "'modules/identity.bicep'", "'./modules/identity.bicep'"))
def test_no_module_comes_from_a_registry(templates: Templates) -> None:
    """Everything can be read here and builds without a network."""
    for name in _sources(templates):
        text = templates.files[name]
        modules = re.findall(r"^module \w+ '([^']+)'", text, re.MULTILINE)
        beside = r"\w+\.bicep" if name.startswith("modules/") else r"modules/\w+\.bicep"
        assert all(re.fullmatch(beside, one) for one in modules), name
        assert not re.search(r"'(?:br|ts)[:/]", text), name


@check(
    ("regional.bicep", ", and dependsOn states it.", "."),
    ("global.bicep", " regional.bicep says why there is dependsOn.", ""),
)
def test_a_template_that_orders_by_hand_says_why(templates: Templates) -> None:
    """Bicep orders by itself what refers to one another."""
    for name in _sources(templates):
        if "dependsOn:" in templates.files[name]:
            description = templates.compiled(name)["metadata"]["description"]
            assert "dependsOn" in description, name


@check(("modules/functionApp.bicep", "a certificate.\n", "a certificate.\n\n"))
def test_findings_are_suppressed_for_a_reason(templates: Templates) -> None:
    found = []
    for name in _sources(templates):
        for before, line in pairwise(templates.files[name].splitlines()):
            if re.match(r"\s*#(?:disable|pragma)", line):
                found.append(line.strip())
                assert before.lstrip().startswith("//"), f"{name}: {line}"
    assert len(found) <= MAX_SUPPRESSIONS, found


@check(("modules/dns.bicep", "location: 'global'", "location: 'westeurope'"))
def test_no_place_is_written_into_a_template(templates: Templates) -> None:
    for name in _sources(templates):
        text = templates.files[name]
        values = re.findall(r"^\s*location: '(.*)'", text, re.MULTILINE)
        assert set(values) <= {"global"}, name
