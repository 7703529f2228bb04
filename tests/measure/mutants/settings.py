"""The settings of mutmut, from pyproject.toml."""

import tomllib

from tests.support.checkout import CHECKOUT


def modules() -> list[str]:
    """Return the paths of the modules that are mutated."""
    return _settings()["only_mutate"]


def tests() -> list[str]:
    """Return the paths of the tests that run on each mutant."""
    return _settings()["pytest_add_cli_args_test_selection"]


def _settings() -> dict[str, list[str]]:
    text = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    found: dict[str, list[str]] = tomllib.loads(text)["tool"]["mutmut"]
    return found
