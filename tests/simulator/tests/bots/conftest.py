"""A service of the bot's author, on loopback."""

from collections.abc import Iterator

import pytest

from tests.support.servers import ScriptedServer, status


@pytest.fixture
def service() -> Iterator[ScriptedServer]:
    """Takes everything, until a test gives it another script."""
    with ScriptedServer(status(201), None) as server:
        yield server
