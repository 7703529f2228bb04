"""Routes: function_app.py and host.json make those of docs/behaviour.md."""

import importlib.util
from typing import Any

import pytest

from tests.support.checkout import CHECKOUT, read_json
from tests.support.markdown_tables import code, read_table

ROUTES = {
    "calls": ["POST /api/calls"],
    "callback": ["POST /api/calls/{partition}"],
    "health": ["GET /api/health", "HEAD /api/health"],
}


@pytest.fixture
def triggers() -> dict[str, dict[str, Any]]:
    """Return the trigger of every function, of a module of our own.

    An app can be indexed once only, so the one that others import is left alone.
    """
    path = CHECKOUT / "function_app.py"
    spec = importlib.util.spec_from_file_location("freshly_loaded_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {
        function.get_function_name(): function.get_trigger().get_dict_repr()
        for function in module.app.get_functions()
    }


def test_the_routes_are_the_documented_ones(
    triggers: dict[str, dict[str, Any]],
) -> None:
    """All are anonymous: the platform has a token of its own."""
    host = read_json("host.json")
    prefix = host["extensions"]["http"]["routePrefix"]
    found = {}
    for name, trigger in triggers.items():
        if trigger["type"] != "httpTrigger":
            continue
        assert str(trigger["authLevel"].value) == "anonymous"
        path = f"/{prefix}/{trigger['route']}"
        found[name] = [f"{method.value} {path}" for method in trigger["methods"]]

    rows = read_table("docs/behaviour.md", "route")
    assert found == ROUTES
    assert [code(row[0]) for row in rows] == [*ROUTES.values()]
    assert set(host) <= {"version", "functionTimeout", "logging", "extensions"}


def test_the_warm_up_function_has_the_name_that_functions_looks_for(
    triggers: dict[str, dict[str, Any]],
) -> None:
    """Another name would never be called."""
    kinds = {name: trigger["type"] for name, trigger in triggers.items()}
    assert kinds.pop("warmup") == "warmupTrigger"
    assert set(kinds.values()) == {"httpTrigger"}
