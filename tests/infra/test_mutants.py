"""Every check of the templates goes red where the templates are broken."""

import pytest

from tests.infra.app_mutants import APP_MUTANTS
from tests.infra.further_mutants import (
    ALERT_MUTANTS,
    SETTINGS_MUTANTS,
    SOURCE_MUTANTS,
)
from tests.infra.mutant import Mutant
from tests.infra.routing_mutants import NAMING_MUTANTS, ROUTING_MUTANTS
from tests.infra.templates import Templates
from tests.infra.test_templates import CHECKS

MUTANTS = [
    *ALERT_MUTANTS,
    *APP_MUTANTS,
    *NAMING_MUTANTS,
    *ROUTING_MUTANTS,
    *SETTINGS_MUTANTS,
    *SOURCE_MUTANTS,
]


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=[f"{n}-{mutant.check}" for n, mutant in enumerate(MUTANTS)]
)
def test_a_broken_template_is_noticed(mutant: Mutant, templates: Templates) -> None:
    """By the check that is there for it, and not because it does not compile."""
    broken = templates.with_text(mutant.file, mutant.old, mutant.new)
    with pytest.raises(AssertionError):
        CHECKS[mutant.check](broken)


def test_every_check_has_a_mutant() -> None:
    """A check that cannot go red is none."""
    assert {mutant.check for mutant in MUTANTS} == set(CHECKS)
    assert len(MUTANTS) >= 25
