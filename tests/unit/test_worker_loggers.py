"""shared.service: what the worker library logs of every invocation stays away."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from azure_functions_runtime.logging import logger as library_logger

from shared import service as module
from tests.support.service import ScriptedNeighbours

NAMES = ("azure.functions", "azure_functions_runtime", "proxy_worker")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Give the loggers their levels back."""
    before = {name: logging.getLogger(name).level for name in NAMES}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_the_worker_logs_warnings_only_once_the_service_was_built(
    neighbours: ScriptedNeighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The level of our own lines stays as it is."""
    for name, value in neighbours.settings(CALLING_ANSWER="false").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_service", None)
    for name in NAMES:
        logging.getLogger(name).setLevel(logging.NOTSET)

    asyncio.run(module.health({}))
    module.get_service().close()

    assert [logging.getLogger(name).level for name in NAMES] == [logging.WARNING] * 3
    assert logging.getLogger("calling").level == logging.NOTSET


def test_the_installed_worker_library_logs_through_a_logger_that_is_named() -> None:
    """A newer version may use another one."""
    assert library_logger.name in NAMES
