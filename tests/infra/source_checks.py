"""Checks of the templates as texts and as ARM JSON: described, deterministic, plain."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from infra.checks import domain, regions
from infra.environment import MEMBERS
from tests.infra.templates import Templates

REGIONAL_OUTPUTS = {
    "functionAppName",
    "functionAppId",
    "defaultHostName",
    "regionHost",
    "customDomainVerificationId",
    "identityPrincipalId",
}
GLOBAL_OUTPUTS = {"webhookUrl", "trafficManagerHost", "regionHosts"}
MAX_SUPPRESSIONS = 2


def _templates(templates: Templates) -> list[str]:
    return [name for name in templates.files if name.endswith(".bicep")]


def _descriptions(compiled: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Yield place and description of whatever should have one."""
    yield name, compiled.get("metadata", {}).get("description", "")
    for kind in ("parameters", "outputs", "definitions"):
        for key, value in compiled.get(kind, {}).items():
            place = f"{name} {kind}.{key}"
            yield place, value.get("metadata", {}).get("description", "")
            if kind == "definitions":
                yield from _members(value, place)
    for namespace in compiled.get("functions", []):
        for key, value in namespace["members"].items():
            place = f"{name} functions.{key}"
            yield place, value.get("metadata", {}).get("description", "")


def _members(definition: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    properties = dict(definition.get("properties", {}))
    further = definition.get("additionalProperties")
    if isinstance(further, dict):
        properties["*"] = further
    for key, value in properties.items():
        yield f"{place}.{key}", value.get("metadata", {}).get("description", "")


def everything_is_described(templates: Templates) -> None:
    """Parameters, outputs, types, their members and functions, in whole sentences."""
    undescribed = []
    for name in _templates(templates):
        for place, text in _descriptions(templates.compiled(name), name):
            if not text.endswith(".") or not text[0].isupper():
                undescribed.append(place)
    assert undescribed == []


def parameters_say_whether_they_are_required(templates: Templates) -> None:
    """And what they say is so."""
    wrong = []
    for name in _templates(templates):
        for key, value in templates.compiled(name).get("parameters", {}).items():
            text = value["metadata"]["description"]
            is_required = "defaultValue" not in value
            if not text.startswith("Required. " if is_required else "Optional. "):
                wrong.append(f"{name} {key}")
    assert wrong == []


def the_outputs_are_those_that_the_deployment_reads(templates: Templates) -> None:
    """No more, and no secret among them."""
    regional = templates.compiled("regional.bicep")["outputs"]
    shared = templates.compiled("global.bicep")["outputs"]
    assert set(regional) == REGIONAL_OUTPUTS
    assert set(shared) == GLOBAL_OUTPUTS
    for output in (*regional.values(), *shared.values()):
        assert not output["type"].startswith("secure")


def the_types_are_those_of_the_checked_description(templates: Templates) -> None:
    """Its members are known to the check, and the files have all of them."""
    types = templates.compiled("topology.bicep")["definitions"]
    assert tuple(types["regionType"]["properties"]) == regions.MEMBERS
    assert tuple(types["domainType"]["properties"]) == domain.MEMBERS
    for environment in ("prod", "dev"):
        assert tuple(templates.description(environment)) == MEMBERS
        text = templates.files[f"params/{environment}.regional.bicepparam"]
        for member in MEMBERS:
            assert f"= environment.{member}\n" in text


def the_same_inputs_give_the_same_templates(templates: Templates) -> None:
    """No clock, no dice."""
    for name in _templates(templates):
        text = json.dumps(templates.compiled(name))
        assert not re.search(r"\b(?:utcNow|newGuid)\(", text), name


def no_module_comes_from_a_registry(templates: Templates) -> None:
    """All of it is here to be read, and builds without a network."""
    for name in _templates(templates):
        sources = re.findall(
            r"^module \w+ '([^']+)'", templates.files[name], re.MULTILINE
        )
        assert all(re.fullmatch(r"modules/\w+\.bicep", one) for one in sources), name
        assert not re.search(r"'(?:br|ts)[:/]", templates.files[name]), name


def what_is_ordered_by_hand_says_why(templates: Templates) -> None:
    """Bicep orders by itself what refers to one another."""
    for name in _templates(templates):
        lines = templates.files[name].splitlines()
        for before, line in pairwise(lines):
            if re.match(r"\s*dependsOn:", line):
                assert before.lstrip().startswith("//"), f"{name}: {line}"


def findings_are_suppressed_for_a_reason(templates: Templates) -> None:
    """Twice at most, each under a comment."""
    found = []
    for name in _templates(templates):
        lines = templates.files[name].splitlines()
        for before, line in pairwise(lines):
            if re.match(r"\s*#(?:disable|pragma)", line):
                found.append(line.strip())
                assert before.lstrip().startswith("//"), f"{name}: {line}"
    assert len(found) <= MAX_SUPPRESSIONS, found


def no_place_is_written_into_a_template(templates: Templates) -> None:
    """Locations are parameters."""
    for name in _templates(templates):
        values = re.findall(
            r"^\s*location: '(.*)'", templates.files[name], re.MULTILINE
        )
        assert set(values) <= {"global"}, name
