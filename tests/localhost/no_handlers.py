"""A bot as delivered, without handlers: where the checkout's own is not to be tried."""

from shared.calls import Bot

bot = Bot()
