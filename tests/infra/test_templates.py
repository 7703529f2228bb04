"""The templates, judged by the compiler: every check of the five modules is a test.

The checks are functions of ``Templates``, so that ``test_mutants`` can show that each
of them goes red.
"""

from collections.abc import Callable
from inspect import getmembers, isfunction
from typing import Any

import pytest

from infra.bicep import BicepError
from tests.infra import (
    alert_checks,
    app_checks,
    naming_checks,
    routing_checks,
    settings_checks,
    source_checks,
)
from tests.infra.templates import Templates

type Check = Callable[[Templates], None]

MODULES = (
    alert_checks,
    app_checks,
    naming_checks,
    routing_checks,
    settings_checks,
    source_checks,
)
CHECKS: dict[str, Check] = {
    name: function
    for module in MODULES
    for name, function in getmembers(module, isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_templates_hold(name: str, templates: Templates) -> None:
    """See the check of that name."""
    CHECKS[name](templates)


def _empty(description: dict[str, Any]) -> None:
    description["regions"] = []


def _repeat(description: dict[str, Any]) -> None:
    description["regions"][1]["code"] = "weu"


def _name_global(description: dict[str, Any]) -> None:
    description["regions"][1]["code"] = "global"
    description["rules"] = []


def _loop(description: dict[str, Any]) -> None:
    description["regions"][1]["defaultHostName"] = "x.trafficmanager.net"


def _loop_all(description: dict[str, Any]) -> None:
    description["domain"]["zone"] = "x.TrafficManager.net"


def _name_nobody(description: dict[str, Any]) -> None:
    description["rules"][0]["regions"] = ["weu", "xx"]


def _misspell(description: dict[str, Any]) -> None:
    description["regions"][0]["loction"] = "westeurope"


def _leave_out(description: dict[str, Any]) -> None:
    del description["regions"][0]["location"]


REFUSED = [
    (_empty, "The list of regions is empty: an environment has one at least."),
    (_repeat, "Two regions have the same code: weu, weu, sea."),
    (_name_global, "The region global has the label of the global host"),
    (_loop, "A host of a region is a name of Traffic Manager"),
    (_loop_all, "A host of a region is a name of Traffic Manager"),
    (_misspell, "['loction']"),
    (_leave_out, "location"),
]


@pytest.mark.parametrize(("edit", "sentence"), REFUSED)
def test_both_templates_refuse_the_worst(
    edit: Callable[[dict[str, Any]], None], sentence: str, templates: Templates
) -> None:
    """Though it was not checked before; in a sentence, not with a stack of calls."""
    edited = templates.with_description("prod", edit)
    for deploy in (edited.regional, edited.global_part):
        with pytest.raises(BicepError) as refusal:
            deploy()
        assert sentence in str(refusal.value)


def test_a_rule_that_names_no_region_is_refused(templates: Templates) -> None:
    """By the template that has the rules."""
    edited = templates.with_description("prod", _name_nobody)
    with pytest.raises(BicepError, match="does not have: xx"):
        edited.regional()


def test_a_region_that_is_none_is_refused_with_those_there_are(
    templates: Templates,
) -> None:
    """A typing error in REGION."""
    with pytest.raises(BicepError, match=r"REGION is «wue».* it has: weu, eus2, sea"):
        templates.regional(code="wue")


def test_an_application_id_that_is_none_is_refused(templates: Templates) -> None:
    """Before an app is made that nobody can call."""
    with pytest.raises(BicepError, match="minimum allowable length is 36"):
        templates.regional(MICROSOFT_APP_ID="my-bot")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("params/prod.regional.bicepparam", "REGION"),
        ("params/prod.regional.bicepparam", "MICROSOFT_APP_ID"),
        ("params/prod.regional.bicepparam", "LOG_ANALYTICS_WORKSPACE_ID"),
        ("params/prod.global.bicepparam", "CUSTOM_DOMAIN_VERIFICATION_ID"),
    ],
)
def test_a_variable_that_is_missing_is_named(
    file: str, name: str, templates: Templates
) -> None:
    """The parameter files have no default for what must be given."""
    with pytest.raises(BicepError) as refusal:
        templates.compiler.snapshot(templates.files, file, {"resourceGroup": "rg"})
    assert f'Environment variable "{name}" does not exist' in str(refusal.value)


def test_there_are_enough_environments_and_no_global_part_without_a_domain(
    templates: Templates,
) -> None:
    """A default host name cannot go through Traffic Manager with TLS."""
    files = {name for name in templates.files if name.endswith(".bicepparam")}
    assert files == {
        "params/dev.regional.bicepparam",
        "params/prod.global.bicepparam",
        "params/prod.regional.bicepparam",
    }
    assert len(templates.codes("prod")) == 3
    assert templates.description("dev")["domain"] is None
