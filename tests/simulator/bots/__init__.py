"""Bots to copy: each file could be ``shared/bot.py`` as it is."""
