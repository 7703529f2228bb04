"""A phone for a person: calls a bot in real time, and shows what the bot does."""
