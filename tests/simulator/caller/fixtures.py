"""``call_bot`` for pytest: calls that end with the test.

def test_menu(call_bot: CallBot) -> None:
call = call_bot("tests/simulator/bots/menu.py")
call.hears("main")
call.presses("2")
call.is_transferred_to("550fae72-d251-43ec-868c-373732c2704f")
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.simulator.caller.bot_service import BotService
from tests.simulator.caller.call import BotCall


class CallBot(Protocol):
    """The fixture ``call_bot``: places a call that ends with the test."""

    def __call__(
        self,
        bot: Path | str | None = None,
        *,
        processes: int = 1,
        settings: Mapping[str, str] | None = None,
        **members: Any,
    ) -> BotCall:
        """Place a call; see ``place_call``."""


class BotServices:
    """Deployments by bot, each started when it is first called."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[tuple[object, ...], BotService] = {}

    def of(
        self, bot: Path | str | None, processes: int, settings: Mapping[str, str]
    ) -> BotService:
        """Return the deployment of a bot in so many processes, with these settings."""
        key = (str(bot), processes, *sorted(settings.items()))
        if key not in self._running:
            service = BotService(bot, processes=processes, settings=settings)
            self._running[key] = self._stack.enter_context(service)
        return self._running[key]


@pytest.fixture(scope="session")
def bot_services() -> Iterator[BotServices]:
    """Keep the deployments of the bots until all tests are over."""
    with ExitStack() as stack:
        yield BotServices(stack)


@pytest.fixture
def call_bot(bot_services: BotServices) -> Iterator[CallBot]:
    """Return what places calls; at the end of the test the caller hangs up."""
    with ExitStack() as stack:

        def call(
            bot: Path | str | None = None,
            *,
            processes: int = 1,
            settings: Mapping[str, str] | None = None,
            **members: Any,
        ) -> BotCall:
            service = bot_services.of(bot, processes, settings or {})
            return stack.enter_context(service.place(**members))

        yield call
