"""What all tests share: hypothesis profiles, external data, certificates, callers."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.simulator.caller.fixtures import bot_services, call_bot
from tests.simulator.services.authority import Authority
from tests.support.checkout import CHECKOUT
from tests.support.internals import forget_kept_events

# Fixtures that pytest finds here, and tests of bots ask for by name.
__all__ = ["bot_services", "call_bot"]

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=100, deadline=None, suppress_health_check=_SLOW
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
_PROFILE = "ci" if os.environ.get("CI") else "default"
settings.load_profile(_PROFILE)


@pytest.fixture(autouse=True)
def _no_kept_events() -> None:
    """Forget the events that earlier tests left for the next request to log."""
    forget_kept_events()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Notifications and test vectors by other people, if they are at hand."""
    folder = CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the external data is not beside the checkout")
    return folder


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority that certifies the servers of the tests."""
    return Authority()
