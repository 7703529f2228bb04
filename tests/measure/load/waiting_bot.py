"""A bot whose handlers wait: its ``def`` for ever, its ``async def`` for seconds.

An incoming call gets its answer from a ``def``, which needs a thread of its own.
"""

import asyncio
import threading

from shared import calls
from shared.calls import Action, Bot, Event, Incoming

# Less than a handler may take, so that this one ends well.
WAITING_SECONDS = 4.0

bot = Bot()


@bot.incoming
def decide(event: Incoming) -> Action:
    return calls.answer()


@bot.established
def hang(event: Event) -> None:
    threading.Event().wait()


@bot.participants
async def wait(event: Event) -> None:
    await asyncio.sleep(WAITING_SECONDS)
