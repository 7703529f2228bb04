"""What all tests share: hypothesis profiles, external data, certificates, callers."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

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


# Folders whose tests share what takes seconds to start: the compiler of templates, and
# calls that were really placed. The tests of any other file share a worker, too, and so
# do those of checkov, which need no compiler.
TOGETHER = ("tests/infra/test_checkov.py", "tests/infra/test_", "tests/queries/test_")
# What takes longest, longest first: started last, it would end alone.
BEGIN_FIRST = (
    "tests/infra/test_",
    "tests/simulator/tests/caller/test_bot_stories.py",
    "tests/simulator/tests/phone/test_phone_for_all.py",
    "tests/simulator/tests/phone/test_phone_in_browser.py",
    "tests/simulator/tests/drill/test_drill.py",
    "tests/simulator/tests/test_readmes.py",
    "tests/simulator/tests/environment/test_world.py",
    "tests/simulator/tests/phone/test_phone.py",
    "tests/measure/tests/test_load.py",
    # Of the fast half.
    "tests/architecture/test_setup.py",
    "tests/unit/test_blob_store.py",
    "tests/unit/test_answering.py",
    "tests/property/",
    "tests/unit/test_answering_health.py",
    "tests/unit/test_forwarding_replies.py",
    "tests/unit/test_bot_follow_ups.py",
    "tests/unit/test_credentials.py",
)


class _ByFile(LoadScopeScheduling):
    """Gives workers whole files, so that their servers and browsers start once."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((some for some in TOGETHER if path.startswith(some)), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByFile:
    """Keep the order of the tests, instead of files with many tests first."""
    config.option.loadscopereorder = False
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: _place_of(item.location[0]))


def _place_of(path: str) -> int:
    places = enumerate(BEGIN_FIRST)
    return next((n for n, some in places if path.startswith(some)), len(BEGIN_FIRST))


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
