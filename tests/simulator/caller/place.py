"""``place_call``: one call to a bot, with everything that it takes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.simulator.caller.bot_service import BotService
from tests.simulator.caller.call import BotCall


@contextmanager
def place_call(
    bot: Path | str | None = None,
    *,
    processes: int = 1,
    settings: Mapping[str, str] | None = None,
    **members: Any,
) -> Iterator[BotCall]:
    """Start a deployment for a bot, and place one call to it.

    Args:
        bot: its file, absolute or below the checkout; None: ``shared/bot.py``.
        processes: of the deployment, which get the notifications in turn.
        settings: of the deployment, and what the bot reads for itself.
        members: as for ``BotService.place``.
    """
    with (
        BotService(bot, processes=processes, settings=settings) as service,
        service.place(**members) as call,
    ):
        yield call
