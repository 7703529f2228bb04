"""What all tests share: hypothesis profiles, external data, one set of keys."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.simulator.services.neighbours import APP_ID, TENANT_ID
from tests.simulator.services.signing import SigningKey, TokenFactory
from tests.support.checkout import CHECKOUT

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=100, deadline=None, suppress_health_check=_SLOW
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
_PROFILE = "ci" if os.environ.get("CI") else "default"
settings.load_profile(_PROFILE)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Notifications and vectors that nobody here wrote, where they are at hand."""
    folder = CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the external data is not beside the checkout")
    return folder


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    """The platform's key."""
    return SigningKey("platform-key")


@pytest.fixture(scope="session")
def tokens(signing_key: SigningKey) -> TokenFactory:
    """Tokens of the platform for the bot of the tests."""
    return TokenFactory(signing_key, audience=APP_ID, tenant_id=TENANT_ID)
