"""The rules. No clock, no network, no environment: see ``ports`` for the world."""
