"""Checks of the templates, each with mistakes that it must notice.

A check is a function that asserts something about the templates, and ``@check`` makes a
test of it. The test runs once on the templates of the checkout, where the check must
pass, and once for each mutant, where one of its assertions must fail. A mutant is
``(file, old, new)``: a mistake in one place of one file that still compiles.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

import pytest

from tests.infra.templates import Templates

type Mutant = tuple[str, str, str]


def check(*mutants: Mutant) -> Callable[[Callable[[Templates], None]], Any]:
    """Make a test of a check."""
    assert mutants, "a check that nothing can break proves nothing"

    def decorate(function: Callable[[Templates], None]) -> Any:
        def test(templates: Templates, mutant: Mutant | None) -> None:
            if mutant is None:
                function(templates)
                return
            broken = templates.with_text(*mutant)
            with pytest.raises(AssertionError):
                function(broken)

        # pytest reads the arguments from the signature, the rest from the check.
        test.__signature__ = signature(test)  # type: ignore[attr-defined]
        names = ["holds", *(f"broken-{n}" for n, _ in enumerate(mutants, 1))]
        parametrize = pytest.mark.parametrize("mutant", [None, *mutants], ids=names)
        return parametrize(wraps(function)(test))

    return decorate
